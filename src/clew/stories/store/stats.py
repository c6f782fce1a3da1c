"""How much is in a store, and whether it is sound."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clew.stories.store.reading import LEVEL_NAMES
from clew.stories.store.schema import HASH_BITS, VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Stats:
    """How much is in a store."""

    version: int
    lines: int
    oldest_ms: int | None
    newest_ms: int | None
    #: Of the file, with what of it is not yet written back from beside it.
    bytes: int
    functions: Mapping[str, int]
    levels: Mapping[str, int]


def stats_of(connection: sqlite3.Connection, path: Path) -> Stats:
    """How much is in the store."""
    oldest, newest = connection.execute(
        "SELECT (SELECT min(id) FROM line), (SELECT max(id) FROM line)"
    ).fetchone()
    functions: dict[str, int] = {}
    levels: dict[str, int] = {}
    asked = (
        "SELECT coalesce(n.text, ''), c.level, c.many FROM (SELECT function, level, count(*) many "
        "FROM line GROUP BY 1, 2) c LEFT JOIN name n ON n.id = c.function ORDER BY c.many DESC"
    )
    for function, level, count in connection.execute(asked):
        functions[function] = functions.get(function, 0) + count
        name = LEVEL_NAMES.get(level, "")
        levels[name] = levels.get(name, 0) + count
    return Stats(
        version=VERSION,
        lines=sum(levels.values()),
        oldest_ms=None if oldest is None else oldest >> HASH_BITS,
        newest_ms=None if newest is None else newest >> HASH_BITS,
        bytes=sum(one.stat().st_size for one in (path, Path(f"{path}-wal")) if one.exists()),
        functions=functions,
        levels=levels,
    )


def damage(connection: sqlite3.Connection) -> list[str]:
    """What is wrong with the file, and with the index of its words."""
    wrong = [str(said) for (said,) in connection.execute("PRAGMA integrity_check") if said != "ok"]
    for index in ("words", "ids"):
        try:
            connection.execute(f"INSERT INTO {index}({index}) VALUES('integrity-check')")
        except sqlite3.DatabaseError as error:
            wrong.append(f"the index of {index}: {error}")
    (loose,) = connection.execute(
        "SELECT count(*) FROM line WHERE place / 64 NOT IN (SELECT id FROM block) "
        "OR origin NOT IN (SELECT id FROM origin)"
    ).fetchone()
    if loose:
        wrong.append(f"{loose} lines have no message, or no origin")
    return wrong

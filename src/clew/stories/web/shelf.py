"""A store as the pages read it: the newest lines of a kind, and those that have just come."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

from clew.stories.store import Store, reading
from clew.stories.store.blocks import LINES
from clew.stories.store.errors import said
from clew.stories.store.facts import KINDS

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from sqlite3 import Connection

    from clew.stories.store import Found


_CACHE_KB = 16_384


class News(NamedTuple):
    """What has come since a mark."""

    mark: int
    lines: tuple[Found, ...]  # oldest first
    missed: bool  # whether there were more than could be told


class Shelf(Store):
    """A `Store` with what a page asks for besides; it takes less memory, for it runs for long."""

    def __init__(self, path: str | Path, *, write: bool = False, durable: bool = False) -> None:
        super().__init__(path, write=write, durable=durable)
        for connection in filter(None, (self._reader, self._writer)):
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KB}")

    def __enter__(self) -> Self:
        return self

    def mark(self) -> int:
        """The number of the last block of lines; a greater one is of lines that came later."""
        with said(self.path, "be read"):
            return self._read(_last)

    def since(self, mark: int, most: int) -> News:
        """The lines that were stored after a mark, whenever they are from; the newest of many."""
        with said(self.path, "be read"):
            return self._read(lambda one: _news(one, mark, most))

    def newest(
        self, kind: str, since: datetime | None, until: datetime | None, most: int
    ) -> list[Found]:
        """The newest lines of a kind (`clew.stories.store.facts.KINDS`), newest first."""
        first, last = reading.span(since, until)
        asked = (
            f"{reading.COLUMNS} WHERE l.kind = ? AND l.id BETWEEN ? AND ? "
            "ORDER BY l.id DESC LIMIT ?"
        )
        values = (KINDS.index(kind), first, last, most)
        with said(self.path, "be read"):
            return self._read(lambda one: reading.matching_lines(one, asked, values))


def _last(connection: Connection) -> int:
    number = connection.execute("SELECT max(id) FROM block").fetchone()[0]
    return int(number or 0)


def _news(connection: Connection, mark: int, most: int) -> News:
    last = _last(connection)
    if last <= mark:  # or all of it was deleted, and numbers begin again
        return News(last, (), missed=False)
    first = max(mark, last - (most + LINES - 1) // LINES) + 1
    asked = "SELECT min(first), max(last) FROM block WHERE id >= ?"
    earliest, latest = connection.execute(asked, (first,)).fetchone()
    lines = reading.matching_lines(
        connection,
        f"{reading.COLUMNS} WHERE l.id BETWEEN ? AND ? AND l.place >= ? ORDER BY l.id DESC LIMIT ?",
        (earliest, latest, first * LINES, most + 1),
    )
    told = tuple(reversed(lines[:most]))
    return News(last, told, missed=first > mark + 1 or len(lines) > most)

"""Puts the rows of a batch into the tables, in one transaction."""

from __future__ import annotations

import sqlite3
from itertools import chain
from typing import TYPE_CHECKING, Any

from clew.stories.store.batch import HASH, Batch, Known
from clew.stories.store.blocks import LINES, pack
from clew.stories.store.schema import in_one

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Rows that go into SQLite with one call: each call gives Python's lock away, and gets it back late
#: while another thread works. Larger ones are tried first.
_ROWS = tuple(1 << power for power in range(11, -1, -1))
_IDS = 2_000


def read_known(connection: sqlite3.Connection) -> Known:
    """What the store has from before."""
    names = {text: number for number, text in connection.execute("SELECT id, text FROM name")}
    origin, block = connection.execute(
        "SELECT (SELECT max(id) FROM origin), (SELECT max(id) FROM block)"
    ).fetchone()
    return Known(names, origin or 0, block or 0)


def write(connection: sqlite3.Connection, batch: Batch) -> tuple[int, int]:
    """Store a batch; how many of its lines are new, and how many were there."""
    with in_one(connection):
        there = _there(connection, batch)
        if there:
            _leave_out(connection, batch, there)
        texts = pack([block[3] for block in batch.blocks])
        packed = [(*block[:3], text) for block, text in zip(batch.blocks, texts, strict=True)]
        _insert(connection, "INSERT INTO name", batch.names)
        _insert(connection, "INSERT INTO origin", batch.origins)
        _insert(connection, "INSERT INTO ids(rowid, text)", batch.ids)
        _insert(connection, "INSERT INTO line", batch.lines)
        _insert(connection, "INSERT INTO block", packed)
        _insert(connection, "INSERT INTO words(rowid, text)", batch.words)
    return len(batch.lines), batch.entries - len(batch.lines)


def _there(connection: sqlite3.Connection, batch: Batch) -> dict[int, int]:
    """Of the ids of a batch, those that the store has, with their marks."""
    if not batch.lines:
        return {}
    (last,) = connection.execute("SELECT max(id) FROM line").fetchone()
    if last is None or last < batch.lines[0][0]:  # the usual case: newer than all that is there
        return {}
    ids = [line[0] for line in batch.lines if line[0] <= last]
    found: dict[int, int] = {}
    for at in range(0, len(ids), _IDS):
        part = ids[at : at + _IDS]
        asked = f"SELECT id, mark FROM line WHERE id IN ({','.join('?' * len(part))})"  # noqa: S608
        found.update(connection.execute(asked, part))
    return found


def _leave_out(connection: sqlite3.Connection, batch: Batch, there: dict[int, int]) -> None:
    """Take out of a batch the lines that are there; others whose id is taken get one that is free.

    Their blocks stay if they have another line, and so do their origins: the batch that is prepared
    meanwhile may count on them. `prune` deletes those that nobody needed.
    """
    used = {line[0] for line in batch.lines}
    ids: dict[int, int] = {}
    for line in batch.lines:
        id, mark = line[:2]  # noqa: A001
        if id not in there:
            ids[id] = id
        elif there[id] != mark and (free := _free(connection, id, mark, used)) is not None:
            used.add(free)
            ids[id] = free
    lines = [(ids[line[0]], *line[1:]) for line in batch.lines if line[0] in ids]
    bounds: dict[int, tuple[int, int]] = {}
    for line in lines:
        first, last = bounds.get(line[3] // LINES, (line[0], line[0]))
        bounds[line[3] // LINES] = min(first, line[0]), max(last, line[0])
    batch.lines = sorted(lines)
    batch.words = sorted((ids[id], text) for id, text in batch.words if id in ids)  # noqa: A001
    batch.blocks = [(one[0], *bounds[one[0]], one[3]) for one in batch.blocks if one[0] in bounds]


def _free(connection: sqlite3.Connection, line: int, mark: int, used: set[int]) -> int | None:
    """The next id that no line has; None if it is of this one, which is there then."""
    while True:
        line = (line & ~HASH) | ((line + 1) & HASH)
        row = connection.execute("SELECT mark FROM line WHERE id = ?", (line,)).fetchone()
        if row is not None and row[0] == mark:
            return None
        if row is None and line not in used:
            return line


def _insert(connection: sqlite3.Connection, into: str, rows: Sequence[Sequence[Any]]) -> None:
    if not rows:
        return
    one = f"({','.join('?' * len(rows[0]))})"
    most = connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) // len(rows[0])
    at = 0
    for count in _ROWS:
        if count > most:
            continue
        statement = f"{into} VALUES {','.join([one] * count)}"
        while len(rows) - at >= count:
            connection.execute(statement, list(chain.from_iterable(rows[at : at + count])))
            at += count


def parts(entries: Any, lines: int, size: int) -> Iterator[list[Any]]:
    """Entries in parts of so many, or of so many characters, whichever is first."""
    part: list[Any] = []
    left = size
    for entry in entries:
        part.append(entry)
        left -= len(entry[3])
        if len(part) >= lines or left <= 0:
            yield part
            part, left = [], size
    if part:
        yield part

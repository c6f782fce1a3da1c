"""Puts the rows of a batch into the tables, in one transaction."""

from __future__ import annotations

import sqlite3
from itertools import chain
from typing import TYPE_CHECKING, Any

from clew.stories.store.batch import Batch, Keyed, Known, prepare
from clew.stories.store.schema import in_one

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Rows that go into SQLite with one call: each call gives Python's lock away, and gets it back late
#: while another thread works. Larger ones are tried first.
_ROWS = (2_048, 256, 32)
_IDS = 2_000


def read_known(connection: sqlite3.Connection) -> Known:
    """What the store has from before."""
    names = {text: number for number, text in connection.execute("SELECT id, text FROM name")}
    origin, block = connection.execute(
        "SELECT (SELECT max(id) FROM origin), (SELECT max(id) FROM block)"
    ).fetchone()
    return Known(names, origin or 0, block or 0)


def write(connection: sqlite3.Connection, batch: Batch, known: Known) -> tuple[int, int]:
    """Store a batch; how many of its lines are new, and how many were there."""
    entries = len(batch.entries)
    with in_one(connection):
        while there := _there(connection, batch):
            batch = _without(connection, batch, there, known)
        _insert(connection, "INSERT INTO name", batch.names)
        _insert(connection, "INSERT INTO origin", batch.origins)
        _insert(connection, "INSERT INTO ids(rowid, text)", batch.ids)
        _insert(connection, "INSERT INTO line", batch.lines)
        _insert(connection, "INSERT INTO block", batch.blocks)
        _insert(connection, "INSERT INTO words(rowid, text)", batch.words)
    return len(batch.lines), entries - len(batch.lines)


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


def _without(
    connection: sqlite3.Connection, batch: Batch, there: dict[int, int], known: Known
) -> Batch:
    """The batch without lines that are there, and with other ids where another line has one."""

    def taken(line: int, mark: int) -> bool:
        row = connection.execute("SELECT mark FROM line WHERE id = ?", (line,)).fetchone()
        return row is not None and row[0] != mark

    kept = [
        Keyed._make((*batch.entries[number][:4], key))
        for line, (number, key) in zip(batch.lines, batch.whence, strict=True)
        if there.get(line[0]) != line[1]
    ]
    other = prepare(kept, known, taken)
    # What is prepared meanwhile may count on these.
    other.names[:0] = batch.names
    other.origins[:0] = batch.origins
    other.ids[:0] = batch.ids
    return other


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
    connection.executemany(f"{into} VALUES {one}", rows[at:])


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

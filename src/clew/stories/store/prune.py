"""Delete the oldest lines, in slices, with their words and ids, and give the room back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clew.stories.store import blocks, reading
from clew.stories.store.facts import Facts, facts_of, ids_of
from clew.stories.store.schema import in_one

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

#: Blocks that go in one transaction: it takes some milliseconds.
_SLICE = 32
_PAGES = 256
_MERGES = 200


def prune(
    connection: sqlite3.Connection, older_than: datetime | None, larger_than: int | None
) -> int:
    """Delete what is older, and then the oldest until the rest is small enough; how many lines.

    Lines go by the block, with the youngest of its up to 64 lines.
    """
    limit = 0 if older_than is None else reading.span(older_than, None)[0]
    deleted = 0
    while True:
        with in_one(connection):
            asked = "SELECT id, first, last, lines FROM block WHERE last < ? ORDER BY last LIMIT ?"
            chosen = connection.execute(asked, (limit, _SLICE)).fetchall()
            if not chosen and larger_than is not None and _size(connection) > larger_than:
                asked = "SELECT id, first, last, lines FROM block ORDER BY last LIMIT ?"
                chosen = connection.execute(asked, (_SLICE,)).fetchall()
            if not chosen:
                break
            for block in chosen:
                deleted += _delete(connection, *block)
        connection.execute(f"PRAGMA incremental_vacuum({_PAGES})").fetchall()
    if deleted:
        _forget_orphans(connection)
        _tidy(connection)
    return deleted


def _size(connection: sqlite3.Connection) -> int:
    """Bytes that are in use."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _delete(connection: sqlite3.Connection, number: int, first: int, last: int, data: bytes) -> int:
    lowest = number * blocks.LINES
    lines = connection.execute(
        "SELECT id, place, origin FROM line WHERE id BETWEEN ? AND ? AND place BETWEEN ? AND ?",
        (first, last, lowest, lowest + blocks.LINES - 1),
    ).fetchall()
    try:
        texts = blocks.unpack(data)
    except blocks.DamagedError:
        texts = []  # what it said is lost; the rest of it goes all the same
    facts: dict[int, Facts] = {}
    for line, place, origin in lines:
        connection.execute("DELETE FROM line WHERE id = ?", (line,))
        if place - lowest < len(texts):
            # From the same text come the same words: see `facts_of`.
            facts[origin] = one = facts_of(texts[place - lowest])
            gone = "INSERT INTO words(words, rowid, text) VALUES('delete', ?, ?)"
            connection.execute(gone, (line, one.words))
    connection.execute("DELETE FROM block WHERE id = ?", (number,))
    for origin, one in facts.items():
        _forget(connection, origin, one)
    return len(lines)


def _forget(connection: sqlite3.Connection, origin: int, facts: Facts) -> None:
    """Delete an origin and its ids, if no line has it any more."""
    asked = "SELECT 1 FROM line WHERE origin = ? LIMIT 1"
    if connection.execute(asked, (origin,)).fetchone() is not None:
        return
    gone: list[tuple[Any, ...]] = [(value, origin) for _, value in ids_of(facts)]
    connection.executemany("DELETE FROM ident WHERE value = ? AND origin = ?", gone)
    connection.execute("DELETE FROM origin WHERE id = ?", (origin,))


def _forget_orphans(connection: sqlite3.Connection) -> None:
    """Delete origins whose lines were there already when they came again, with their ids."""
    none = "SELECT id FROM origin o WHERE NOT EXISTS (SELECT 1 FROM line WHERE origin = o.id)"
    if connection.execute(f"{none} LIMIT 1").fetchone() is None:
        return
    with in_one(connection):
        connection.execute(f"DELETE FROM ident WHERE origin IN ({none})")  # noqa: S608
        connection.execute(f"DELETE FROM origin WHERE id IN ({none})")  # noqa: S608


def _tidy(connection: sqlite3.Connection) -> None:
    """Take what was deleted out of the index of words, and give the file's free end back."""
    for _ in range(_MERGES):
        before = connection.total_changes
        connection.execute("INSERT INTO words(words, rank) VALUES('merge', 500)")
        if connection.total_changes - before < 2:  # "The 'merge' Command" of SQLite's FTS5 guide
            break
    while connection.execute("PRAGMA freelist_count").fetchone()[0]:
        connection.execute(f"PRAGMA incremental_vacuum({_PAGES * 16})").fetchall()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

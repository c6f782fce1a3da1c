"""Delete the oldest lines, in slices, with their words and ids, and give the room back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.stories.store import blocks, reading
from clew.stories.store.batch import id_words
from clew.stories.store.facts import facts_of
from clew.stories.store.schema import in_one

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

#: Blocks that go in one transaction: it takes some milliseconds.
_SLICE = 32
_PAGES = 256
_MERGE = 500
_ORPHANS = 1_000
_BOLDNESS = 0.8
_NEVER = (1 << 63) - 1


def prune(
    connection: sqlite3.Connection, older_than: datetime | None, larger_than: int | None
) -> int:
    """Delete what is older, and then the oldest until the rest is small enough; how many lines.

    Lines go by the block, with the youngest of its up to 64 lines.
    """
    deleted = 0
    if older_than is not None:
        deleted += _delete_oldest(connection, reading.span(older_than, None)[0], None)
        if deleted:
            _tidy(connection)
    while larger_than is not None and (size := _size(connection)) > larger_than:
        (blocks_left,) = connection.execute("SELECT count(*) FROM block").fetchone()
        if not blocks_left:
            break
        # What the words of a line took is known when the index has been merged: so not at once.
        some = int(blocks_left * (1 - larger_than / size) * _BOLDNESS) + 1
        deleted += _delete_oldest(connection, _NEVER, some)
        _tidy(connection)
    return deleted


def _delete_oldest(connection: sqlite3.Connection, limit: int, most: int | None) -> int:
    """Delete blocks whose lines are all below an id, ``most`` of them; how many lines."""
    deleted = 0
    while most is None or most > 0:
        with in_one(connection):
            asked = "SELECT id, first, last, lines FROM block WHERE last < ? ORDER BY last LIMIT ?"
            count = _SLICE if most is None else min(most, _SLICE)
            chosen = connection.execute(asked, (limit, count)).fetchall()
            for block in chosen:
                deleted += _delete(connection, *block)
        if not chosen:
            break
        if most is not None:
            most -= len(chosen)
        connection.execute(f"PRAGMA incremental_vacuum({_PAGES})").fetchall()
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
    for line, place, _ in lines:
        connection.execute("DELETE FROM line WHERE id = ?", (line,))
        if place - lowest < len(texts):
            # From the same text come the same words: see `facts_of`.
            words = facts_of(texts[place - lowest]).words
            gone = "INSERT INTO words(words, rowid, text) VALUES('delete', ?, ?)"
            connection.execute(gone, (line, words))
    connection.execute("DELETE FROM block WHERE id = ?", (number,))
    for origin in {origin for _, _, origin in lines}:
        asked = "SELECT 1 FROM line WHERE origin = ? LIMIT 1"
        if connection.execute(asked, (origin,)).fetchone() is None:
            _forget(connection, origin)
    return len(lines)


def _forget(connection: sqlite3.Connection, origin: int) -> None:
    """Delete an origin and its ids."""
    row = connection.execute("SELECT ids FROM origin WHERE id = ?", (origin,)).fetchone()
    if row is not None:
        gone = "INSERT INTO ids(ids, rowid, text) VALUES('delete', ?, ?)"
        connection.execute(gone, (origin, id_words(row[0])))
        connection.execute("DELETE FROM origin WHERE id = ?", (origin,))


def _forget_orphans(connection: sqlite3.Connection) -> None:
    """Delete origins whose lines were there already when they came again, with their ids."""
    none = (
        "SELECT id FROM origin o WHERE NOT EXISTS (SELECT 1 FROM line WHERE origin = o.id) LIMIT ?"
    )
    while True:
        with in_one(connection):
            orphans = connection.execute(none, (_ORPHANS,)).fetchall()
            for (origin,) in orphans:
                _forget(connection, origin)
        if len(orphans) < _ORPHANS:
            break


def _tidy(connection: sqlite3.Connection) -> None:
    """Take what was deleted out of the index of words, and give the file's free end back."""
    _forget_orphans(connection)
    for index in ("words", "ids"):
        # "The 'merge' Command" of SQLite's FTS5 guide: a negative one begins to merge all into one.
        merge = f"INSERT INTO {index}({index}, rank) VALUES('merge', ?)"
        connection.execute(merge, (-_MERGE,))
        while True:
            before = connection.total_changes
            connection.execute(merge, (_MERGE,))
            if connection.total_changes - before < 2:
                break
    while connection.execute("PRAGMA freelist_count").fetchone()[0]:
        connection.execute(f"PRAGMA incremental_vacuum({_PAGES * 16})").fetchall()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

"""The tables, and how a file becomes a store of this version.

``line`` has a row of integers for each line. Its id is its time (ms since the epoch) with 20 bits
of a hash below, so that what is near in time is near on the disk, and a range of times is a range
of ids. ``mark`` is 63 more bits of that hash: the same line has the same id and mark.

Random ids in a tree would have every batch write to all of its pages. So they are words, each one
word, of an index like that of the texts, which is written in runs that are merged now and then.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from clew.stories.store.errors import StoreError, said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: "clew" in the file's header, where `file` and SQLite's own tools show it.
APPLICATION = 0x636C6577
VERSION = 1
PAGE = 16_384

#: Bits of a line's id below its time.
HASH_BITS = 20
_BUSY_S = 30.0

_TABLES = """
CREATE TABLE name(id INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE origin(
  id INTEGER PRIMARY KEY, function INTEGER, log_group INTEGER, version INTEGER, stream TEXT,
  ids TEXT);
CREATE TABLE line(id INTEGER PRIMARY KEY, mark INTEGER, origin INTEGER, place INTEGER,
  function INTEGER, level INTEGER, kind INTEGER);
CREATE INDEX line_origin ON line(origin);
CREATE INDEX line_bad ON line(level, id) WHERE level >= 30;
CREATE TABLE block(id INTEGER PRIMARY KEY, first INTEGER, last INTEGER, lines BLOB);
CREATE INDEX block_last ON block(last);
CREATE VIRTUAL TABLE ids USING fts5(
  text, content='', columnsize=0, detail=none, tokenize="ascii tokenchars '-_.:/=@+#$%&,~'");
CREATE VIRTUAL TABLE words USING fts5(
  text, content='', columnsize=0, detail=none, tokenize='unicode61 remove_diacritics 0');
INSERT INTO ids(ids, rank) VALUES('automerge', 8);
INSERT INTO ids(ids, rank) VALUES('crisismerge', 64);
INSERT INTO ids(ids, rank) VALUES('hashsize', 33554432);
INSERT INTO words(words, rank) VALUES('automerge', 8);
INSERT INTO words(words, rank) VALUES('crisismerge', 64);
INSERT INTO words(words, rank) VALUES('hashsize', 33554432);
"""

#: From the version before to the version that is the key.
_MIGRATIONS: dict[int, Callable[[sqlite3.Connection], None]] = {}


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that reads a store, whoever writes to it meanwhile."""
    if not path.is_file():
        message = f"There is no store at {path}; `clew store import` makes one."
        raise StoreError(message)
    with said(path, "be read"):
        try:
            return _checked(_connect(path, "mode=ro"), path)
        except sqlite3.OperationalError:
            # In a folder where nothing can be written, and nobody writes.
            if Path(f"{path}-wal").exists():
                raise
            return _checked(_connect(path, "mode=ro&immutable=1"), path)


def open_to_write(path: Path, *, durable: bool) -> sqlite3.Connection:
    """A connection that writes to a store, which is made if there is none."""
    if not path.parent.is_dir():
        message = f"There is no folder {path.parent} to make a store in; make it first."
        raise StoreError(message)
    with said(path, "be written"):
        connection = _connect(path, "mode=rwc")
        try:
            _make(connection, path)
            connection.execute("PRAGMA cache_size = -32768")
            connection.execute("PRAGMA wal_autocheckpoint = 2048")
            # NORMAL syncs at checkpoints: a power loss, though no kill, takes the last commits.
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        except BaseException:
            connection.close()
            raise
    return connection


def _connect(path: Path, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{how}",
        uri=True,
        timeout=_BUSY_S,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("PRAGMA cache_size = -65536")
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def _make(connection: sqlite3.Connection, path: Path) -> None:
    if not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        connection.execute(f"PRAGMA page_size = {PAGE}")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        with in_one(connection):
            # Whoever was first has made them.
            if not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
                for statement in _TABLES.split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION}")
                connection.execute(f"PRAGMA user_version = {VERSION}")
    _checked(connection, path)
    with in_one(connection):
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        for number in range(version + 1, VERSION + 1):
            _MIGRATIONS[number](connection)
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _checked(connection: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    try:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        _check(path, application, version)
    except BaseException:
        connection.close()
        raise
    return connection


def _check(path: Path, application: int, version: int) -> None:
    if application != APPLICATION:
        message = f"{path} is no store of log lines; name one, or a file that is not there yet."
        raise StoreError(message)
    if version > VERSION:
        message = (
            f"{path} was written by a newer clew (its version is {version}, this clew knows "
            f"{VERSION}); upgrade clew to use it."
        )
        raise StoreError(message)


@contextlib.contextmanager
def in_one(connection: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[None]:
    """One transaction: all of what is done in it, or nothing."""
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk ends it by itself
            connection.execute("ROLLBACK")
        raise

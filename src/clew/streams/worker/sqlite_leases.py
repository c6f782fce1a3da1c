"""Leases in an SQLite file, for workers of one host that share it."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clew.streams.worker.errors import LeaseLostError, LeaseStoreError, WorkerError
from clew.streams.worker.leases import Lease, Start

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_BUSY_S = 5.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS mapping (
    name TEXT PRIMARY KEY,
    identity TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lease (
    mapping TEXT NOT NULL,
    shard_id TEXT NOT NULL,
    start TEXT NOT NULL,
    start_at REAL NOT NULL,
    parents TEXT NOT NULL,
    begins TEXT NOT NULL,
    owner TEXT NOT NULL,
    token INTEGER NOT NULL,
    beat INTEGER NOT NULL,
    wanted_by TEXT NOT NULL,
    checkpoint TEXT NOT NULL,
    finished INTEGER NOT NULL,
    PRIMARY KEY (mapping, shard_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS worker (
    mapping TEXT NOT NULL,
    name TEXT NOT NULL,
    beat INTEGER NOT NULL,
    PRIMARY KEY (mapping, name)
) WITHOUT ROWID;
"""
_COLUMNS = (
    "shard_id, start, start_at, parents, begins, "
    "owner, token, beat, wanted_by, checkpoint, finished"
)
_TAKE = (
    "UPDATE lease SET owner = ?, token = token + 1, beat = beat + 1, wanted_by = '' "  # noqa: S608
    "WHERE mapping = ? AND shard_id = ? AND token = ? AND beat = ? AND NOT finished "
    f"RETURNING {_COLUMNS}"
)
_HELD = "mapping = ? AND shard_id = ? AND owner = ? AND token = ?"


class SqliteLeases:
    """A lease store in a file. Any number of processes may have it open.

    Args:
        path: The file; it is made if it is not there. ``":memory:"`` keeps nothing, for a single
            worker that is to begin anew each time.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = str(path)
        self._mapping = ""
        self._lock = threading.Lock()
        try:
            if self._path != ":memory:":
                Path(self._path).parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(
                self._path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            # A power cut may undo the last checkpoints, whose records then come again. A killed
            # process undoes nothing.
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise WorkerError(
                f"The lease store {self._path} cannot be used ({error}); name another file."
            ) from error

    def open(self, mapping: str, identity: str) -> None:
        """Begin with a mapping, or go on with it."""
        self._mapping = mapping
        with self._change() as database:
            database.execute("INSERT OR IGNORE INTO mapping VALUES (?, ?)", (mapping, identity))
            (kept,) = database.execute(
                "SELECT identity FROM mapping WHERE name = ?", (mapping,)
            ).fetchone()
        if kept != identity:
            raise WorkerError(
                f"The leases of {mapping} in {self._path} are of another stream ({kept}, not "
                f"{identity}); use another mapping name or another file."
            )

    def leases(self) -> list[Lease]:
        """Every lease, in the order of shard ids."""
        with self._change(begin=False) as database:
            rows = database.execute(
                f"SELECT {_COLUMNS} FROM lease WHERE mapping = ? ORDER BY shard_id",  # noqa: S608
                (self._mapping,),
            ).fetchall()
        return [_lease(row) for row in rows]

    def add(self, leases: Iterable[Lease], *, first: bool = False) -> None:
        """Add those whose shard is not known yet; with ``first``, only if there is none at all."""
        with self._change() as database:
            known = database.execute(
                "SELECT 1 FROM lease WHERE mapping = ? LIMIT 1", (self._mapping,)
            ).fetchone()
            if first and known:
                return
            database.executemany(
                f"INSERT OR IGNORE INTO lease (mapping, {_COLUMNS}) "  # noqa: S608
                f"VALUES ({', '.join('?' * 12)})",
                [(self._mapping, *_row(lease)) for lease in leases],
            )

    def take(self, lease: Lease, owner: str) -> Lease | None:
        """Hold a lease, if its token still is ``lease.token``."""
        with self._change() as database:
            rows = database.execute(
                _TAKE,
                (owner, self._mapping, lease.shard_id, lease.token, lease.beat),
            ).fetchall()
        return _lease(rows[0]) if rows else None

    def renew(self, lease: Lease) -> Lease:
        """Show that its owner lives."""
        with self._change() as database:
            rows = database.execute(
                f"UPDATE lease SET beat = beat + 1 WHERE {_HELD} RETURNING {_COLUMNS}",  # noqa: S608
                self._held(lease),
            ).fetchall()
        if not rows:
            raise _lost(lease)
        return _lease(rows[0])

    def ask(self, lease: Lease, worker: str) -> bool:
        """Ask the owner to hand it over."""
        return self._one(
            f"UPDATE lease SET wanted_by = ? WHERE {_HELD} AND wanted_by = ''",  # noqa: S608
            (worker, *self._held(lease)),
        )

    def checkpoint(self, lease: Lease, checkpoint: str, *, finished: bool = False) -> None:
        """Say how far it is."""
        written = self._one(
            f"UPDATE lease SET checkpoint = ?, finished = ? WHERE {_HELD}",  # noqa: S608
            (checkpoint, finished, *self._held(lease)),
        )
        if not written:
            raise _lost(lease)

    def release(self, lease: Lease) -> None:
        """Hold it no more."""
        self._one(f"UPDATE lease SET owner = '' WHERE {_HELD}", self._held(lease))  # noqa: S608

    def remake(self, lease: Lease, fresh: Lease) -> bool:
        """Put ``fresh`` in the place of a lease."""
        return self._one(
            "UPDATE lease SET start = ?, start_at = ?, parents = ?, begins = ?, owner = '', "
            "token = token + 1, wanted_by = '', checkpoint = ?, finished = 0 "
            "WHERE mapping = ? AND shard_id = ? AND token = ? AND begins = ?",
            (
                *_row(fresh)[1:5],
                fresh.checkpoint,
                self._mapping,
                lease.shard_id,
                lease.token,
                lease.begins,
            ),
        )

    def remove(self, lease: Lease) -> None:
        """Forget a lease that is finished."""
        self._one(
            "DELETE FROM lease WHERE mapping = ? AND shard_id = ? AND finished",
            (self._mapping, lease.shard_id),
        )

    def beat(self, worker: str) -> None:
        """Show that a worker lives."""
        self._one(
            "INSERT INTO worker VALUES (?, ?, 1) "
            "ON CONFLICT (mapping, name) DO UPDATE SET beat = beat + 1",
            (self._mapping, worker),
        )

    def workers(self) -> Sequence[tuple[str, int]]:
        """Every worker and the count of its beats."""
        with self._change(begin=False) as database:
            return database.execute(
                "SELECT name, beat FROM worker WHERE mapping = ? ORDER BY name", (self._mapping,)
            ).fetchall()

    def leave(self, worker: str) -> None:
        """Say that a worker is gone."""
        self._one("DELETE FROM worker WHERE mapping = ? AND name = ?", (self._mapping, worker))

    def close(self) -> None:
        """End the use of the store."""
        with self._lock:
            self._database.close()

    def _held(self, lease: Lease) -> tuple[Any, ...]:
        return (self._mapping, lease.shard_id, lease.owner, lease.token)

    def _one(self, statement: str, values: tuple[Any, ...]) -> bool:
        with self._change() as database:
            return database.execute(statement, values).rowcount > 0

    @contextmanager
    def _change(self, *, begin: bool = True) -> Iterator[sqlite3.Connection]:
        """One transaction, in which nothing of another process comes between."""
        with self._lock:
            try:
                if begin:
                    self._database.execute("BEGIN IMMEDIATE")
                yield self._database
                if begin:
                    self._database.execute("COMMIT")
            except sqlite3.Error as error:
                raise LeaseStoreError(f"The lease store {self._path} failed: {error}.") from error
            finally:
                self._roll_back()

    def _roll_back(self) -> None:
        try:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
        except sqlite3.Error:
            pass  # the connection was closed


def _row(lease: Lease) -> tuple[Any, ...]:
    return (
        lease.shard_id,
        lease.start.position,
        lease.start.at,
        json.dumps(lease.parents),
        lease.begins,
        lease.owner,
        lease.token,
        lease.beat,
        lease.wanted_by,
        lease.checkpoint,
        lease.finished,
    )


def _lease(row: tuple[Any, ...]) -> Lease:
    return Lease(
        shard_id=row[0],
        start=Start(row[1], row[2]),
        parents=tuple(json.loads(row[3])),
        begins=row[4],
        owner=row[5],
        token=row[6],
        beat=row[7],
        wanted_by=row[8],
        checkpoint=row[9],
        finished=bool(row[10]),
    )


def _lost(lease: Lease) -> LeaseLostError:
    return LeaseLostError(f"{lease.shard_id} is held by somebody else now (token {lease.token}).")

"""What was sent already, kept in a file: a run that is killed does not send it again."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from clew.dlq.errors import DlqError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

#: Longer than a queue keeps a message ("Amazon SQS message quotas": 14 days).
_KEPT_S = 15 * 86_400
_TABLE = """
CREATE TABLE IF NOT EXISTS parts (
    queue TEXT NOT NULL, message TEXT NOT NULL, part INTEGER NOT NULL,
    state TEXT NOT NULL, at REAL NOT NULL, target TEXT NOT NULL,
    PRIMARY KEY (queue, message, part)
) WITHOUT ROWID
"""
SENDING, SENT, UNSENT = "sending", "sent", "unsent"


def default_path() -> Path:
    """In ``$CLEW_STATE_DIR``, else in clew's folder of the user's state home."""
    if own := os.environ.get("CLEW_STATE_DIR"):
        return Path(own) / "redrive.db"
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "clew" / "redrive.db"


class Journal:
    """One file; several runs may use it at once. What it was told is on the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._said():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(path, timeout=30, isolation_level=None)
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.execute("PRAGMA synchronous=FULL")
            self._file.execute(_TABLE)
            self._file.execute("DELETE FROM parts WHERE at < ?", (time.time() - _KEPT_S,))

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def states(self, queue: str, message: str) -> dict[int, tuple[str, str]]:
        """What is known of a message's parts: state and target of each."""
        with self._said():
            rows = self._file.execute(
                "SELECT part, state, target FROM parts WHERE queue = ? AND message = ?",
                (queue, message),
            ).fetchall()
        return {part: (state, target) for part, state, target in rows}

    def note(self, queue: str, parts: Iterable[tuple[str, int, str]], state: str) -> None:
        """Keep the state of (message, part, target): all of them or none."""
        now = time.time()
        rows = [(queue, message, part, state, now, target) for message, part, target in parts]
        with self._said(), self._together():
            self._file.executemany("INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?)", rows)

    @contextmanager
    def _together(self) -> Iterator[None]:
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise DlqError(
                f"The journal {self.path} cannot be used: {error}; name another file with "
                "--journal."
            ) from error

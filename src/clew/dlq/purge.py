"""Throws letters away, after they are kept in a file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from clew.dlq.errors import DlqError
from clew.dlq.export import Export
from clew.dlq.letter import read_letter
from clew.dlq.look import readable
from clew.dlq.queue import Hold, Queue

if TYPE_CHECKING:
    from pathlib import Path

    import boto3

    from clew.dlq.filters import Filter
    from clew.dlq.message import Message

#: So many are received, kept and deleted together; only their receipts are in memory.
ROUND = 100_000


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge came to: ``kept`` in the file, ``deleted`` from the queue."""

    kept: int
    deleted: int
    problems: tuple[str, ...]


def purge(session: boto3.Session, queue: Queue, wanted: Filter, path: Path) -> Purged:
    """Delete the letters that are meant, each after it is safe in ``path``.

    Raises `DlqError` where the file cannot be written; what it does not have is then not deleted.
    """
    deleted = 0
    problems: list[str] = []
    with Hold(queue, renew=True) as hold, _opened(path) as export:
        while True:
            seen, meant = _keep(session, hold, wanted, export, deleted)
            told = hold.delete(meant)
            deleted += len(meant) - len(told)
            problems += told.values()
            # Behind what is gone now, a FIFO queue may show more of the same group.
            if not (seen >= ROUND or (queue.is_fifo and meant)):
                return Purged(export.count, deleted, tuple(problems))


def _opened(path: Path) -> Export:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("ab").close()
    except OSError as error:
        raise DlqError(f"{_nothing(0)}: {_cannot(path, error)}") from error
    return Export(path)


def _keep(
    session: boto3.Session, hold: Hold, wanted: Filter, export: Export, deleted: int
) -> tuple[int, list[Message]]:
    """Write those that are meant to the file, and wait until they are on the disk."""
    now = datetime.now(UTC)
    seen = 0
    meant: list[Message] = []
    try:
        for message in hold.messages(ROUND):
            seen += 1
            sent_at = message.sent_at
            if sent_at is not None and sent_at.timestamp() > hold.queue.found_at:
                continue  # nobody was asked about this one
            letter = read_letter(message)
            if wanted.search:
                letter = readable(session, letter)
            if wanted.means(letter, now):
                export.add([letter])
                meant.append(message.with_body(""))  # its receipt is enough
        export.sync()
    except OSError as error:
        raise DlqError(f"{_nothing(deleted)}: {_cannot(export.path, error)}") from error
    return seen, meant


def _nothing(deleted: int) -> str:
    return (
        f"After {deleted:,} that are kept, no more was deleted"
        if deleted
        else "Nothing was deleted"
    )


def _cannot(path: Path, error: OSError) -> str:
    return f"{path} cannot be written: {error.strerror or error}; name another with --export."

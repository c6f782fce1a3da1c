"""All letters of a queue, read and given back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from clew.dlq import hydrate
from clew.dlq.errors import DlqError
from clew.dlq.filters import Filter, exactly
from clew.dlq.letter import Letter, in_order, read_letter
from clew.dlq.queue import Hold, Queue

if TYPE_CHECKING:
    import boto3

#: SQS developer guide, "Amazon SQS message quotas": as many may be in flight of a standard queue.
MAX_MESSAGES = 120_000


@dataclass(frozen=True, slots=True)
class Look:
    """What was found in a queue."""

    queue: Queue
    #: Those that were meant, oldest first.
    letters: tuple[Letter, ...]
    #: How many messages were seen in all.
    seen: int

    @property
    def unseen(self) -> int:
        """How many more there are, by the queue's own count: others have them, or a group does."""
        return max(self.queue.visible + self.queue.hidden - self.seen, 0)


def look(session: boto3.Session, queue: Queue, wanted: Filter, *, most: int = MAX_MESSAGES) -> Look:
    """The letters that are meant. All messages are seen once, and can be received right after."""
    found: list[Letter] = []
    seen = 0
    now = datetime.now(UTC)
    with Hold(queue) as hold:
        for message in hold.messages(most):
            seen += 1
            letter = read_letter(message)
            if wanted.search:
                letter = readable(session, letter)
            if wanted.means(letter, now):
                found.append(letter)
    return Look(queue, tuple(in_order(found)), seen)


def readable(session: boto3.Session, letter: Letter) -> Letter:
    """The letter with its payload, where that can be had."""
    try:
        return hydrate.whole(session, letter)
    except DlqError:
        return letter


def find_one(session: boto3.Session, queue: Queue, name: str) -> Letter:
    """The letter of that id. Raises `DlqError` where there is none, or several."""
    found = exactly(look(session, queue, Filter(id=name)).letters, name)
    if not found:
        raise DlqError(
            f"The queue {queue.name} has no letter {name}; clew dlq list {queue.name} shows which "
            "there are (a message that somebody else has in hand cannot be seen)."
        )
    if len(found) > 1:
        some = ", ".join(letter.id for letter in found[:5]) + (", …" if len(found) > 5 else "")
        raise DlqError(f"{len(found)} letters are called {name}; name one of them: {some}.")
    return found[0]

"""Sends letters back, and deletes them when they are sent: in this order, whatever happens."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from clew.dlq import hydrate
from clew.dlq.errors import DlqError
from clew.dlq.journal import SENDING, SENT, UNSENT, Journal
from clew.dlq.letter import Letter, in_order, read_letter
from clew.dlq.look import readable
from clew.dlq.parts import QUEUE, Part, ToFunction, ToQueue, ToStream, ToTopic, Where, parts_of
from clew.dlq.queue import Hold, Queue
from clew.dlq.send import Pace, Sender
from clew.errors import ClewError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import boto3

    from clew.dlq.filters import Filter

#: So many messages are put in order at once, which have to be in memory.
ROUND = 10_000
#: Letters that are sent, noted and deleted together: so many may come twice after a crash.
TOGETHER = 50


@dataclass(slots=True)
class Result:
    """What a redrive came to."""

    #: How many letters went to each target.
    sent: Counter[str] = field(default_factory=Counter)
    #: Of these an earlier run had sent them, and had not come to delete them.
    sent_before: int = 0
    #: An earlier run ended while it sent them; they may have arrived twice.
    maybe_twice: int = 0
    #: How many messages were seen, whether they were meant or not.
    seen: int = 0
    #: The letters that stay, each with the reason.
    failed: list[tuple[Letter, str]] = field(default_factory=list)

    @property
    def done(self) -> int:
        """How many letters are out of the queue."""
        return sum(self.sent.values()) + self.sent_before


class Redrive:
    """One run over a queue."""

    def __init__(
        self,
        session: boto3.Session,
        queue: Queue,
        wanted: Filter,
        where: Where,
        journal: Journal,
        *,
        per_second: float | None = None,
        limit: int | None = None,
        on_progress: Callable[[Result, int], object] | None = None,
    ) -> None:
        self._session = session
        self._queue = queue
        self._wanted = wanted
        self._where = where
        self._journal = journal
        self._pace = Pace(per_second)
        self._limit = limit
        self._sender = Sender(session)
        self._on_progress = on_progress
        self._known = 0
        self._broken: DlqError | None = None
        self.result = Result()

    def run(self) -> Result:
        """Send and delete until the queue shows no more that are meant and were there before."""
        with Hold(self._queue, renew=True) as hold:
            while True:
                seen, letters = self._round(hold)
                self._known += len(letters)
                self.result.seen += seen
                before = self.result.done
                for group in self._groups(letters):
                    self._send(hold, group)
                # Behind what is gone now, a FIFO queue may show more of the same group.
                more = self._queue.is_fifo and self.result.done > before
                if self._is_enough() or not (more or seen >= ROUND):
                    return self.result

    def _round(self, hold: Hold) -> tuple[int, list[Letter]]:
        now = datetime.now(UTC)
        seen = 0
        found: list[Letter] = []
        for message in hold.messages(ROUND):
            seen += 1
            sent_at = message.sent_at
            if sent_at is not None and sent_at.timestamp() > self._queue.found_at:
                continue  # it may be one of those that were just sent, and failed again
            letter = read_letter(message)
            if self._wanted.search:
                letter = readable(self._session, letter)
            if self._wanted.means(letter, now):
                found.append(letter)
        return seen, in_order(found)

    def _is_enough(self) -> bool:
        return self._limit is not None and self._count >= self._limit

    @property
    def _count(self) -> int:
        return self.result.done + len(self.result.failed)

    def _groups(self, letters: list[Letter]) -> Iterator[list[Letter]]:
        if self._limit is not None:
            letters = letters[: max(self._limit - self._count, 0)]
        size = self._pace.at_once(TOGETHER)
        for start in range(0, len(letters), size):
            yield letters[start : start + size]

    def _send(self, hold: Hold, letters: list[Letter]) -> None:
        """Send these, note it, delete them."""
        out: dict[str, Letter] = {}
        pending: list[tuple[Letter, int, Part]] = []
        for letter in letters:
            try:
                left = self._left(letter)
            except ClewError as error:
                self.result.failed.append((letter, str(error)))
                continue
            out[letter.message.id] = letter
            pending += left
            if not left:
                self.result.sent_before += 1
        before = {letter.message.id for letter in out.values()} - {
            letter.message.id for letter, _, _ in pending
        }
        self._pace.wait(len(out) - len(before))
        problems = self._send_parts(pending)
        done = [letter for name, letter in out.items() if name not in problems]
        for name, problem in problems.items():
            self.result.failed.append((out[name], problem))
        kept = hold.delete(letter.message for letter in done)
        targets = {letter.message.id: target(part) for letter, _, part in pending}
        for letter in done:
            name = letter.message.id
            if name in kept:
                problem = f"it was sent, and could not be deleted ({kept[name]}); run this again"
                self.result.failed.append((letter, problem))
            elif name not in before:
                self.result.sent[targets[name]] += 1
        if self._broken is not None:
            raise self._broken
        if self._on_progress is not None:
            self._on_progress(self.result, self._known)

    def _left(self, letter: Letter) -> list[tuple[Letter, int, Part]]:
        """The parts of a letter that were not sent yet."""
        known = self._journal.states(self._queue.arn, letter.message.id)
        states = {state for state, _ in known.values()}
        if states == {SENT}:
            return []
        letter = hydrate.whole(self._session, letter)
        parts = parts_of(letter, self._where, self._records(letter))
        if SENDING in states:
            self.result.maybe_twice += 1
        pending = [(letter, index, part) for index, part in enumerate(parts)]
        # What went in part to one place may now go to another one, and then all of it.
        return [one for one in pending if known.get(one[1]) != (SENT, target(one[2]))] or pending

    def _records(self, letter: Letter) -> list[dict[str, object]]:
        if self._where.to == QUEUE and self._where.queue:
            return []
        return hydrate.records(self._session, letter)

    def _send_parts(self, pending: list[tuple[Letter, int, Part]]) -> dict[str, str]:
        """Why letters were not sent, by message id."""
        rows = [(letter.message.id, index, target(part)) for letter, index, part in pending]
        self._journal.note(self._queue.arn, rows, SENDING)
        told = self._sender.send([part for _, _, part in pending])
        sent = [row for row, problem in zip(rows, told, strict=True) if not problem]
        unsent = [row for row, problem in zip(rows, told, strict=True) if problem]
        try:
            self._journal.note(self._queue.arn, sent, SENT)
            self._journal.note(self._queue.arn, unsent, UNSENT)
        except DlqError as error:  # what is deleted needs no journal; and then it is over
            self._broken = error
        return {
            row[0]: problem for row, problem in reversed([*zip(rows, told, strict=True)]) if problem
        }


def target(part: Part) -> str:
    """Where a part goes, for people."""
    from clew.stories.naming import short_target

    if isinstance(part, ToStream):
        return f"the Kinesis stream {short_target(part.stream)}"
    if isinstance(part, ToQueue):
        return f"the queue {short_target(part.queue)}"
    if isinstance(part, ToTopic):
        return f"the topic {short_target(part.topic)}"
    assert isinstance(part, ToFunction)  # noqa: S101
    return f"the function {short_target(part.function)}"


def rehearse(session: boto3.Session, letter: Letter, where: Where) -> tuple[str, str]:
    """Where a letter would go, or why it could not."""
    try:
        letter = hydrate.whole(session, letter)
        needs = not (where.to == QUEUE and where.queue)
        found = parts_of(letter, where, hydrate.records(session, letter) if needs else [])
    except ClewError as error:
        return "", str(error)
    return target(found[0]), ""

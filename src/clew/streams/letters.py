"""The dead letters of one invocation: collected, so that a queue gets them in batches."""

from __future__ import annotations

from _thread import allocate_lock
from time import perf_counter as clock
from time import time as now

from clew.streams import outbox
from clew.streams.envelope import seal
from clew.streams.failure import RecordFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable

    from clew.capture import Record
    from clew.invocation import Invocation
    from clew.streams.deadline import Deadline
    from clew.streams.envelope import Envelope
    from clew.streams.policy import DeadLetter, Policy

_NO_TIME = "there was no answer while there was time for one"


class Waiting:
    """A record whose letter is not written yet."""

    __slots__ = ("error", "key", "letter", "record")

    def __init__(
        self, record: Record, error: BaseException, key: Hashable, letter: outbox.Letter
    ) -> None:
        self.record = record
        self.error = error
        self.key = key
        self.letter = letter


class Written:
    """What became of a `Waiting`: ``problem`` is why it was not written, or ""."""

    __slots__ = ("policy", "problem", "waiting")

    def __init__(self, waiting: Waiting, policy: DeadLetter, problem: str) -> None:
        self.waiting = waiting
        self.policy = policy
        self.problem = problem


class Letters:
    """Those of one invocation. Several threads may use it at once."""

    __slots__ = ("_lock", "_size", "_waiting", "keys")

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._waiting: list[tuple[DeadLetter, Waiting]] = []
        self._size = 0
        #: The order keys of records that wait: whoever runs such a key next has to write first.
        self.keys: set[Hashable] = set()

    def add(
        self, policy: DeadLetter, waiting: Waiting, *, at_once: bool
    ) -> list[tuple[DeadLetter, Waiting]]:
        """Keep one, or take all out to be written: ``at_once``, or when there are enough.

        In one step, so that of two threads only one writes a letter, and knows what became of it.
        """
        with self._lock:
            self._waiting.append((policy, waiting))
            self._size += waiting.letter.size()
            self.keys.add(waiting.key)
            enough = len(self._waiting) >= outbox.MAX_ENTRIES or self._size >= outbox.EVERY_MESSAGE
            return self._take() if at_once or enough else []

    def take(self) -> list[tuple[DeadLetter, Waiting]]:
        """Take all out to be written."""
        with self._lock:
            return self._take()

    def _take(self) -> list[tuple[DeadLetter, Waiting]]:
        taken, self._waiting = self._waiting, []
        self._size = 0
        self.keys = set()
        return taken


def write_in_time(taken: list[tuple[DeadLetter, Waiting]], deadline: Deadline) -> list[Written]:
    """`write_all`, but for no longer than there is time to report what became of the others.

    A target that does not answer would else end the function, and all records would come again. A
    letter that is given up may still be written, and its record comes again: it is never lost.
    """
    left_s = deadline.write_by - clock()
    if left_s == float("inf"):
        return write_all(taken)
    done: list[Written] = []
    if left_s > 0:
        import threading
        from contextvars import copy_context

        thread = threading.Thread(
            target=copy_context().run,
            args=(lambda: done.extend(write_all(taken)),),
            name="clew-letters",
            daemon=True,
        )
        try:
            thread.start()
        except RuntimeError:  # the system has no more
            return write_all(taken)
        thread.join(left_s)
    return [*done] or [Written(one, policy, _NO_TIME) for policy, one in taken]


def write_all(taken: list[tuple[DeadLetter, Waiting]]) -> list[Written]:
    """Write these, each target's together."""
    by_policy: dict[DeadLetter, list[Waiting]] = {}
    for policy, waiting in taken:
        by_policy.setdefault(policy, []).append(waiting)
    done: list[Written] = []
    for policy, group in by_policy.items():
        problems = outbox.write(policy, [one.letter for one in group])
        done += [Written(one, policy, why) for one, why in zip(group, problems, strict=True)]
    return done


def letter_for(
    record: Record,
    source: str,
    error: BaseException,
    *,
    key: Hashable,
    invocation: Invocation,
    policy: Policy,
    began: float,
    previous: Envelope | None = None,
) -> Waiting:
    """Seal ``record`` into a letter. ``began`` is when its first attempt did, by the clock."""
    at = now()
    envelope = seal(
        record,
        source,
        error,
        invocation=invocation,
        policy=policy,
        first_at=at - max(clock() - began, 0.0),
        last_at=at,
        previous=previous,
    )
    return Waiting(record, error, key, outbox.Letter(envelope, record.correlation, _group(key)))


def _group(key: Hashable) -> str:
    """What a FIFO queue keeps in order: 1 to 128 characters ("Amazon SQS message quotas")."""
    from hashlib import sha256

    text = key if isinstance(key, str) else repr(key)
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def not_written(written: Written) -> Exception:
    """Why a record is returned whose letter could not be written."""
    return RecordFailed(
        f"its dead letter could not be written to {written.policy.target}: {written.problem}"
    )

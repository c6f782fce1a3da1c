"""The records of one invocation on their way to an outcome each."""

from __future__ import annotations

from _thread import allocate_lock

from clew.handlers.run import say
from clew.log.internal import failed
from clew.streams import told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence
    from typing import Any

    from clew.capture import Record
    from clew.errors import LoopDetected
    from clew.invocation import Invocation
    from clew.streams.deadline import Deadline
    from clew.streams.envelope import Envelope
    from clew.streams.letters import Letters, Written
    from clew.streams.plan import Plan
    from clew.streams.sources import Source

#: Outcomes after which nothing more happens to a record.
FINAL = frozenset(("done", "skipped", "dead-lettered", "returned"))


class Mail:
    """Records that came in dead letters: the message and the envelope of each.

    ``problems`` are of messages that could not be opened, which are records themselves then.
    """

    __slots__ = ("envelopes", "messages", "problems")

    def __init__(self) -> None:
        self.messages: dict[Record, Record] = {}
        self.envelopes: dict[Record, Envelope] = {}
        self.problems: dict[Record, Exception] = {}


class Batch:
    """One invocation's records and what is known of them so far.

    Lanes work on it at once: an outcome is set under a lock, and none after it is closed.
    """

    __slots__ = (
        "_lock",
        "_said",
        "closed",
        "deadline",
        "error",
        "errors",
        "invocation",
        "late",
        "later",
        "letters",
        "loops",
        "mail",
        "plan",
        "records",
        "repeats",
        "report",
        "result",
        "retries",
        "source",
        "stopped",
        "todo",
        "why",
    )

    def __init__(
        self,
        plan: Plan,
        source: Source,
        records: Sequence[Record],
        invocation: Invocation,
        *,
        deadline: Deadline,
        mail: Mail | None = None,
    ) -> None:
        self.plan = plan
        self.source = source
        self.report = plan.report and source.reports
        self.records = records
        self.invocation = invocation
        self.deadline = deadline
        #: The dead letters that the records came in, where they did.
        self.mail = mail
        #: What was delivered in a circle of functions that send to each other: it is not run.
        self.loops: Mapping[Record, LoopDetected] = {}
        #: The dead letters that wait to be written; None before the first one.
        self.letters: Letters | None = None
        #: Why records are returned, of those that failed.
        self.errors: dict[Record, BaseException] = {}
        #: Messages that stay hidden in their queue, and for how many seconds.
        self.later: list[tuple[Record, float]] = []
        self.retries = 0
        #: Records that were done before, and were not run again.
        self.repeats = 0
        #: What it raised where there was no record to blame.
        self.error: Exception | None = None
        #: What a function that takes whole batches returned.
        self.result: Any = None
        #: Why records are left over that were not run, or "".
        self.why = ""
        #: The scopes of records that are returned, where they run one at a time.
        self.stopped: set[Hashable] = set()
        #: Of a function that takes whole batches, the records of its next call.
        self.todo: list[Record] = []
        #: Whether what still runs is being cancelled.
        self.late = False
        self.closed = False
        #: The errors that were logged for records that are returned; `errors` keeps them alive.
        self._said: set[int] = set()
        self._lock = allocate_lock()

    def envelope_of(self, record: Record) -> Envelope | None:
        """The envelope that a record came out of, if it did."""
        return self.mail.envelopes.get(record) if self.mail is not None else None

    def message_of(self, record: Record) -> Any:
        """What the event source delivered: the record, or the message that it came in."""
        return self.mail.messages[record] if self.mail is not None else record

    def end(self, record: Record, outcome: str, error: BaseException | None = None) -> None:
        """Say what became of a record, unless that was reported already."""
        with self._lock:
            if self.closed:
                return
            record.outcome = outcome
            if error is not None:
                record.error = say(error)
                if outcome == "returned":
                    self.errors[record] = error

    def reopen(self, record: Record) -> None:
        """Let a record be tried again, unless it was reported already."""
        with self._lock:
            if not self.closed:
                record.outcome = "pending"

    def give_back(self, record: Record, error: BaseException) -> None:
        """Return a record that failed to its source, and log why, unless it will be raised."""
        self.end(record, "returned", error)
        if self.report and id(error) not in self._said:  # one may be a whole batch's
            self._said.add(id(error))
            told.given_up(record, self.invocation, error, "record returned")

    def collect_letters(self) -> Letters:
        """The dead letters of this batch, made when there is a first one."""
        with self._lock:
            if self.letters is None:
                from clew.streams.letters import Letters

                self.letters = Letters()
            return self.letters

    def letter_waits(self) -> bool:
        """Whether a dead letter waits to be written."""
        return self.letters is not None and bool(self.letters.keys)

    def settle_letters(self, written: list[Written]) -> list[Record]:
        """Note what became of letters: the records whose letters were not written."""
        from clew.streams.letters import not_written

        lost = []
        for one in written:
            record, error = one.waiting.record, one.waiting.error
            if one.problem:
                self.errors[record] = error
                problem = not_written(one)
                self.end(record, "returned", problem)
                told.given_up(record, self.invocation, error, "record returned", why=str(problem))
                lost.append(record)
                self.stopped.add(self.source.scope(record))
            else:
                self.end(record, "dead-lettered", error)
                told.given_up(
                    record,
                    self.invocation,
                    error,
                    "record dead-lettered",
                    target=one.policy.target.written,
                    deadLetter=one.waiting.letter.envelope.id,
                )
        return lost

    def close(self, *, fatal: bool = False) -> list[Record]:
        """No outcome is set after this. The records that are returned, in their order.

        ``fatal`` is where something that ends a process came out of the function: the record that
        it was keeps its outcome.
        """
        with self._lock:
            self.closed = True
            returned = []
            for record in self.records:
                if record.outcome not in FINAL and not (fatal and record.outcome == "failed"):
                    record.outcome = "returned"
                if record.outcome == "returned":
                    returned.append(record)
        left = sum(record not in self.errors for record in returned)
        if left and self.why:
            told.left_over(left, len(self.records), self.why)
        return returned


def engine_failed(doing: str, batch: Batch, record: Record, error: Exception) -> None:
    """A failure of clew's own: the record is returned, which loses nothing."""
    failed(doing)
    batch.end(record, "returned", error)

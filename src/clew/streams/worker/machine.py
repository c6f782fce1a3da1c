"""What a mapping does next: the decisions of one lane of one shard, as pure functions.

A lane is what runs in order: a shard, or with a parallelization factor the part of it whose keys
share a hash. Records are taken into a lane, `decide` says what to do, and `settle` and
`discarded` say what came of it. Nothing here waits, reads or sends.

The rules are those of the Lambda developer guide: "Retain discarded batch records for a Kinesis
Data Streams event source in Lambda", "Configuring partial batch response with Kinesis Data
Streams and Lambda", "Implementing stateful Kinesis Data Streams processing in Lambda" and "How
Lambda processes records from stream and queue-based event sources". Where they leave something
open, the comments say what was chosen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from clew.streams.worker.outcome import Failed, NotInvoked, Outcome, Partial, Succeeded
from clew.streams.worker.windows import (
    MAX_STATE_BYTES,
    Window,
    belongs,
    is_over,
    opened,
    state_bytes,
)

if TYPE_CHECKING:
    from clew.streams.worker.clock import Instant
    from clew.streams.worker.options import WorkerOptions
    from clew.streams.worker.records import StreamRecord
    from clew.streams.worker.settings import MappingSettings

    Records = tuple[StreamRecord, ...]

# "the batch reaches the payload limit of 6 MB"; what stands around the records is in it too.
PAYLOAD_BYTES = 6 * 1024 * 1024 - 64 * 1024

RETRIES_EXHAUSTED = "RetryAttemptsExhausted"
TOO_OLD = "RecordAgeExceeded"


@dataclass(frozen=True, slots=True)
class Rules:
    """What of the settings and options the decisions hang on."""

    batch_size: int = 100
    batching_window_s: float = 0.0
    bisect: bool = False
    retries: int = -1
    max_age_s: float = -1.0
    window_s: int = 0
    window_idle_s: float = 120.0
    backoff_first_s: float = 0.5
    backoff_most_s: float = 30.0
    payload_bytes: int = PAYLOAD_BYTES

    @classmethod
    def of(cls, settings: MappingSettings, options: WorkerOptions) -> Rules:
        """The rules of a mapping."""
        return cls(
            batch_size=settings.batch_size,
            batching_window_s=settings.batching_window_s,
            bisect=settings.bisect_on_error,
            retries=settings.maximum_retry_attempts,
            max_age_s=settings.maximum_record_age_s,
            window_s=settings.tumbling_window_s,
            window_idle_s=options.window_idle_s,
            backoff_first_s=options.backoff_first_s,
            backoff_most_s=options.backoff_most_s,
        )


@dataclass(frozen=True, slots=True)
class Piece:
    """A batch, or what is left of one after a split or a partial answer."""

    records: Records
    #: Retries that count.
    retries: int = 0
    #: How often it reached the function.
    invocations: int = 0
    #: Failures in a row in which nothing got done, for the wait before the next one.
    stuck: int = 0
    not_before: float = 0.0
    exhausted: bool = False


@dataclass(frozen=True, slots=True)
class Lane:
    """All that is known of a lane."""

    #: Read and not yet in a batch.
    waiting: Records = ()
    #: When the first of those came, on the steady clock, as are all waits.
    waiting_since: float = 0.0
    #: What is left of the batch that is under way, in order.
    pieces: tuple[Piece, ...] = ()
    #: The last record that is done, and when the stream took it.
    done: str | None = None
    done_arrived: float = 0.0
    #: Everything up to here was read, and is done, waiting, in pieces or filtered out.
    read_to: str | None = None
    #: The shard gives no more.
    ended: bool = False
    window: Window | None = None

    @property
    def position(self) -> str | None:
        """Everything up to here is done with: where reading goes on after a restart."""
        return self.done if self.waiting or self.pieces else self.read_to

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do, ever."""
        return self.ended and not self.waiting and not self.pieces and self.window is None


@dataclass(frozen=True, slots=True)
class Invoke:
    """Give these records to the function."""

    records: Records
    #: The first invocation of these records is 1.
    attempt: int
    #: With a tumbling window, which one, with the state so far.
    window: Window | None = None
    #: The last invocation for the window; it has no records.
    final: bool = False


@dataclass(frozen=True, slots=True)
class Discard:
    """Tell the on-failure destination of these records, and go on after them."""

    records: Records
    condition: str
    invocations: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before this time, unless records come. Never, if None."""

    until: float | None


Action = Invoke | Discard | Wait


def take(lane: Lane, records: Records, read_to: str | None, now: Instant) -> Lane:
    """The lane with what was read added; ``read_to`` is the last that was read of the shard."""
    return replace(
        lane,
        waiting=lane.waiting + records,
        waiting_since=lane.waiting_since if lane.waiting else now.steady,
        read_to=read_to or lane.read_to,
    )


def end(lane: Lane) -> Lane:
    """The lane of a shard that gives no more."""
    return replace(lane, ended=True)


def decide(lane: Lane, rules: Rules, now: Instant) -> tuple[Lane, Action]:
    """What to do next. The lane that comes back is the one to go on with."""
    if not lane.pieces:
        if lane.window is not None and is_over(
            lane.window, lane.waiting, ended=lane.ended, wall=now.wall, idle_s=rules.window_idle_s
        ):
            return _final(lane, now)
        lane, due = _form(lane, rules, now)
        if not lane.pieces:
            return lane, Wait(due)
    piece = lane.pieces[0]
    if old := _too_old(piece.records, rules, now):
        return lane, Discard(piece.records[:old], TOO_OLD, max(1, piece.invocations))
    if piece.exhausted:
        return lane, Discard(piece.records, RETRIES_EXHAUSTED, piece.invocations)
    if piece.not_before > now.steady:
        return lane, Wait(_soonest(piece, rules, now))
    return lane, Invoke(piece.records, piece.invocations + 1, lane.window)


def settle(lane: Lane, rules: Rules, outcome: Outcome, now: Instant) -> Lane:
    """The lane after the invocation that `decide` asked for."""
    if not lane.pieces:
        return _settle_final(lane, rules, outcome, now)
    piece, rest = lane.pieces[0], lane.pieces[1:]
    invoked = replace(piece, invocations=piece.invocations + 1)
    match outcome:
        case Succeeded(state):
            return _keep(_done(lane, piece.records[-1], rest), state)
        case Partial(index, state) if index < len(piece.records):
            # Bisected at the returned number, the remaining records spend no retry; without
            # bisecting they are the same batch, tried again.
            remaining = replace(invoked, records=piece.records[index:], stuck=0)
            if not rules.bisect:
                remaining = _retry(remaining, rules, now)
            return _keep(_done(lane, piece.records[index - 1], (remaining, *rest)), state)
        case NotInvoked():
            return replace(lane, pieces=(_later(piece, rules, now), *rest))
    if rules.bisect and len(piece.records) > 1:
        # Also where the first record is the one that was returned: there is nothing to bisect
        # at, and halving still isolates it. "Splitting batches doesn't consume the retry quota."
        middle = len(piece.records) // 2
        halves = tuple(
            replace(invoked, records=half, stuck=0)
            for half in (piece.records[:middle], piece.records[middle:])
        )
        return replace(lane, pieces=(*halves, *rest))
    return replace(lane, pieces=(_retry(invoked, rules, now), *rest))


def discarded(lane: Lane, records: Records) -> Lane:
    """The lane after ``records`` were given up, which were the first of its first piece."""
    piece, rest = lane.pieces[0], lane.pieces[1:]
    remaining = piece.records[len(records) :]
    left = (replace(piece, records=remaining),) if remaining else ()
    return _done(lane, records[-1], left + rest)


def _done(lane: Lane, last: StreamRecord, pieces: tuple[Piece, ...]) -> Lane:
    return replace(lane, done=last.sequence, done_arrived=last.arrived, pieces=pieces)


def _form(lane: Lane, rules: Rules, now: Instant) -> tuple[Lane, float | None]:
    """Put waiting records into a batch if it is time; else say when it will be."""
    waiting = lane.waiting
    if not waiting:
        return lane, _steady(lane.window.end + rules.window_idle_s, now) if lane.window else None
    window = lane.window
    if rules.window_s and window is None:
        window = opened(waiting[0], rules.window_s)
    count, full = _measure(waiting, rules, window)
    due = lane.waiting_since + rules.batching_window_s
    if not full and not lane.ended and now.steady < due:
        if rules.max_age_s >= 0:  # the first may become too old while the others gather
            due = min(due, _steady(waiting[0].arrived + rules.max_age_s, now))
        if now.steady < due:
            return lane, due
    rest = waiting[count:]
    formed = replace(
        lane,
        waiting=rest,
        waiting_since=now.steady,
        pieces=(Piece(waiting[:count]),),
        window=window,
    )
    return formed, None


def _measure(waiting: Records, rules: Rules, window: Window | None) -> tuple[int, bool]:
    """How many records the next batch takes, and whether more could not be added."""
    most = min(len(waiting), rules.batch_size)
    # Almost every batch: small records, no window. One sum is all it takes.
    if window is None and sum(record.size for record in waiting[:most]) <= rules.payload_bytes:
        return most, most == rules.batch_size
    size = 0
    for count, record in enumerate(waiting[:most]):
        size += record.size
        # A record that is too large all by itself goes alone; the target says what it thinks.
        if count and (size > rules.payload_bytes or (window and not belongs(record, window))):
            return count, True
    return most, most == rules.batch_size


def _too_old(records: Records, rules: Rules, now: Instant) -> int:
    """How many of the first records are past the maximum age."""
    if rules.max_age_s < 0:
        return 0
    oldest = now.wall - rules.max_age_s
    for count, record in enumerate(records):
        if record.arrived > oldest:
            return count
    return len(records)


def _soonest(piece: Piece, rules: Rules, now: Instant) -> float:
    """When there is next something to do with a piece that waits."""
    if rules.max_age_s < 0:
        return piece.not_before
    return min(piece.not_before, _steady(piece.records[0].arrived + rules.max_age_s, now))


def _steady(wall: float, now: Instant) -> float:
    """A moment of the stream's clock on the steady one."""
    return now.steady + (wall - now.wall)


def _retry(piece: Piece, rules: Rules, now: Instant) -> Piece:
    """The piece after an attempt that counts."""
    if 0 <= rules.retries <= piece.retries:
        return replace(piece, exhausted=True)
    return _later(replace(piece, retries=piece.retries + 1), rules, now)


def _later(piece: Piece, rules: Rules, now: Instant) -> Piece:
    return replace(
        piece, stuck=piece.stuck + 1, not_before=now.steady + _backoff(piece.stuck, rules)
    )


def _backoff(stuck: int, rules: Rules) -> float:
    # Lambda's own is not documented.
    return min(rules.backoff_first_s * 2.0 ** min(stuck, 30), rules.backoff_most_s)


def _keep(lane: Lane, state: Any) -> Lane:
    """The lane with the state that the function returned for its window."""
    if lane.window is None:
        return lane
    early = state_bytes(state) > MAX_STATE_BYTES
    return replace(lane, window=replace(lane.window, state=state, terminated_early=early))


def _final(lane: Lane, now: Instant) -> tuple[Lane, Action]:
    assert lane.window is not None  # noqa: S101 - the caller looked
    if lane.window.not_before > now.steady:
        return lane, Wait(lane.window.not_before)
    return lane, Invoke((), lane.window.stuck + 1, lane.window, final=True)


def _settle_final(lane: Lane, rules: Rules, outcome: Outcome, now: Instant) -> Lane:
    """After the last invocation for a window.

    "If invocation is unsuccessful, your Lambda function suspends further processing until a
    successful invocation": there are no records to give up, so the limits do not apply.
    """
    window = lane.window
    if window is None or isinstance(outcome, Succeeded | Partial):
        return replace(lane, window=None)
    assert isinstance(outcome, Failed | NotInvoked)  # noqa: S101 - for the type checker
    not_before = now.steady + _backoff(window.stuck, rules)
    return replace(lane, window=replace(window, stuck=window.stuck + 1, not_before=not_before))

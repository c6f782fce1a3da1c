"""Runs one lane of a shard: does what the machine decides, one thing at a time."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from clew.streams.worker import events, machine
from clew.streams.worker.destinations import Destination, DestinationError, GivenUp
from clew.streams.worker.errors import LeaseLostError
from clew.streams.worker.events import WorkerEvent
from clew.streams.worker.machine import Discard, Invoke, Lane, Rules, Wait
from clew.streams.worker.outcome import Failed, NotInvoked, Outcome, Partial, Succeeded, read_answer
from clew.streams.worker.windows import describe

if TYPE_CHECKING:
    from clew.streams.worker.clock import Clock
    from clew.streams.worker.events import Observe
    from clew.streams.worker.options import WorkerOptions
    from clew.streams.worker.records import Shape, StreamRecord
    from clew.streams.worker.settings import MappingSettings
    from clew.streams.worker.targets import Answer, Target

_LOOK_AGAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every lane of a mapping works with."""

    settings: MappingSettings
    options: WorkerOptions
    rules: Rules
    shape: Shape
    target: Target
    destination: Destination | None
    clock: Clock
    observe: Observe


class Holder(Protocol):
    """The shard that a lane is of."""

    @property
    def shard_id(self) -> str:
        """The shard's id."""

    def check_held(self) -> None:
        """Raises `LeaseLostError` if the shard may be somebody else's by now."""

    def save(self) -> None:
        """Write down how far the lanes are. Raises `LeaseLostError`."""

    def note(self, event: WorkerEvent) -> None:
        """Something happened to the shard."""

    def handled(self, records: int, size: int, newest: float) -> None:
        """So many records are done with."""

    def ended(self, lane: LaneRunner, *, lost: bool) -> None:
        """The lane does nothing any more."""


class LaneRunner:
    """A lane and the thread that runs it."""

    def __init__(self, lane: Lane, holder: Holder, around: Surroundings) -> None:
        self._lane = lane
        self._holder = holder
        self._around = around
        self._changed = threading.Condition()
        self._stopping = False
        # What was done before in this lane while others lagged behind it.
        self._skip = int(lane.done) if lane.done else -1
        self._last: Answer | None = None

    @property
    def lane(self) -> Lane:
        """How far it is."""
        return self._lane

    def take(self, records: tuple[StreamRecord, ...], read_to: str | None) -> int:
        """Add records that were read; the bytes that are held for them."""
        if self._skip >= 0 and records:
            records = tuple(record for record in records if int(record.sequence) > self._skip)
            if records:
                self._skip = -1
        if self._skip >= 0 and read_to is not None and int(read_to) < self._skip:
            read_to = None  # the lane was further than that already
        now = self._around.clock.now()
        with self._changed:
            self._lane = machine.take(self._lane, records, read_to, now)
            self._changed.notify()
        return sum(record.size for record in records)

    def end(self) -> None:
        """The shard gives no more."""
        with self._changed:
            self._lane = machine.end(self._lane)
            self._changed.notify()

    def stop(self) -> None:
        """Do nothing more after what is under way."""
        with self._changed:
            self._stopping = True
            self._changed.notify()

    def run(self) -> None:
        """Do what there is to do, until the shard ends, the lane is stopped or the lease lost."""
        lost = False
        try:
            while (action := self._next()) is not None:
                self._holder.check_held()
                if isinstance(action, Invoke):
                    self._invoke(action)
                else:
                    self._discard(action)
        except LeaseLostError:
            lost = True
        finally:
            self._holder.ended(self, lost=lost)

    def _next(self) -> Invoke | Discard | None:
        """The next thing to do, once there is one; None at the end."""
        with self._changed:
            while True:
                if self._stopping or self._lane.finished:
                    return None
                now = self._around.clock.now()
                self._lane, action = machine.decide(self._lane, self._around.rules, now)
                if not isinstance(action, Wait):
                    return action
                timeout = None
                if action.until is not None:  # looked at again, as the stream's clock may be set
                    timeout = min(max(0.001, action.until - now.steady), _LOOK_AGAIN_S)
                self._changed.wait(timeout)

    def _invoke(self, action: Invoke) -> None:
        around = self._around
        records = action.records
        began = time.perf_counter()
        answer = around.target.invoke(self._event(action))
        ms = (time.perf_counter() - began) * 1000
        self._last = answer
        outcome = self._outcome(answer, records)
        before = self._lane.done
        with self._changed:
            self._lane = machine.settle(self._lane, around.rules, outcome, around.clock.now())
        self._tell(action, outcome, ms)
        if self._lane.done != before or not records:
            done = records[: outcome.index] if isinstance(outcome, Partial) else records
            self._finished(done)

    def _discard(self, action: Discard) -> None:
        around = self._around
        first, last = action.records[0], action.records[-1]
        if around.destination is not None and not self._deliver(around.destination, action):
            return
        with self._changed:
            self._lane = machine.discarded(self._lane, action.records)
        self._observe(
            events.DISCARDED,
            records=len(action.records),
            condition=action.condition,
            destination=around.destination.arn if around.destination else None,
            first=first.sequence,
            last=last.sequence,
        )
        self._finished(action.records)

    def _deliver(self, destination: Destination, action: Discard) -> bool:
        """Tell the destination, however long it takes; False if the lane is stopped before.

        Lambda counts a destination that fails and goes on. Here the records wait: they are in
        the stream still, and going on would lose them unseen.
        """
        around = self._around
        attempts = 0
        while True:
            given_up = GivenUp(
                self._holder.shard_id,
                action.records,
                action.condition,
                action.invocations,
                self._last,
                around.clock.now().wall,
            )
            try:
                destination.send(given_up, lambda: self._event(Invoke(action.records, 1)))
            except DestinationError as error:
                self._observe(events.DESTINATION_FAILED, error=str(error))
            else:
                return True
            delay = around.options.backoff_first_s * 2.0 ** min(attempts, 10)
            attempts += 1
            with self._changed:
                self._changed.wait_for(
                    lambda: self._stopping, min(delay, around.options.backoff_most_s)
                )
                if self._stopping:
                    return False
            self._holder.check_held()

    def _event(self, action: Invoke) -> dict[str, Any]:
        shape, shard_id = self._around.shape, self._holder.shard_id
        event: dict[str, Any] = {
            "Records": [shape.event(record, shard_id) for record in action.records]
        }
        if action.window is not None:
            event.update(describe(action.window, final=action.final))
            event["shardId"] = shard_id
            event["eventSourceARN"] = self._around.settings.source_arn
        return event

    def _outcome(self, answer: Answer, records: tuple[StreamRecord, ...]) -> Outcome:
        if not answer.invoked:
            return NotInvoked(answer.error)
        if answer.error:
            return Failed(answer.error, answer.function_error)
        if answer.value is None and not self._around.settings.tumbling_window_s:
            return Succeeded()  # nearly always, and numbers of records need not be looked at
        sequences = [record.sequence for record in records]
        return read_answer(answer.value, sequences, self._around.settings)

    def _finished(self, records: tuple[StreamRecord, ...]) -> None:
        if records:
            self._holder.handled(
                len(records), sum(record.size for record in records), records[-1].arrived
            )
        self._holder.save()

    def _tell(self, action: Invoke, outcome: Outcome, ms: float) -> None:
        count = len(action.records)
        common = {"records": count, "ms": round(ms, 1), "attempt": action.attempt}
        match outcome:
            case Succeeded():
                self._observe(events.BATCH, **common)
            case Partial(index):
                self._observe(events.FAILED, **common, error="a record failed", done=index)
            case NotInvoked(error):
                self._observe(events.NOT_INVOKED, **common, error=error)
            case Failed(error):
                self._observe(events.FAILED, **common, error=error, done=0)

    def _observe(self, kind: str, **fields: Any) -> None:
        self._holder.note(WorkerEvent(kind, self._holder.shard_id, fields))

"""Whatever comes in and whatever becomes of it: properties of a lane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from clew.streams.worker import machine
from clew.streams.worker.machine import Discard, Invoke, Lane, Rules, Wait
from clew.streams.worker.outcome import Failed, NotInvoked, Outcome, Partial, Succeeded

from .making import EPOCH, at, records

if TYPE_CHECKING:
    from clew.streams.worker.records import StreamRecord

FAILED = Failed("it failed")


class LaneMachine(RuleBasedStateMachine):
    """Whatever comes in and whatever becomes of it: nothing is lost, passed over or reordered."""

    @initialize(
        batch_size=st.integers(1, 8),
        window=st.sampled_from([0, 0, 3]),
        bisect=st.booleans(),
        retries=st.sampled_from([-1, 0, 1, 3]),
        max_age=st.sampled_from([-1, -1, 60]),
        tumbling=st.sampled_from([0, 0, 30]),
        payload=st.sampled_from([600, 2500, 10**6]),
    )
    def begin(
        self,
        batch_size: int,
        window: int,
        bisect: bool,
        retries: int,
        max_age: int,
        tumbling: int,
        payload: int,
    ) -> None:
        self.given_rules = Rules(
            batch_size=batch_size,
            batching_window_s=window,
            bisect=bisect,
            retries=retries,
            max_age_s=max_age,
            window_s=tumbling,
            payload_bytes=payload,
            backoff_first_s=1,
        )
        self.lane = Lane()
        self.now = 0.0
        self.count = 0
        # Records that are in the lane, in order; what left it, in order; failures that count
        # since the last success or split, by the first record of the batch.
        self.inside: list[StreamRecord] = []
        self.left: list[StreamRecord] = []
        self.counted: dict[str, int] = {}

    @rule(count=st.integers(0, 12), late=st.integers(0, 90), filtered=st.booleans())
    def read(self, count: int, late: int, filtered: bool) -> None:
        if self.lane.ended:
            return
        given = records(self.count + 1, count, arrived=EPOCH + self.now - late)
        self.count += count
        read_to = f"{self.count:030d}" if self.count else None
        if filtered and given:  # the last of the page did not pass the filter
            given = given[:-1]
        self.lane = machine.take(self.lane, given, read_to, at(self.now))
        self.inside += given

    @rule(seconds=st.floats(0, 100))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def end(self) -> None:
        self.lane = machine.end(self.lane)

    @rule(data=st.data())
    def act(self, data: st.DataObject) -> None:
        self.lane, action = machine.decide(self.lane, self.given_rules, at(self.now))
        if isinstance(action, Discard):
            self.give_up(action)
        elif isinstance(action, Invoke):
            self.invoke(action, data)

    def give_up(self, action: Discard) -> None:
        assert tuple(self.inside[: len(action.records)]) == action.records
        if action.condition == "RecordAgeExceeded":
            oldest = EPOCH + self.now - self.given_rules.max_age_s
            assert all(each.arrived <= oldest for each in action.records)
        else:
            assert self.given_rules.retries >= 0
            failures = self.counted[action.records[0].sequence]
            assert failures == self.given_rules.retries + 1
            if self.given_rules.bisect:
                assert len(action.records) == 1
        self.lane = machine.discarded(self.lane, action.records)
        self.gone(len(action.records))

    def invoke(self, action: Invoke, data: st.DataObject) -> None:
        given = action.records
        assert tuple(self.inside[: len(given)]) == given
        assert len(given) <= self.given_rules.batch_size
        assert len(given) < 2 or sum(each.size for each in given) <= self.given_rules.payload_bytes
        assert bool(given) != action.final
        if self.given_rules.window_s and given:
            assert action.window is not None
            assert all(each.arrived < action.window.end for each in given)
        kinds = ["done", "failed", "not invoked"] + ["partial"] * (len(given) > 1)
        kind = data.draw(st.sampled_from(kinds))
        outcome: Outcome
        first = given[0].sequence if given else ""
        match kind:
            case "done":
                outcome = Succeeded({})
                self.counted.pop(first, None)
            case "failed":
                outcome = FAILED
                if not (self.given_rules.bisect and len(given) > 1):
                    self.counted[first] = self.counted.get(first, 0) + 1
            case "not invoked":
                outcome = NotInvoked("throttled")
            case _:
                index = data.draw(st.integers(1, len(given) - 1))
                outcome = Partial(index, {})
                before = self.counted.pop(first, 0)
                self.counted[given[index].sequence] = before + (not self.given_rules.bisect)
        self.lane = machine.settle(self.lane, self.given_rules, outcome, at(self.now))
        if isinstance(outcome, Succeeded):
            self.gone(len(given))
        elif isinstance(outcome, Partial):
            self.gone(outcome.index)

    def gone(self, count: int) -> None:
        self.left += self.inside[:count]
        del self.inside[:count]

    @invariant()
    def nothing_is_lost_or_reordered(self) -> None:
        if not hasattr(self, "lane"):
            return
        held = [each for piece in self.lane.pieces for each in piece.records]
        assert held + list(self.lane.waiting) == self.inside

    @invariant()
    def the_position_passes_nothing_that_is_not_done(self) -> None:
        if not hasattr(self, "lane"):
            return
        position = int(self.lane.position or 0)
        if self.inside:
            assert position < int(self.inside[0].sequence)
        if self.left:
            assert position >= int(self.left[-1].sequence)

    @precondition(lambda self: hasattr(self, "lane"))
    @rule()
    def drain(self) -> None:
        """From wherever it is, a function that works gets everything, and the lane is finished."""
        lane, now, inside = machine.end(self.lane), self.now, list(self.inside)
        for _ in range(10_000):
            if lane.finished:
                break
            lane, action = machine.decide(lane, self.given_rules, at(now))
            match action:
                case Invoke(given):
                    lane = machine.settle(lane, self.given_rules, Succeeded({}), at(now))
                case Discard(given):
                    lane = machine.discarded(lane, given)
                case Wait(until):
                    assert until is not None
                    assert until > now - 1e-6
                    now, given = max(now, until), ()
            assert list(given) == inside[: len(given)]
            del inside[: len(given)]
        assert lane.finished
        assert not inside
        assert lane.position == lane.read_to


TestLane = LaneMachine.TestCase
TestLane.settings = settings(
    max_examples=150,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

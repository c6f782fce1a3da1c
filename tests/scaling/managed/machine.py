"""Whatever may happen to a managed stream, in any order: alarms, kills, hands and faults."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from .killer import Killed, killed_at
from .stage import Context, Stage, clients

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.localcloud import LocalCloud

KINDS = st.sampled_from(["bytes", "records", "refused", "iterator-age"])
BOUNDS = st.tuples(st.integers(1, 3), st.integers(3, 7))


class ScalingMachine(RuleBasedStateMachine):
    """The real functions on a real stream; only the clock is a test's own."""

    cloud: LocalCloud

    @initialize(
        shards=st.integers(1, 4),
        bounds=BOUNDS,
        method=st.sampled_from(["auto", "operations", "update-shard-count"]),
        shard_alarms=st.booleans(),
    )
    def begin(self, shards: int, bounds: tuple[int, int], method: str, shard_alarms: bool) -> None:
        self.way_out = ExitStack()
        patch = self.way_out.enter_context(pytest.MonkeyPatch.context())
        self.settings: dict[str, Any] = {
            "min_shards": bounds[0],
            "max_shards": bounds[1],
            "method": method,
            "shard_alarms": shard_alarms,
            "cool_down_s": 60,
            "down_over_s": 600,
            "down_every_s": 600,
        }
        self.on = Stage(self.cloud, shards, **self.settings).on(patch)
        self.way_out.callback(self.on.close)
        self.load = 0.0
        self.alarms: list[tuple[Any, Context]] = []

    @rule(load=st.floats(0.0, 6.0), refused=st.sampled_from([0.0, 0.0, 0.5]))
    def is_written_to(self, load: float, refused: float) -> None:
        self.load = load
        self.on.write(min(load, len(self.on.shards())), refused=refused)

    @rule(seconds=st.sampled_from([1, 45, 70, 130, 700, 4000]))
    def time_goes_on(self, seconds: int) -> None:
        self.on.clock.now += seconds

    @rule(kind=KINDS)
    def an_alarm_turns(self, kind: str) -> None:
        event, context = self.on.alarm(kind), Context()
        self.alarms.append((event, context))
        self._within_bounds(lambda: self.on.scale_up(event, context))

    @precondition(lambda self: self.alarms)
    @rule(data=st.data(), again=st.booleans())
    def an_alarm_comes_again(self, data: st.DataObject, again: bool) -> None:
        """Late, twice, out of order; or because Lambda tries the invocation again."""
        event, context = data.draw(st.sampled_from(self.alarms))
        self._within_bounds(lambda: self.on.scale_up(event, context if again else Context()))

    @rule()
    def the_schedule_comes(self) -> None:
        self._within_bounds(self.on.scale_down)

    @rule(number=st.integers(0, 14), after=st.booleans(), kind=KINDS, scheduled=st.booleans())
    def is_killed(self, number: int, after: bool, kind: str, scheduled: bool) -> None:
        event, context = self.on.alarm(kind), Context()
        self.alarms.append((event, context))

        def run() -> None:
            try:
                with killed_at(clients(self.cloud), number, after=after):
                    if scheduled:
                        self.on.scale_down(context)
                    else:
                        self.on.scale_up(event, context)
            except Killed:
                pass

        self._within_bounds(run)

    @rule(
        call=st.sampled_from(
            [
                ("kinesis", "SplitShard", "LimitExceededException"),
                ("kinesis", "ListShards", "LimitExceededException"),
                ("kinesis", "DescribeStreamSummary", "LimitExceededException"),
                ("cloudwatch", "PutMetricAlarm", "Throttling"),
                ("cloudwatch", "GetMetricData", "Throttling"),
            ]
        ),
        rate=st.sampled_from([0.3, 0.7]),
        kind=KINDS,
    )
    def calls_are_refused(self, call: tuple[str, str, str], rate: float, kind: str) -> None:
        service, operation, error = call
        with self.cloud.faults.during(service, operation, error=error, rate=rate, seed=1):
            self._within_bounds(lambda: self.on.scale_up(self.on.alarm(kind)))

    @rule(part=st.floats(0.1, 0.9), which=st.integers(0, 5))
    def somebody_splits(self, part: float, which: int) -> None:
        shards = self.on.shards().shards
        shard = shards[which % len(shards)]
        at = shard.start + max(1, int((shard.end - shard.start) * part))
        if len(shards) < 9 and shard.start < at < shard.end:
            self.on.kinesis.split_shard(
                StreamName=self.on.stream, ShardToSplit=shard.id, NewStartingHashKey=str(at)
            )

    @rule(which=st.integers(0, 5))
    def somebody_merges(self, which: int) -> None:
        shards = self.on.shards().shards
        if len(shards) > 1:
            at = which % (len(shards) - 1)
            self.on.kinesis.merge_shards(
                StreamName=self.on.stream,
                ShardToMerge=shards[at].id,
                AdjacentShardToMerge=shards[at + 1].id,
            )

    @rule(bounds=BOUNDS)
    def the_team_changes_its_mind(self, bounds: tuple[int, int]) -> None:
        self.settings |= {"min_shards": bounds[0], "max_shards": bounds[1]}
        self.on.manage(**self.settings)

    @invariant()
    def the_shards_are_a_partition(self) -> None:
        if hasattr(self, "on"):
            self.on.shards()

    def teardown(self) -> None:
        if not hasattr(self, "on"):
            return
        try:
            self._settle()
        finally:
            self.way_out.close()

    def _within_bounds(self, act: Callable[[], object]) -> None:
        """No action of the functions takes the stream out of its bounds, or further out."""
        before = len(self.on.shards())
        act()
        after = len(self.on.shards())
        low, high = self.on.settings.bounds
        assert min(low, before) <= after <= max(high, before)

    def _settle(self) -> None:
        """However it went, a few scheduled runs bring it to a valid state for its load."""
        on = self.on
        for _ in range(4):
            on.clock.now += 130
            on.write(min(self.load, len(on.shards())))
            on.scale_down()
        low, high = on.settings.bounds
        shards = len(on.shards())
        assert on.store.plan(on.stream) is None
        assert low <= shards <= high
        accepted = min(self.load, shards)
        assert accepted <= on.settings.alarm_at * shards + 1e-6 or shards == high
        assert on.thresholds() == on.wanted_thresholds()

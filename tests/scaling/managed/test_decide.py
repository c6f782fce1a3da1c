"""From what was measured to a plan: bounds, methods, words, and hot keys."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.scaling import KEY_SPACE, Load, ShardMap, Situation, fewest_operations
from clew.scaling.limits import Limits
from clew.scaling.managed.decide import Decision, decide, loaded_map, seen_of
from clew.scaling.managed.metrics import Measured, history, measure
from clew.scaling.managed.resume import Begun
from clew.scaling.managed.sample import Sample
from clew.scaling.managed.settings import ManagedStream
from clew.scaling.plan import Goal

if TYPE_CHECKING:
    from collections.abc import Callable

    from .stage import Stage

    Make = Callable[..., Stage]

LIMITS = Limits()
MIB = 1_048_576


def load(shards: float) -> Load:
    return Load(shards * MIB, shards * 500)


def measured(written: list[float], refused: float = 0.0, **more: Any) -> Measured:
    none = [Load()] * (len(written) - 1)
    return Measured(
        0.0, tuple(map(load, written)), (*none, Load(refused * MIB, refused * 500)), **more
    )


def decision(
    settings: ManagedStream, shards: ShardMap, found: Measured, *, up: bool = True, **more: Any
) -> Decision:
    at_s = 1_800_000_000.0
    last_s = at_s - (60 if up else 10 * 86_400)
    seen = seen_of(found, LIMITS, len(shards), at_s, last_up_s=last_s, last_down_s=last_s)
    return decide(settings, seen, shards, found, more.pop("situation", Situation()), **more)


@given(
    st.integers(1, 12),
    st.integers(1, 6),
    st.integers(6, 14),
    st.lists(st.floats(0, 30), min_size=20, max_size=20),
    st.floats(0, 5),
    st.booleans(),
    st.sampled_from(["auto", "operations", "update-shard-count"]),
)
def test_never_outside_the_bounds_and_always_enough(
    shards: int, low: int, high: int, written: list[float], refused: float, up: bool, method: str
) -> None:
    settings = ManagedStream("s", low, high, down_over_s=600, method=method)
    found = decision(settings, ShardMap.even(shards), measured(written, refused), up=up)
    after = shards if found.plan is None else found.plan.after
    assert low <= after <= high
    assert found.why
    asked = max(written[-5:])
    if shards <= high and up:
        assert after >= min(shards, high)
        assert asked <= 0.8 * after + 1e-6 or after == high


def test_the_method_is_the_settings_own(stage: Make) -> None:
    def method(of: str, **more: Any) -> str:
        settings = ManagedStream("s", 1, 100, method=of)
        found = decision(settings, ShardMap.even(10), measured([14.0] * 6), **more)
        assert found.plan is not None
        return found.plan.method

    assert method("operations") == "operations"
    assert method("update-shard-count") == "UpdateShardCount"
    spent = Situation(update_calls_left=0)
    assert method("update-shard-count", situation=spent) == "operations"


def test_going_down_leaves_calls_of_update_shard_count_for_going_up() -> None:
    settings = ManagedStream("s", 1, 100, method="update-shard-count", down_over_s=600)
    few = Situation(update_calls_left=4)
    found = decision(settings, ShardMap.even(10), measured([1.0] * 12), up=False, situation=few)
    assert found.plan is not None
    assert found.plan.method == "operations"


def test_one_hot_shard_is_split_where_its_load_is() -> None:
    shards = ShardMap.listed(
        [
            {
                "ShardId": f"{n}",
                "HashKeyRange": {
                    "StartingHashKey": str(n * KEY_SPACE // 4),
                    "EndingHashKey": str((n + 1) * KEY_SPACE // 4 - 1),
                },
                "SequenceNumberRange": {},
            }
            for n in range(4)
        ]
    )
    own = tuple((f"{n}", tuple([load(0.95 if n == 2 else 0.1)] * 6)) for n in range(4))
    found = decision(
        ManagedStream("s", 1, 8, shard_alarms=True), shards, measured([1.25] * 6, shards=own)
    )
    assert found.plan is not None
    assert found.uneven
    first, *rest = found.plan.operations
    assert (first.kind, first.start) == ("split", 2 * KEY_SPACE // 4)
    assert [one.kind for one in rest] == ["merge"]  # the others hold their load in fewer


def test_a_hot_key_is_named_and_not_split() -> None:
    shards = ShardMap.of_cuts([KEY_SPACE // 2])
    named = ShardMap(tuple(replace(one, id=f"{n}") for n, one in enumerate(shards.shards)))
    own = (("0", tuple([load(0.1)] * 6)), ("1", tuple([load(0.95)] * 6)))
    hot = KEY_SPACE // 2 + 999
    found = decision(
        ManagedStream("s", 1, 8, shard_alarms=True),
        named,
        measured([1.05] * 6, shards=own),
        sample=Sample(
            {hot: 950.0, **{KEY_SPACE // 2 + n * KEY_SPACE // 200: 1.0 for n in range(1, 50)}},
            {hot: '"customer-7"'},
        ),
    )
    assert found.plan is None
    assert f'The partition key "customer-7" (hash key {hot})' in found.why
    assert "splitting cannot help" in found.hot_keys[0]


@given(
    st.lists(st.integers(1, KEY_SPACE - 1), max_size=6, unique=True),
    st.lists(st.floats(0, 10), min_size=1, max_size=8),
    st.floats(0.1, 20),
)
def test_the_load_of_the_shards_is_that_of_the_stream(
    cuts: list[int], written: list[float], most: float
) -> None:
    found = loaded_map(ShardMap.of_cuts(sorted(cuts)), measured(written), LIMITS, 300, most)
    expected = min(max(written[-5:]), most)
    assert found.load.shards(LIMITS) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0.1, 30))
def test_a_plan_is_read_as_it_was_kept(before: int, after: int, asked: float) -> None:
    shards = ShardMap.even(before, load(asked))
    plan = fewest_operations(shards, Goal(0.75, after, max(after, 40)))
    begun = Begun("id", plan, "who", "why", plan.explain(), 1.5, shards.cuts, "event", 3, ("hot",))
    again = Begun.from_json(json.loads(json.dumps(begun.to_json())))
    assert again == replace(begun, plan=replace(plan, operations=(), utilisation=()))


def test_ten_thousand_boundaries_fit_in_an_item() -> None:
    cuts = tuple(range(10**35, 10**35 + 10_000))
    plan = replace(fewest_operations(ShardMap.even(1), Goal()), cuts=cuts)
    begun = Begun("id", plan, "who", "why", "words", 1.5, cuts)
    assert Begun.from_json(begun.to_json()).plan.cuts == cuts
    assert len(json.dumps(begun.to_json())) < 450_000


def test_minutes_are_put_where_they_belong(stage: Make) -> None:
    on = stage(1)
    on.clock.now += 1800
    on.write(0.5)
    on.write(1.0, refused=2, ago_s=120)
    found = measure(on.tools, on.stream, last_s=600, created_s=0)
    assert len(found.written) == 11
    assert [round(one.shards(LIMITS), 3) for one in found.written[-3:]] == [1.0, 0.0, 0.5]
    assert [one.records_per_s for one in found.refused[-3:]] == [2.0, 0.0, 0.0]
    assert found.refused[-3].bytes_per_s == pytest.approx(2 * MIB / 500)
    young = measure(on.tools, on.stream, last_s=600, created_s=on.clock.now - 180)
    assert len(young.written) == 4


def test_hundreds_of_shards_take_several_calls(stage: Make) -> None:
    on = stage(1)
    ids = [f"shardId-{number:012}" for number in range(200)]
    on.cloudwatch.put_metric_data(
        Namespace="AWS/Kinesis",
        MetricData=[
            {
                "MetricName": "IncomingBytes",
                "Dimensions": [
                    {"Name": "StreamName", "Value": on.stream},
                    {"Name": "ShardId", "Value": ids[-1]},
                ],
                "Timestamp": on.clock.now,
                "Value": 60.0,
            }
        ],
    )
    found = measure(on.tools, on.stream, last_s=600, created_s=0, shards=ids)
    assert len(found.shards) == 200
    assert found.shards[-1][1][-1].bytes_per_s == 1.0


def test_the_history_begins_where_something_was_written(stage: Make) -> None:
    on = stage(1)
    on.clock.now = time.time() // 300 * 300 + 3600
    on.write(2.0, ago_s=1500)
    start_s, asked = history(on.tools, on.stream, days=1, limits=LIMITS)
    assert start_s == on.clock.now - 1500
    assert asked == [pytest.approx(0.4), 0.0, 0.0, 0.0, 0.0]

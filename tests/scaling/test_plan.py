"""Plans on streams that a reader can check by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clew.scaling import (
    KEY_SPACE,
    Goal,
    Load,
    Prices,
    ScalingError,
    Shard,
    ShardMap,
    Situation,
    fewest_operations,
    remaining,
)

FULL = 1_048_576  # bytes/s that one shard takes


def even(count: int, each: float) -> ShardMap:
    """Shards of the same width, each that full."""
    return ShardMap.even(count, Load(count * each * FULL, count * each * 100))


def loaded(*each: float) -> ShardMap:
    return ShardMap.of_cuts(ShardMap.even(len(each)).cuts, [Load(load * FULL) for load in each])


def kinds(shards: ShardMap, goal: Goal) -> str:
    """The operations in order: s for a split, m for a merge."""
    return "".join(one.kind[0] for one in fewest_operations(shards, goal).operations)


def test_shards_within_the_target_are_left_alone() -> None:
    plan = fewest_operations(even(4, 0.7), Goal(0.75))
    assert plan.nothing_to_do
    assert plan.explain() == (
        "Leave the 4 shards as they are. The fullest shard is expected at 70%."
    )


def test_only_the_shard_that_is_too_full_is_split() -> None:
    plan = fewest_operations(loaded(0.2, 1.1, 0.3), Goal(0.75))
    assert [one.kind for one in plan.operations] == ["split"]
    assert plan.operations[0].at == KEY_SPACE // 2
    assert plan.utilisation == pytest.approx((0.2, 0.55, 0.55, 0.3))


def test_the_bytes_and_the_records_of_a_shard_both_have_to_fit() -> None:
    shards = ShardMap((Shard(0, KEY_SPACE, Load(0.5 * FULL, 1_600)),))
    assert fewest_operations(shards, Goal(0.8)).after == 2


def test_even_shards_that_are_all_too_full_are_doubled_in_the_fewest_operations() -> None:
    # From 4 to 5 even shards would take 4 splits and 3 merges.
    assert kinds(even(4, 0.9), Goal(0.75)) == "ssss"
    assert kinds(even(4, 0.9), Goal(0.75, at_most=5)) == "ssssmmm"


def test_five_of_four_even_shards_are_even() -> None:
    plan = fewest_operations(even(4, 0.9), Goal(0.75, at_most=5))
    assert plan.cuts == ShardMap.even(5).cuts
    assert plan.closed == 4 + 2 * 3


def test_three_of_four_need_two_merges_and_one_split_if_they_need_not_be_even() -> None:
    plan = fewest_operations(even(4, 0.5), Goal(0.75, at_most=3))
    assert len(plan.operations) == 3
    assert plan.utilisation == pytest.approx((0.75, 0.75, 0.5))


def test_the_emptiest_neighbours_are_merged() -> None:
    plan = fewest_operations(loaded(0.6, 0.1, 0.1, 0.5), Goal(0.75, at_most=3))
    assert plan.utilisation == pytest.approx((0.6, 0.2, 0.5))


def test_the_target_comes_before_a_wish_for_few_shards() -> None:
    plan = fewest_operations(even(4, 0.7), Goal(0.75, at_most=2))
    assert plan.after == 4
    assert plan.reaches_target


def test_the_maximum_comes_before_the_target() -> None:
    plan = fewest_operations(even(4, 0.9), Goal(0.75, max_shards=4))
    assert plan.after == 4
    assert not plan.reaches_target
    assert "The fullest shard stays at 90%, above the target of 75%." in plan.explain()


def test_below_the_maximum_a_hot_shard_gets_room_from_cold_ones() -> None:
    plan = fewest_operations(loaded(1.2, 0.1, 0.1, 0.2), Goal(0.75, max_shards=4))
    assert plan.after == 4
    assert plan.reaches_target
    assert [one.kind for one in plan.operations] == ["merge", "split"]  # never five


def test_a_stream_that_may_have_one_number_of_shards_only_is_not_changed() -> None:
    assert fewest_operations(loaded(1.2, 0.1), Goal(0.75, 2, 2)).nothing_to_do


def test_the_hottest_is_split_first() -> None:
    plan = fewest_operations(loaded(0.9, 1.4, 0.8), Goal(0.75))
    assert [one.start for one in plan.operations] == [
        KEY_SPACE // 3,
        0,
        KEY_SPACE * 2 // 3,
    ]


def test_the_minimum_splits_the_widest_of_a_stream_without_load() -> None:
    plan = fewest_operations(ShardMap.of_cuts([KEY_SPACE // 4]), Goal(0.75, min_shards=3))
    assert plan.cuts == (KEY_SPACE // 4, KEY_SPACE // 4 + KEY_SPACE * 3 // 8)


def test_a_hot_key_is_named_and_its_shard_left_alone() -> None:
    key = KEY_SPACE // 5
    shards = even(2, 0.9).with_samples({key: 95.0, KEY_SPACE // 3: 5.0})
    plan = fewest_operations(shards, Goal(0.75))
    (hot,) = plan.hot_keys
    assert (hot.hash_key, hot.certain) == (key, True)
    assert hot.utilisation == pytest.approx(0.9 * 0.95)
    assert all(one.start >= KEY_SPACE // 2 for one in plan.operations)
    assert "splitting cannot help" in plan.explain()
    assert plan.peak == pytest.approx(0.9)


def test_a_hot_key_can_be_put_alone_for_the_sake_of_its_neighbours() -> None:
    key = KEY_SPACE // 5
    keys = {key: 10.0} | {KEY_SPACE * n // 64: 0.1 for n in range(64)}
    shards = even(1, 1.5).with_samples(keys)
    plan = fewest_operations(shards, Goal(0.75, isolate_hot_keys=True))
    assert {key, key + 1} <= set(plan.cuts)
    assert sorted(plan.utilisation)[-2] < 0.75


def test_a_narrow_shard_that_is_still_too_full_is_taken_for_a_hot_key() -> None:
    narrow = KEY_SPACE // 1000
    shards = ShardMap.of_cuts([narrow], [Load(0.9 * FULL), Load(0.1 * FULL)])
    plan = fewest_operations(shards, Goal(0.75))
    assert plan.nothing_to_do
    assert [hot.certain for hot in plan.hot_keys] == [False]


def test_keys_that_are_heavy_but_fit_are_put_apart() -> None:
    keys = {KEY_SPACE * n // 8: weight for n, weight in enumerate([5, 1, 1, 5, 1, 1, 1, 1], 0)}
    plan = fewest_operations(even(1, 1.2).with_samples(keys), Goal(0.6))
    assert plan.reaches_target
    assert not plan.hot_keys


def test_a_plan_says_what_it_takes_and_costs() -> None:
    situation = Situation(prices=Prices(closed_shard_rate=1.0))
    plan = fewest_operations(even(4, 0.9), Goal(0.75), situation)
    assert plan.duration_s == 4 * situation.timing.operation_s
    assert plan.usd_once == pytest.approx(4 * 24 * 0.015)
    assert plan.usd_month - plan.usd_month_before == pytest.approx(4 * 730 * 0.015)
    assert plan.explain().startswith("From 4 shards to 8 by 4 splits, in 2 min.")
    assert "$1.44 once for the shards that it closes" in plan.explain()


def test_a_quota_that_is_nearly_used_up_is_kept_to() -> None:
    plan = fewest_operations(even(4, 0.9), Goal(0.75), Situation(account_shards_left=1))
    assert plan.after == 5
    assert plan.reaches_target


@pytest.mark.parametrize(
    ("goal", "says"),
    [
        ({"target": 0.0}, "target utilisation of 0.0"),
        ({"target": 1.2}, "target utilisation of 1.2"),
        ({"min_shards": 5, "max_shards": 4}, "minimum of 5 shards is not between 1 and the max"),
        ({"min_shards": 0}, "minimum of 0 shards"),
    ],
)
def test_a_goal_that_makes_no_sense_is_refused(goal: dict[str, float], says: str) -> None:
    with pytest.raises(ScalingError, match=says):
        Goal(**goal)  # type: ignore[arg-type]


@given(
    loads=st.lists(st.floats(0, 2), min_size=1, max_size=8),
    goal=st.builds(Goal, st.sampled_from([0.5, 0.75]), at_least=st.integers(1, 12)),
    done=st.floats(0, 1),
)
@settings(deadline=None)
def test_what_remains_of_a_plan_after_any_part_of_it_leads_to_the_same_shards(
    loads: list[float], goal: Goal, done: float
) -> None:
    shards = loaded(*loads)
    plan = fewest_operations(shards, goal)
    cuts = set(shards.cuts)
    first = round(done * len(plan.operations))
    for one in plan.operations[:first]:
        cuts ^= {one.at}
    rest = remaining(plan, ShardMap.of_cuts(sorted(cuts)))
    assert len(rest.operations) == len(plan.operations) - first
    for one in rest.operations:
        cuts ^= {one.at}
    assert tuple(sorted(cuts)) == plan.cuts
    assert remaining(plan, ShardMap.of_cuts(plan.cuts)).nothing_to_do


def test_five_thousand_shards_are_planned_for_without_a_search_through_all_sets() -> None:
    loads = [0.1 + (n * 7919 % 1000) / 1000 for n in range(5000)]  # a search would never end
    plan = fewest_operations(loaded(*loads), Goal(0.75))
    assert plan.reaches_target
    assert plan.after == len(plan.utilisation)


def test_shards_of_an_idle_stream_do_not_get_wide_on_the_way() -> None:
    idle = ShardMap.even(16)
    nothing = fewest_operations(idle, Goal(min_shards=16, max_shards=16))
    plan = remaining(replace(nothing, cuts=ShardMap.even(9).cuts, after=9), idle)
    assert len(plan.operations) == 16 + 9 - 2
    widest = max(one.end - one.start for one in plan.operations)
    assert widest <= KEY_SPACE // 8  # two of the shards that there are

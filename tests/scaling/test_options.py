"""The ways to a goal side by side, and which is taken."""

from __future__ import annotations

from itertools import pairwise
from math import gcd

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.scaling import (
    KEY_SPACE,
    Goal,
    Load,
    Piece,
    Prices,
    Shard,
    ShardMap,
    Situation,
    Timing,
    weigh,
)
from clew.scaling.options import hours_to_pay_back
from clew.scaling.plan import fewest_operations
from clew.scaling.uniform import even_cuts

FULL = 1_048_576


def even(count: int, each: float) -> ShardMap:
    return ShardMap.even(count, Load(count * each * FULL, count * each * 40))


def test_a_stream_within_its_target_is_left_alone() -> None:
    found = weigh(even(4, 0.5), Goal(0.75))
    assert found.chosen.nothing_to_do
    assert found.update is None


def test_update_shard_count_is_taken_where_it_saves_shards() -> None:
    found = weigh(even(10, 0.9), Goal(0.75))
    assert found.fewest.after == 20
    assert found.update is not None
    assert (found.update.calls, found.update.after) == ((12,), 12)
    assert found.chosen is found.update
    assert "UpdateShardCount (12)" in found.explain()


def test_without_calls_left_it_is_not_offered() -> None:
    found = weigh(even(10, 0.9), Goal(0.75), Situation(update_calls_left=0))
    assert found.update is None
    assert found.chosen.method == "operations"


def test_it_doubles_at_most_and_so_takes_several_calls() -> None:
    found = weigh(even(1, 5.0), Goal(0.75))
    assert found.update is not None
    assert found.update.calls == (2, 4, 7)
    assert found.update.duration_s == pytest.approx(3 * Timing().update_least_s)


def test_what_is_urgent_is_done_the_soonest_way() -> None:
    slow = Situation(timing=Timing(update_least_s=600))
    assert weigh(even(4, 1.0), Goal(0.75), slow, urgent=True).chosen.method == "operations"
    assert weigh(even(4, 1.0), Goal(0.75), slow).chosen.method == "UpdateShardCount"


def test_uneven_load_is_better_split_where_it_lies() -> None:
    shards = ShardMap.of_cuts(
        ShardMap.even(4).cuts, [Load(0.1 * FULL), Load(1.4 * FULL), Load(0.1 * FULL), Load(0.0)]
    )
    found = weigh(shards, Goal(0.75, at_least=4))
    assert len(found.fewest.operations) == 1
    assert found.chosen.method == "operations"
    # One split more would do; a merge of two that are nearly empty saves its shard.
    assert (found.chosen.after, len(found.chosen.operations)) == (4, 2)


def test_closed_shards_that_are_billed_make_doubling_the_cheaper_way_for_a_day() -> None:
    # 4 to 5 closes ten shards, 4 to 8 four: with 24 hours of each billed, three more shards pay
    # for themselves unless they are kept for more than 48 hours.
    billed = Prices(closed_shard_rate=1.0)
    day = weigh(even(4, 0.9), Goal(0.75), Situation(prices=billed, hold_h=40))
    week = weigh(even(4, 0.9), Goal(0.75), Situation(prices=billed, hold_h=60))
    assert (day.chosen.after, week.chosen.after) == (8, 5)


def test_on_demand_mode_is_offered_only_where_it_is_cheaper() -> None:
    idle = ShardMap.even(40, Load(20_000, 20))
    found = weigh(idle, Goal(0.75, min_shards=40))
    assert found.on_demand is not None
    assert found.on_demand.usd_month < found.chosen.usd_month
    assert found.chosen.method != "on-demand"
    assert "on-demand mode" in found.explain()
    assert weigh(even(4, 0.7), Goal(0.75)).on_demand is None


def test_merges_pay_for_themselves_after_twice_the_retention_if_closed_shards_are_billed() -> None:
    billed = Situation(prices=Prices(closed_shard_rate=1.0))
    plan = fewest_operations(even(4, 0.2), Goal(0.75, at_most=2), billed)
    assert hours_to_pay_back(plan) == pytest.approx(48)
    assert hours_to_pay_back(fewest_operations(even(4, 0.9), Goal(0.75), billed)) == float("inf")


def test_a_hot_key_is_no_reason_to_take_all_the_shards_that_there_may_be() -> None:
    hot, quiet = Load(2.5 * FULL, 100), Load(0.3 * FULL, 10)
    edges = [KEY_SPACE * n // 8 for n in range(9)]
    key = edges[2] + 1000
    pieces = (
        Piece(edges[2], key, 0.05, 0.05),
        Piece(key, key + 1, 0.9, 0.9),
        Piece(key + 1, edges[3], 0.05, 0.05),
    )
    shards = ShardMap(
        tuple(
            Shard(a, b, hot if n == 2 else quiet, f"s{n}", pieces if n == 2 else ())
            for n, (a, b) in enumerate(pairwise(edges))
        )
    )
    for urgent in (False, True):
        found = weigh(shards, Goal(0.75, max_shards=200), urgent=urgent)
        assert found.chosen.nothing_to_do
        apart = weigh(shards, Goal(0.75, max_shards=200, isolate_hot_keys=True), urgent=urgent)
        assert apart.chosen.after == 10
        more = weigh(shards, Goal(0.75, max_shards=200, at_least=12), urgent=urgent)
        assert more.chosen.after == 12
        assert more.chosen.hot_keys


@given(st.integers(1, 40), st.integers(1, 40))
def test_even_shards_to_even_shards_is_the_sum_less_twice_the_common_divisor(
    before: int, after: int
) -> None:
    shards = even(before, after / before)  # so that each of the new ones is full
    plan = fewest_operations(shards, Goal(1.0, at_least=after, at_most=after))
    assert plan.after == after
    assert plan.cuts == tuple(even_cuts(after))
    assert len(plan.operations) == before + after - 2 * gcd(before, after)

"""What UpdateShardCount may be asked for, and the splits and merges that even ranges take."""

from __future__ import annotations

from math import gcd

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.scaling import KEY_SPACE, Limits, Prices, ShardMap
from clew.scaling.uniform import changes, even_cuts, even_cuts_near, steps

counts = st.integers(1, 200)


@given(before=counts, after=counts)
def test_even_ranges_take_as_many_operations_as_their_numbers_say(before: int, after: int) -> None:
    common = gcd(before, after)
    assert changes(even_cuts(before), even_cuts(after)) == (after - common, before - common)


@given(before=counts, after=counts)
def test_boundaries_that_were_rounded_otherwise_are_kept(before: int, after: int) -> None:
    rounded = [KEY_SPACE // before * number for number in range(1, before)]  # as others may
    near = even_cuts_near(after, rounded)
    assert len(set(near) - set(rounded)) == after - gcd(before, after)
    assert all(abs(one - exact) < 2**90 for one, exact in zip(near, even_cuts(after), strict=True))
    assert list(near) == sorted(set(near))


@given(before=counts, after=counts)
def test_each_call_is_allowed_and_the_last_is_the_target(before: int, after: int) -> None:
    calls = steps(before, after, Limits())
    assert calls is not None
    now = before
    for count in calls:
        assert now / 2 <= count <= now * 2
        now = count
    assert now == after


def test_more_than_the_service_allows_is_not_asked_for() -> None:
    assert steps(9_000, 10_001, Limits()) is None
    assert steps(1, 0, Limits()) is None


def test_even_cuts_are_those_of_even_shards() -> None:
    assert tuple(even_cuts(7)) == ShardMap.even(7).cuts


def test_prices_add_up() -> None:
    prices = Prices()
    assert prices.shard_hours(730) == pytest.approx(10.95)
    assert prices.shard_hours(730, retention_h=48) == pytest.approx(730 * 0.035)
    # A record of 26 KB is two units, one of 1 KB is one.
    assert prices.payload(1e6, 26 * 1024) == pytest.approx(0.028)
    assert prices.payload(1e6, 1024) == pytest.approx(0.014)
    # 1.5 KB is billed as 2 KB when written, and as it is when read.
    gb = 1e6 * 1024 / 1024**3
    assert prices.on_demand(1, 1e6, 1536) == pytest.approx(0.04 + 2 * gb * 0.08 + 1.5 * gb * 0.04)
    assert prices.closed_shards(10) == 0
    assert prices.with_closed_shards_at(0.5).closed_shards(10) == pytest.approx(5 * 24 * 0.015)

"""The bound that nobody gets below, against every path there is on traces that are small enough."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clew.scaling.simulation import Conditions, Trace
from clew.scaling.simulation.optimum import clairvoyant


def trace(shards: list[float], hot: float | None = None) -> Trace:
    load = np.asarray(shards, dtype=np.float64)
    key = None if hot is None else np.full(len(load), hot)
    return Trace(load * 1_048_576, load * 900, hot_key=key)


def conditions(rate: float = 0.0, retention_h: float = 24.0) -> Conditions:
    given = Conditions(max_shards=8)
    prices = given.situation.prices.with_closed_shards_at(rate)
    situation = replace(given.situation, prices=prices, retention_h=retention_h)
    return replace(given, situation=situation)


def test_a_constant_load_takes_its_shards() -> None:
    best = clairvoyant(trace([2.5] * 60), conditions())
    assert best.shard_hours_at(0.0) == pytest.approx(3.0)
    assert list(best.open_shards) == [3.0] * 60
    # Two shards refuse a fifth of it, and a straight line lies between.
    assert best.shard_hours_at(0.2) == pytest.approx(2.0)
    assert best.shard_hours_at(0.1) == pytest.approx(2.5)


def test_a_step_is_there_in_time_and_the_stream_at_most_doubles_in_a_minute() -> None:
    best = clairvoyant(trace([1.0] * 5 + [8.0] * 5), conditions())
    assert list(best.open_shards) == [1, 1, 1, 2, 4, 8, 8, 8, 8, 8]
    assert best.shard_hours_at(0.0) == pytest.approx((3 + 2 + 4 + 40) / 60)


def test_closed_shards_make_a_short_dip_not_worth_it() -> None:
    load = trace([4.0] * 10 + [1.0] * 60 + [4.0] * 10)
    free, billed = clairvoyant(load, conditions()), clairvoyant(load, conditions(1.0))
    assert free.open_shards.min() == 1
    assert billed.open_shards.min() == 4
    # A dip of 60 minutes saves 3 shards; two closed each take 2 x 1 h, and the splits another.
    short = clairvoyant(load, conditions(1.0, retention_h=0.1))
    assert short.open_shards.min() == 1


small = st.lists(st.floats(0, 4), min_size=1, max_size=5)


@settings(max_examples=40)
@given(small, st.sampled_from([None, 0.5]), st.sampled_from([0.0, 1.0]), st.floats(0, 0.5))
def test_no_path_is_below_it(
    loads: list[float], hot: float | None, rate: float, throttled: float
) -> None:
    asked = trace([*loads, 4.0], hot)
    given = conditions(rate, retention_h=0.05)
    best = clairvoyant(asked, given)
    load, total = asked.shards(), float(asked.shards().sum())
    bound = np.inf
    for path in product(range(1, 5), repeat=len(load)):
        steps = list(pairwise(path))
        if any(b > max(2 * a, a + 2) or b < min(-(-a // 2), a - 2) for a, b in steps):
            continue
        refused = 0.0
        for count, of in zip(path, load, strict=True):
            key = 0.0 if hot is None else hot * of
            alone = max(key - 1.0, 0.0) + max(of - key - (count - 1), 0.0) if key > 1 else 0.0
            refused += max(of - count, alone, 0.0)
        if refused > throttled * total + 1e-12:
            continue
        closed = sum(b - a if b > a else 2 * (a - b) for a, b in steps)
        bound = min(bound, (sum(path) + rate * closed * 0.05 * 60) / 60)
    assert best.shard_hours_at(throttled) <= bound + 1e-9


@given(small)
def test_it_refuses_nothing_where_nothing_may_be_refused(loads: list[float]) -> None:
    asked = trace([*loads, 4.0])
    best = clairvoyant(asked, conditions())
    assert (best.open_shards >= asked.shards() - 1e-9).all()
    assert best.shard_hours_at(0.0) == pytest.approx(float(best.open_shards.sum()) / 60)

"""Traces: scaled, cut, drawn anew, and filled in between longer steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.scaling import Limits, ScalingError
from clew.scaling.simulation import Trace, from_values

MIB = 1_048_576


def test_the_tighter_limit_says_how_many_shards_a_minute_needs() -> None:
    trace = Trace(np.array([MIB, 3 * MIB, 0.0]), np.array([2000.0, 100.0, 0.0]))
    assert list(trace.shards()) == [2.0, 3.0, 0.0]
    assert list(trace.shards(Limits(shard_records_per_s=4000))) == [1.0, 3.0, 0.0]
    assert trace.records == 2100 * 60
    assert trace.days == 3 / 1440


def test_a_trace_without_load_cannot_be_scaled() -> None:
    with pytest.raises(ScalingError, match="empty has no load"):
        from_values([0.0, 0.0], 60, name="empty").scaled(4)


@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=50), st.floats(0.5, 500))
def test_scaling_sets_the_peak_and_keeps_the_shape(values: list[float], peak: float) -> None:
    trace = from_values(values, 60)
    scaled = trace.scaled(peak)
    assert float(scaled.shards().max()) == pytest.approx(peak)
    assert scaled.record_bytes == pytest.approx(trace.record_bytes)


def test_halves_know_when_they_begin() -> None:
    trace = Trace(np.arange(5.0), np.arange(5.0), start_s=600.0, hot_key=np.arange(5.0) / 10)
    first, second = trace.halves()
    assert list(first.bytes_per_s) == [0, 1]
    assert list(second.bytes_per_s) == [2, 3, 4]
    assert second.start_s == 720
    assert second.hot_key is not None
    assert list(second.hot_key) == [0.2, 0.3, 0.4]


def test_what_is_drawn_anew_is_of_whole_blocks_at_their_time_of_day() -> None:
    days = np.repeat([1.0, 2.0, 3.0], 1440) + np.tile(np.arange(1440) / 10_000, 3)
    drawn = Trace(days, days).resampled(seed=4)
    assert len(drawn) == len(days)
    for day in drawn.bytes_per_s.reshape(3, 1440):
        assert len(set(np.floor(day))) == 1
        assert np.allclose(day - np.floor(day), np.arange(1440) / 10_000)
    assert list(drawn.bytes_per_s) == list(Trace(days, days).resampled(seed=4).bytes_per_s)


def test_minutes_of_a_minute_are_as_they_are() -> None:
    trace = from_values([1.0, 5.0, 2.0], 60, record_bytes=100)
    assert list(trace.records_per_s) == [1.0, 5.0, 2.0]
    assert list(trace.bytes_per_s) == [100.0, 500.0, 200.0]


def test_five_minutes_hold_their_value_with_the_noise_of_counts() -> None:
    trace = from_values([50_000.0] * 2000, 300)
    assert len(trace) == 10_000
    rough = float(trace.records_per_s.std() / trace.records_per_s.mean())
    assert rough == pytest.approx(0.02, rel=0.1)  # the least
    few = from_values([100.0] * 2000, 300)
    assert float(few.records_per_s.std() / 100) == pytest.approx(1 / np.sqrt(20), rel=0.1)
    assert list(trace.records_per_s) == list(from_values([50_000.0] * 2000, 300).records_per_s)


def test_longer_steps_are_joined_by_lines() -> None:
    trace = from_values([0.0, 1e9, 0.0], 1800)
    middle = trace.records_per_s[30:60].mean()
    assert trace.records_per_s[45] > middle > trace.records_per_s[31]


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [1.0, -1.0], [float("inf")]])
def test_what_is_no_load_is_refused(values: list[float]) -> None:
    with pytest.raises(ScalingError, match="no values, or some that are negative"):
        from_values(values, 60, name="bad")

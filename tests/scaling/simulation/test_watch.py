"""Alarms, point by point."""

from __future__ import annotations

import numpy as np
import pytest

from clew.scaling.seen import Alarm
from clew.scaling.simulation.watch import Watch


def when_on(alarm: Alarm, values: list[float], shards: int = 1) -> list[int]:
    """After how many minutes it is in alarm."""
    series = np.array(values)
    watch = Watch(alarm, series)
    return [known for known in range(1, len(values) + 1) if watch.on(known, shards)]


def test_one_point_is_enough_for_one_of_one() -> None:
    assert when_on(Alarm("up", "utilisation", 0.75), [0.7, 0.75, 0.7]) == [2]


def test_utilisation_is_of_the_shards_that_there_are() -> None:
    alarm = Alarm("up", "utilisation", 0.75)
    assert when_on(alarm, [1.4, 1.5], shards=2) == [2]
    assert when_on(alarm, [1.4, 1.5], shards=3) == []


def test_five_of_five_takes_five() -> None:
    high = [0.9] * 4 + [0.1] + [0.9] * 5
    assert when_on(Alarm("up", "utilisation", 0.75, 5, 5), high) == [10]


def test_two_of_three_bears_a_gap() -> None:
    assert when_on(Alarm("up", "utilisation", 0.5, 2, 3), [0, 1, 0, 1, 0, 0]) == [4]


def test_periods_are_means_of_whole_minutes_side_by_side() -> None:
    alarm = Alarm("up", "utilisation", 0.5, 1, 1, 300)
    assert when_on(alarm, [0, 0, 1, 1, 1, 0, 0, 0, 0, 0]) == [5, 6, 7, 8, 9]
    assert when_on(alarm, [0, 0, 0, 1, 1, 1, 1, 0, 0, 0]) == []


def test_low_alarms_are_below_and_not_at() -> None:
    alarm = Alarm("down", "utilisation", 0.25, 2, 2, above=False)
    assert when_on(alarm, [0.25, 0.24, 0.24, 0.25]) == [3]


def test_any_refusal_is_above_a_threshold_of_nothing() -> None:
    assert when_on(Alarm("refused", "refused", 0.0), [0.0, 0.01, 0.0], shards=7) == [2]


@pytest.mark.parametrize("points", [1, 3])
def test_it_waits_until_there_are_enough_points(points: int) -> None:
    assert when_on(Alarm("up", "utilisation", 0.5, points, 3), [1.0] * 4) == [3, 4]

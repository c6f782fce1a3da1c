"""An alarm is in the state that CloudWatch would give it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from clew.localcloud.seam.alarm_state import ALARM, INSUFFICIENT_DATA, OK, in_periods, judge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOW = 1_000_000.0


def _sum(points: Sequence[Mapping[str, Any]]) -> float:
    return float(sum(point["Value"] for point in points))


def _state(values: list[float | None], **alarm: Any) -> str | None:
    """The state of an alarm over these one-minute sums, the latest last."""
    given = {
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 10,
        "Period": 60,
        "EvaluationPeriods": len(values),
        **alarm,
    }
    points = [
        {"Timestamp": NOW - 60 * age - 1, "Value": value}
        for age, value in enumerate(reversed(values))
        if value is not None
    ]
    periods = in_periods(points, int(given["Period"]), int(given["EvaluationPeriods"]), _sum, NOW)
    judgement = judge(given, periods)
    return judgement.state if judgement else None


@pytest.mark.parametrize(
    ("operator", "states"),
    [
        ("GreaterThanThreshold", (OK, OK, ALARM)),
        ("GreaterThanOrEqualToThreshold", (OK, ALARM, ALARM)),
        ("LessThanThreshold", (ALARM, OK, OK)),
        ("LessThanOrEqualToThreshold", (ALARM, ALARM, OK)),
    ],
)
def test_a_value_is_compared_with_the_threshold(operator: str, states: tuple[str, ...]) -> None:
    assert tuple(_state([value], ComparisonOperator=operator) for value in (9, 10, 11)) == states


@pytest.mark.parametrize(
    ("values", "needed", "state"),
    [
        ([11, 11, 11], 3, ALARM),
        ([11, 9, 11], 3, OK),
        ([11, 9, 11], 2, ALARM),
        ([9, 9, 11], 2, OK),
        ([9, 9, 11], 1, ALARM),
    ],
)
def test_so_many_of_the_periods_have_to_breach(
    values: list[float | None], needed: int, state: str
) -> None:
    assert _state(values, DatapointsToAlarm=needed) == state


@pytest.mark.parametrize(
    ("values", "treat", "state"),
    [
        ([None, None], "missing", INSUFFICIENT_DATA),
        ([None, None], "ignore", None),
        ([None, None], "breaching", ALARM),
        ([None, None], "notBreaching", OK),
        ([None, 11], "missing", None),
        ([None, 11], "ignore", None),
        ([None, 11], "breaching", ALARM),
        ([None, 11], "notBreaching", OK),
        ([9, None], "missing", OK),
        ([9, None], "breaching", OK),
    ],
)
def test_missing_data_is_treated_as_asked(
    values: list[float | None], treat: str, state: str | None
) -> None:
    assert _state(values, TreatMissingData=treat) == state


def test_points_older_than_the_periods_do_not_count() -> None:
    points = [{"Timestamp": NOW - 61, "Value": 99}]
    alarm = {"ComparisonOperator": "GreaterThanThreshold", "Threshold": 10}
    judgement = judge(alarm, in_periods(points, 60, 1, _sum, NOW))
    assert judgement
    assert judgement.state == INSUFFICIENT_DATA


def test_points_of_one_period_are_one_value() -> None:
    points = [{"Timestamp": NOW - age, "Value": 4} for age in (1, 20, 40)]
    alarm = {"ComparisonOperator": "GreaterThanThreshold", "Threshold": 10}
    judgement = judge(alarm, in_periods(points, 60, 1, _sum, NOW))
    assert judgement == (
        ALARM,
        "Threshold Crossed: 1 datapoint [12] were greater than the threshold (10).",
    )


def test_a_band_of_anomalies_is_left_alone() -> None:
    assert _state([11], ComparisonOperator="LessThanLowerOrGreaterThanUpperThreshold") is None

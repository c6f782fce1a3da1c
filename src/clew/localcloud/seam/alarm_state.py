"""Decides the state of a CloudWatch alarm from the points of its metric.

"Using Amazon CloudWatch alarms", "Evaluating an alarm" and "Configuring how CloudWatch alarms
treat missing data". One thing differs: periods are not those of the clock. The last one ends now,
so that an alarm here turns as soon as the points are there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    #: The statistic of some points by its name, or None if they have none such.
    Statistic = Callable[[Sequence[Mapping[str, Any]]], float | None]

ALARM, OK, INSUFFICIENT_DATA = "ALARM", "OK", "INSUFFICIENT_DATA"

_BREACHES: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
}


class Judgement(NamedTuple):
    """The state that an alarm should have, and why."""

    state: str
    reason: str


def judge(alarm: Mapping[str, Any], values: Sequence[float | None]) -> Judgement | None:
    """What an alarm's state should be, or None if it stays what it is.

    Args:
        alarm: The alarm, with PutMetricAlarm's names.
        values: One for each of its evaluation periods, the latest last; None where none is known.
    """
    breaches = _BREACHES.get(alarm.get("ComparisonOperator", ""))
    if breaches is None:
        return None  # a band of anomaly detection
    needed = int(alarm.get("DatapointsToAlarm") or len(values))
    threshold = float(alarm.get("Threshold", 0))
    real = [value for value in values if value is not None]
    breaching = sum(breaches(value, threshold) for value in real)
    missing = len(values) - len(real)
    treat = alarm.get("TreatMissingData") or "missing"
    if treat == "breaching":
        breaching += missing
    if breaching >= needed:
        return Judgement(ALARM, _reason(real, breaching, alarm, "were"))
    if treat in {"missing", "ignore"} and missing:
        if not real:
            unknown = Judgement(INSUFFICIENT_DATA, _reason(real, missing, alarm, "were unknown"))
            return unknown if treat == "missing" else None
        if breaching + missing >= needed:
            return None  # what is missing would decide
    return Judgement(OK, _reason(real, len(real) - breaching, alarm, "were not"))


def in_periods(
    points: Sequence[Mapping[str, Any]],
    period_s: int,
    periods: int,
    statistic: Statistic,
    now: float,
) -> list[float | None]:
    """The value of each period, the latest last; None where there are no points.

    Args:
        points: The points of a metric, each with a ``Timestamp`` in seconds.
        period_s: The length of a period.
        periods: How many there are.
        statistic: Makes one value of the points of a period.
        now: Seconds since the epoch.
    """
    sorted_in: list[list[Mapping[str, Any]]] = [[] for _ in range(periods)]
    for point in points:
        age = now - point["Timestamp"]
        if -1 <= age < period_s * periods:
            sorted_in[periods - 1 - max(0, int(age // period_s))].append(point)
    return [statistic(each) if each else None for each in sorted_in]


def _reason(real: Sequence[float], count: int, alarm: Mapping[str, Any], were: str) -> str:
    """In CloudWatch's words, more or less."""
    listed = ", ".join(f"{value:g}" for value in reversed(real))
    points = f"{count} datapoint{'' if count == 1 else 's'}"
    if not real:
        return f"Insufficient Data: {points} {were}."
    comparison = _IN_WORDS[alarm["ComparisonOperator"]]
    return (
        f"Threshold Crossed: {points} [{listed}] {were} {comparison} "
        f"the threshold ({float(alarm.get('Threshold', 0)):g})."
    )


_IN_WORDS = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanOrEqualToThreshold": "less than or equal to",
    "LessThanThreshold": "less than",
}

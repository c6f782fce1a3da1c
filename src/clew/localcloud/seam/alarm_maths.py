"""Alarms on metric math, which the emulator does not keep; and what any alarm looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import cloudwatch
from ministack.services.cloudformation import provisioners

from clew.localcloud.seam.alarm_state import in_periods
from clew.localcloud.seam.emulator_parts import around
from clew.localcloud.seam.metric_math import MetricMathError, evaluate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Alarm = dict[str, Any]

#: What an alarm on one metric has and one on metric math has not.
_OF_ONE_METRIC = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Unit")


def install() -> None:
    """Let alarms have ``Metrics``, put by the API or by a template."""
    around(cloudwatch, "_put_metric_alarm", _put)
    around(provisioners, "_cw_metric_alarm_record", _of_template)


def values_of(alarm: Alarm, now: float) -> list[float | None] | None:
    """The values of its evaluation periods, the latest last; None if it looks at nothing known."""
    period_s, periods = int(alarm.get("Period") or 60), int(alarm.get("EvaluationPeriods", 1))
    if not alarm.get("Metrics"):
        if not alarm.get("Namespace") or not alarm.get("MetricName"):
            return None
        name = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
        return _series(alarm, name, period_s, periods, now)
    metrics = {
        query["Id"]: _series(
            query["MetricStat"]["Metric"], query["MetricStat"]["Stat"], period_s, periods, now
        )
        for query in alarm["Metrics"]
        if "MetricStat" in query
    }
    try:
        return evaluate(alarm["Metrics"], metrics, periods)
    except MetricMathError:
        return None


def told(alarm: Alarm) -> dict[str, Any]:
    """What the message to a topic says of the metrics, with CloudWatch's spelling."""
    return {"Metrics": [_told(query) for query in alarm["Metrics"]]}


def _told(query: Mapping[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {"Id": query["Id"], "ReturnData": query.get("ReturnData", True)}
    if query.get("Label"):
        said["Label"] = query["Label"]
    if "Expression" in query:
        return {"Expression": query["Expression"], **said}
    stat = query["MetricStat"]
    metric = stat["Metric"]
    dimensions = [
        {"value": each["Value"], "name": each["Name"]} for each in metric.get("Dimensions") or []
    ]
    return {
        **said,
        "MetricStat": {
            "Metric": {
                "Dimensions": dimensions,
                "MetricName": metric["MetricName"],
                "Namespace": metric["Namespace"],
            },
            "Period": int(stat["Period"]),
            "Stat": stat["Stat"],
        },
    }


def _series(
    metric: Mapping[str, Any], stat: str, period_s: int, periods: int, now: float
) -> list[float | None]:
    dimensions = cloudwatch._dims_key(cloudwatch._dims_from_list(metric.get("Dimensions") or []))
    key = (metric["Namespace"], metric["MetricName"], dimensions)
    points = cloudwatch._metrics.get(key) or []

    def statistic(of: Sequence[Mapping[str, Any]]) -> float | None:
        value: float | None = cloudwatch._stat_value(cloudwatch._calc_stats(of), stat, of)
        return value

    return in_periods(points, period_s, periods, statistic, now)


def _put(
    original: Callable[..., Any],
    params: dict[str, Any],
    asked: dict[str, Any],
    is_cbor: bool,
    is_json: bool = False,
) -> Any:
    metrics = (asked or {}).get("Metrics")
    if not metrics:
        return original(params, asked, is_cbor, is_json)
    wrong = _what_is_wrong(metrics)
    if wrong:
        return cloudwatch._error("ValidationError", wrong, 400, is_json, is_cbor)
    answer = original(params, {**asked, "Period": _period_s(metrics)}, is_cbor, is_json)
    if answer[0] == 200:
        alarm = cloudwatch._alarms[asked["AlarmName"]]
        _make_mathematical(alarm, metrics)
        cloudwatch._evaluate_alarm(alarm)
    return answer


def _of_template(original: Callable[..., Alarm], name: str, properties: dict[str, Any]) -> Alarm:
    metrics = properties.get("Metrics")
    if not metrics:
        return original(name, properties)
    metrics = [
        {
            **query,
            "ReturnData": str(query.get("ReturnData", True)).lower() == "true",
        }
        for query in metrics
    ]
    wrong = _what_is_wrong(metrics)
    if wrong:
        raise ValueError(wrong)
    # It refuses Metrics and requires a metric's name, which is taken out again.
    named = {**properties, "Metrics": None, "MetricName": "-", "Namespace": "-"}
    alarm = original(name, {**named, "Period": _period_s(metrics)})
    _make_mathematical(alarm, metrics)
    return alarm


def _make_mathematical(alarm: Alarm, metrics: list[dict[str, Any]]) -> None:
    for name in _OF_ONE_METRIC:
        alarm.pop(name, None)
    alarm["Metrics"] = metrics


def _period_s(metrics: Sequence[Mapping[str, Any]]) -> int:
    periods = [int(query["MetricStat"]["Period"]) for query in metrics if "MetricStat" in query]
    return max(periods, default=60)


def _what_is_wrong(metrics: Sequence[Mapping[str, Any]]) -> str:
    """Why an alarm on these would never be evaluated; empty if it will."""
    try:
        for query in metrics:
            if "MetricStat" in query:
                _told(query)  # has every member that it must have
        named: dict[str, list[float | None]] = {
            query["Id"]: [1.0] for query in metrics if "MetricStat" in query
        }
        evaluate(metrics, named, 1)
    except (MetricMathError, KeyError) as error:
        return f"Metrics cannot be evaluated by the local cloud: {error}."
    return ""

"""A history from answers of GetMetricData and GetMetricStatistics, as the AWS CLI prints them."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

import numpy as np

from clew.scaling.model import ScalingError
from clew.scaling.simulation.history import Points
from clew.scaling.simulation.history_csv import kind_of, seconds


def points_of_json(text: str, source: str) -> Points:
    """The points in an answer of GetMetricData or GetMetricStatistics.

    Raises:
        ScalingError: It is none, or has no sums of a stream; the sentence says where.
    """
    try:
        answer = json.loads(text)
    except RecursionError as error:
        raise ScalingError(f"{source} is nested too deeply to be an answer of AWS.") from error
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        raise ScalingError(
            f"{source}, line {line} is no JSON: {getattr(error, 'msg', error)}."
        ) from error
    if not isinstance(answer, dict):
        answer = {}
    notes = []
    if answer.get("NextToken"):
        notes.append("It is one page of several (it has a NextToken): the rest is not in it.")
    if isinstance(answer.get("Datapoints"), list):
        series = [_statistics(answer, source)]
    elif isinstance(answer.get("MetricDataResults"), list):
        series = [_result(one, n, source) for n, one in enumerate(answer["MetricDataResults"])]
    else:
        raise ScalingError(
            f"{source} is JSON, but has neither MetricDataResults nor Datapoints: give the answer"
            " of `aws cloudwatch get-metric-data`."
        )
    return _joined(series, source, tuple(notes))


def of_results(results: list[dict[str, Any]], source: str) -> Points:
    """The points in the results of GetMetricData, all pages of them."""
    series = [_result(one, n, source) for n, one in enumerate(results)]
    return _joined(series, source)


_Series = tuple[str, dict[float, float]]


def _joined(series: list[_Series], source: str, notes: tuple[str, ...] = ()) -> Points:
    found: dict[str, dict[float, float]] = {}
    for kind, values in series:
        if kind:
            mine = found.setdefault(kind, {})
            for time, value in values.items():
                mine[time] = mine.get(time, 0.0) + value
    if not found.keys() & {"bytes", "records"}:
        # One metric that nobody named is a shape.
        unnamed = [values for kind, values in series if not kind]
        if len(unnamed) != 1:
            raise ScalingError(
                f"{source} has no metric whose id or label says IncomingBytes or IncomingRecords."
            )
        found = {"value": unnamed[0]}
    at = sorted({one for values in found.values() for one in values})
    columns = {
        kind: np.array([values.get(one, 0.0) for one in at]) for kind, values in found.items()
    }
    return Points(np.array(at), columns, lambda n: f"{source}, the time {_told(at[n])}", notes)


def _result(one: Any, number: int, source: str) -> _Series:
    where = f"{source}, MetricDataResults[{number}]"
    try:
        kind = kind_of(f"{one.get('Label', '')} {one['Id']}")
        times, values = one["Timestamps"], one["Values"]
        if len(times) != len(values):
            raise ScalingError(
                f"{where} has {len(times)} timestamps and {len(values)} values: give it whole."
            )
        pairs = list(zip(times, values, strict=True))
    except (KeyError, TypeError, AttributeError) as error:
        raise ScalingError(f"{where} has no Id, Timestamps and Values.") from error
    return kind, _checked(pairs, where)


def _statistics(answer: dict[str, Any], source: str) -> _Series:
    pairs = []
    for number, point in enumerate(answer["Datapoints"]):
        try:
            pairs.append((point["Timestamp"], point["Sum"]))
        except (KeyError, TypeError) as error:
            raise ScalingError(
                f"{source}, Datapoints[{number}] has no Timestamp and Sum: ask for"
                " `--statistics Sum`."
            ) from error
    return kind_of(str(answer.get("Label", ""))), _checked(pairs, f"{source}, Datapoints")


def _checked(pairs: list[tuple[Any, Any]], where: str) -> dict[float, float]:
    found: dict[float, float] = {}
    for number, (time, value) in enumerate(pairs):
        stamp = time.timestamp() if hasattr(time, "timestamp") else seconds(str(time))
        if stamp is None:
            raise ScalingError(f"{where}, point {number} has the time {str(time)[:40]!r}.")
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise ScalingError(f"{where}, point {number} has {str(value)[:40]!r} for a number.")
        if value < 0:
            raise ScalingError(
                f"{where}, point {number} has {value:g}: less than nothing was never put."
            )
        found[stamp] = found.get(stamp, 0.0) + value
    return found


def _told(at_s: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

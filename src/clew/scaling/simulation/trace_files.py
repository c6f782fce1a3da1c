"""Traces from files: CSV, and what CloudWatch gives as JSON."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from clew.scaling.model import ScalingError
from clew.scaling.simulation.trace import Trace, from_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Series = NDArray[np.float64]

_DATE_S = 4102444800  # 2100-01-01: larger numbers are milliseconds


def read(path: str | Path, *, record_bytes: float = 1024, seed: int = 7) -> Trace:
    """A trace from a file: CSV, or what CloudWatch gives as JSON.

    CSV: a column of times and one of values, or columns named ``bytes`` and ``records`` with what
    was put in each step. JSON: the answer of GetMetricData (with ids or labels that name
    ``IncomingBytes`` and ``IncomingRecords``) or of GetMetricStatistics.
    """
    where = Path(path)
    try:
        text = where.read_text("utf-8")
    except OSError as error:
        raise ScalingError(f"The trace {where} cannot be read: {error.strerror}.") from error
    load = _of_json if where.suffix == ".json" else _of_csv
    try:
        times, columns = load(text)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise ScalingError(
            f"The trace {where} is neither CSV with times and values nor JSON from CloudWatch"
            f" ({error})."
        ) from error
    if len(times) < 2:
        raise ScalingError(f"The trace {where} has fewer than two steps.")
    steps = np.diff(times)
    step = float(np.median(steps))
    if step < 60 or (steps <= 0).any():
        raise ScalingError(
            f"The trace {where} has steps of {step:g} s, or times that go back; give the sums of"
            " each minute or of longer even steps, in the order of time."
        )
    at = np.arange(times[0], times[-1] + step / 2, step)
    filled = {name: _even(times, values, at, step) for name, values in columns.items()}

    def trace_of(values: Series, size: float) -> Trace:
        return from_values(
            values, step, start_s=float(times[0]), name=where.stem, record_bytes=size, seed=seed
        )

    if "value" in filled:
        return trace_of(filled["value"], record_bytes)
    # Sums of each step, as CloudWatch has them.
    sums = {name: trace_of(values / step, 1) for name, values in filled.items()}
    if "bytes" not in sums:
        return replace(sums["records"], bytes_per_s=sums["records"].records_per_s * record_bytes)
    size = sums["bytes"].bytes_per_s
    records = sums["records"].records_per_s if "records" in sums else size / record_bytes
    return replace(sums["bytes"], records_per_s=records)


def _even(times: Series, values: Series, at: Series, step: float) -> Series:
    """The values at even times; a step that is missing had nothing."""
    found = np.zeros(len(at))
    index = np.rint((times - at[0]) / step).astype(int)
    np.add.at(found, np.clip(index, 0, len(at) - 1), values)
    return found


def _of_csv(text: str) -> tuple[Series, dict[str, Series]]:
    rows = [row for row in csv.reader(text.splitlines()) if row]
    header = [name.strip().lower() for name in rows[0]]
    names: dict[int, str] = {}
    for number, name in enumerate(header[1:], 1):
        kind = "bytes" if "bytes" in name else "records" if "records" in name else ""
        if kind:
            names[number] = kind
    if not names:
        names = {1: "value"}
    body = rows[1:] if not _is_number(rows[0][1]) else rows
    times = np.array([_seconds(row[0]) for row in body])
    return times, {name: np.array([float(row[at]) for row in body]) for at, name in names.items()}


def _of_json(text: str) -> tuple[Series, dict[str, Series]]:
    answer = json.loads(text)
    if "Datapoints" in answer:
        points = sorted(answer["Datapoints"], key=lambda point: _seconds(point["Timestamp"]))
        name = _kind(answer.get("Label", ""))
        times = np.array([_seconds(point["Timestamp"]) for point in points])
        return times, {name: np.array([float(point["Sum"]) for point in points])}
    found: dict[str, dict[float, float]] = {}
    for one in answer["MetricDataResults"]:
        pairs = zip(map(_seconds, one["Timestamps"]), one["Values"], strict=True)
        found.setdefault(_kind(one.get("Label", "") + one["Id"]), {}).update(pairs)
    at = sorted(set().union(*found.values()))
    series = {
        name: np.array([float(values.get(t, 0.0)) for t in at]) for name, values in found.items()
    }
    return np.array(at), series


def _kind(label: str) -> str:
    lower = label.lower()
    return "bytes" if "bytes" in lower else "records" if "records" in lower else "value"


def _seconds(value: Any) -> float:
    text = str(value).strip()
    if _is_number(text):
        number = float(text)
        return number / 1000 if number > _DATE_S else number
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

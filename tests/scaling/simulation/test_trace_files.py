"""Traces from files, and files that are none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from clew.scaling import ScalingError
from clew.scaling.simulation import read

if TYPE_CHECKING:
    from pathlib import Path


def written(where: Path, name: str, text: str) -> Path:
    (where / name).write_text(text)
    return where / name


def test_csv_of_times_and_values(tmp_path: Path) -> None:
    rows = [f"2014-04-10 00:0{minute}:00,{minute + 3}" for minute in (0, 1, 3, 4)]
    text = "\n".join(["timestamp,value", *rows])
    trace = read(written(tmp_path, "elb.csv", text), record_bytes=10)
    assert trace.name == "elb"
    assert list(trace.records_per_s) == [
        3.0,
        4.0,
        0.0,
        6.0,
        7.0,
    ]  # a step that is missing had nothing
    assert list(trace.bytes_per_s) == [30.0, 40.0, 0.0, 60.0, 70.0]
    assert trace.start_s == 1397088000


def test_csv_without_a_header_and_in_milliseconds(tmp_path: Path) -> None:
    text = "1700000000000,1\n1700000060000,2\n"
    trace = read(written(tmp_path, "a.csv", text))
    assert trace.start_s == 1_700_000_000
    assert list(trace.records_per_s) == [1.0, 2.0]


def test_csv_of_sums_of_bytes_and_records(tmp_path: Path) -> None:
    text = "time,IncomingBytes,IncomingRecords\n0,6000,60\n60,12000,120\n"
    trace = read(written(tmp_path, "a.csv", text))
    assert list(trace.bytes_per_s) == [100.0, 200.0]
    assert list(trace.records_per_s) == [1.0, 2.0]


def test_get_metric_data(tmp_path: Path) -> None:
    def of(name: str, values: list[float]) -> dict[str, object]:
        times = ["2026-01-05T00:01:00Z", "2026-01-05T00:00:00Z"]  # the newest first
        return {"Id": "m1", "Label": name, "Timestamps": times, "Values": values}

    answer = {
        "MetricDataResults": [of("IncomingBytes", [600.0, 60.0]), of("IncomingRecords", [6, 6])]
    }
    trace = read(written(tmp_path, "a.json", json.dumps(answer)))
    assert list(trace.bytes_per_s) == [1.0, 10.0]
    assert list(trace.records_per_s) == [0.1, 0.1]


def test_get_metric_statistics(tmp_path: Path) -> None:
    points = [
        {"Timestamp": "2026-01-05T00:01:00+00:00", "Sum": 120.0},
        {"Timestamp": "2026-01-05T00:00:00+00:00", "Sum": 60.0},
    ]
    answer = {"Label": "IncomingRecords", "Datapoints": points}
    trace = read(written(tmp_path, "a.json", json.dumps(answer)), record_bytes=5)
    assert list(trace.records_per_s) == [1.0, 2.0]
    assert list(trace.bytes_per_s) == [5.0, 10.0]


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("a.csv", "", "neither CSV"),
        ("a.csv", "when,value\nnever,3\n", "neither CSV"),
        ("a.csv", "0,1\n", "fewer than two steps"),
        ("a.csv", "0,1\n10,1\n20,1\n", "steps of 10 s"),
        ("a.csv", "0,1\n120,1\n60,1\n", "times that go back"),
        ("a.json", "{}", "neither CSV"),
        ("a.json", "[1", "neither CSV"),
    ],
)
def test_what_is_no_trace_is_told(tmp_path: Path, name: str, text: str, why: str) -> None:
    with pytest.raises(ScalingError, match=why):
        read(written(tmp_path, name, text))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ScalingError, match="cannot be read: No such file"):
        read(tmp_path / "none.csv")

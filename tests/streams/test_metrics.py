"""Metrics as lines in CloudWatch's embedded metric format."""

from __future__ import annotations

import time
from typing import Any

import pytest

import clew
from clew.streams.metrics import UNITS
from log.lines import logged

from .making import Context, event, kinesis, number_of


def each(record: Any) -> None:
    time.sleep(0.002)
    if number_of(record) == 1:
        raise KeyError


def emitted(monkeypatch: pytest.MonkeyPatch, **options: Any) -> dict[str, Any]:
    monkeypatch.setenv("CLEW_METRICS", "Timeline")
    policy = clew.retry(1, backoff=0, then=clew.skip())
    handler = clew.kinesis_handler(on_failure=policy, **options)(each)
    with logged() as lines:
        handler(event([kinesis(number, str(number)) for number in range(4)]), Context())
    (line,) = [line for line in lines if "_aws" in line]
    return line


def test_they_are_off_unless_a_namespace_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLEW_METRICS", raising=False)
    handler = clew.kinesis_handler(on_failure=clew.skip())(each)
    with logged() as lines:
        handler(event([kinesis(0, "a")]), Context())
    assert [line["message"] for line in lines] == ["invocation"]


def test_the_line_is_one_that_cloudwatch_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    line = emitted(monkeypatch)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Timeline"
    assert directive["Dimensions"] == [["function"], ["function", "source"]]
    assert {one["Name"]: one["Unit"] for one in directive["Metrics"]} == UNITS
    for name in UNITS:
        assert isinstance(line[name], int | float), name
    for dimension in ("function", "source"):
        assert isinstance(line[dimension], str)
    assert abs(line["_aws"]["Timestamp"] / 1000 - time.time()) < 600


@pytest.mark.parametrize("lanes", [None, 2])
def test_what_they_count(monkeypatch: pytest.MonkeyPatch, lanes: int | None) -> None:
    line = emitted(monkeypatch, lanes=lanes)
    assert (line["RecordsDone"], line["RecordsSkipped"], line["RecordsReturned"]) == (3, 1, 0)
    assert (line["RecordsDeadLettered"], line["Retries"], line["Repeats"]) == (0, 1, 0)
    assert line["IteratorAge"] > 1_000_000, "the record of the example is of 2018"
    assert line["HandlerTime"] >= 10
    assert 0 < line["LaneUse"] <= 100


def test_a_failure_to_write_them_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEW_METRICS", "Timeline")
    monkeypatch.setattr("clew.streams.metrics.measure", None)
    handler = clew.kinesis_handler(on_failure=clew.skip())(each)
    with logged():
        assert handler(event([kinesis(0, "a")]), Context()) == {"batchItemFailures": []}

"""Log events of a subscription, with the ids of the lines that clew wrote."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest

import clew
from clew import LogEventRecord, capture
from clew.capture import cloudwatch_logs

from ..events import REQUEST_ID, Context, rest_api
from .events import logs


def batch(*messages: str, **options: Any) -> list[LogEventRecord]:
    delivery = capture(logs(*messages, **options), Context())
    assert delivery.problem == ""
    assert all(isinstance(record, LogEventRecord) for record in delivery.records)
    return delivery.records  # type: ignore[return-value]


def test_each_log_event_is_a_record() -> None:
    first, second = batch("START RequestId: 1", "ü")
    assert first.payload == "START RequestId: 1"
    assert second.data == "ü".encode()
    assert (first.log_group, first.owner) == ("/aws/lambda/orders", "111122223333")
    assert first.log_stream == "2021/01/01/[$LATEST]1f3e"
    assert first.event_id == "31195782773854800"
    assert first.at == datetime(2020, 3, 4, 19, 3, 58, 390000, UTC)
    assert first.extracted_fields == {}
    assert first.correlation.id == f"{REQUEST_ID}-0"


def test_a_line_that_clew_wrote_has_its_ids(capsys: pytest.CaptureFixture[str]) -> None:
    @clew.api_handler
    def function(event: Any, context: Any) -> Any:
        clew.bind(order="7")
        clew.get_logger("orders").warning("paid")
        return clew.current()

    written = function(rest_api({}), Context())
    line = capsys.readouterr().out.splitlines()[0]
    [record] = batch(line)
    assert record.correlation.id == written.id
    assert record.correlation["x-correlation-order"] == "7"
    assert record.correlation.trace_id == written.trace_id
    assert record.correlation.parent_span_id == written.span_id
    assert record.correlation.chain_length == written.chain_length + 1
    assert record.payload == line


@pytest.mark.parametrize(
    "line",
    [
        "",
        "x-correlation-id",
        '{"x-correlation-id"',
        '{"message": "x-correlation-id"}',
        '["x-correlation-id"]',
        '{"x-correlation-id": 7}',
        '{"x-correlation-id": ' + "[" * 50_000,
    ],
)
def test_other_lines_have_none(line: str) -> None:
    [record] = batch(line)
    assert record.correlation.id == REQUEST_ID
    assert record.payload == line


def test_the_message_that_tests_the_connection_has_no_records() -> None:
    assert batch("CWL CONTROL MESSAGE: checking health", kind="CONTROL_MESSAGE") == []


def zipped(data: bytes) -> str:
    return b64encode(gzip.compress(data, mtime=0)).decode()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (None, "argument should be bytes"),
        ("no base64", "header"),
        (zipped(b"no json"), "Expecting value"),
        (zipped(b"[" * 200_000), "recursion"),
        (b64encode(gzip.compress(b"{}" * 500, mtime=0)[:-9]).decode(), "ends too early"),
        (b64encode(b"plain").decode(), "incorrect header"),
    ],
)
def test_what_cannot_be_unpacked_says_why(data: Any, why: str) -> None:
    event = {"awslogs": {"data": data}}
    delivery = capture(event, Context())
    assert (delivery.source, delivery.event, delivery.records) == ("aws:logs", event, [])
    assert why in delivery.problem
    assert delivery.correlation.id == REQUEST_ID


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloudwatch_logs, "MAX_BYTES", 10_000)
    small = {"messageType": "DATA_MESSAGE", "logEvents": [{"message": "x" * 5_000}]}
    bomb = {"messageType": "DATA_MESSAGE", "logEvents": [{"message": "x" * 50_000}]}
    for value, number in ((small, 1), (bomb, 0)):
        delivery = capture({"awslogs": {"data": zipped(json.dumps(value).encode())}}, Context())
        assert len(delivery.records) == number
    assert delivery.problem == "awslogs.data cannot be unpacked: it is larger than 10000 bytes"


@pytest.mark.parametrize("value", [[], 7, {}, {"logEvents": None}, {"logEvents": {}}])
def test_a_batch_of_another_shape_has_no_records(value: Any) -> None:
    delivery = capture({"awslogs": {"data": zipped(json.dumps(value).encode())}}, Context())
    assert (delivery.records, delivery.problem) == ([], "")

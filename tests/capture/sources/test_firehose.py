"""Records on their way through Firehose, and the answer that it wants."""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import UTC, datetime
from typing import Any

import pytest

import clew
from clew import FirehoseRecord, capture
from clew.errors import ClewError
from clew.handlers import firehose as handlers

from ..events import FIELDS, REQUEST_ID, Context
from .events import body, firehose, firehose_record


def answer(function: Any, *records: Any, on_failure: Any = None) -> list[dict[str, Any]]:
    """What Firehose gets back for records with these payloads."""
    handler = clew.firehose_handler(on_failure=on_failure or clew.halt())(function)
    event = firehose(*(firehose_record(data, number) for number, data in enumerate(records)))
    done = handler(event, Context())
    assert list(done) == ["records"]
    assert [one["recordId"] for one in done["records"]] == [
        one["recordId"] for one in event["records"]
    ]
    found: list[dict[str, Any]] = done["records"]
    return found


def test_the_names_of_a_record() -> None:
    metadata = {
        "shardId": "shardId-000000000001",
        "partitionKey": "customer-1",
        "sequenceNumber": "4954691538949047444038952155051419158405254487169",
    }
    event = firehose(firehose_record(body(FIELDS), kinesisRecordMetadata=metadata))
    [record] = capture(event, Context()).records
    assert isinstance(record, FirehoseRecord)
    assert record.payload == {"order": 7}
    assert record.data == body()
    assert record.delivery_stream_arn == event["deliveryStreamArn"]
    assert record.arrived == datetime(2020, 3, 4, 19, 3, 58, 390000, UTC)
    assert record.partition_key == "customer-1"
    assert record.position == {
        "recordId": event["records"][0]["recordId"],
        "shardId": metadata["shardId"],
        "sequenceNumber": metadata["sequenceNumber"],
    }


@pytest.mark.parametrize(
    ("returned", "data"),
    [
        (b"\x00\xff", b"\x00\xff"),
        (bytearray(b"a"), b"a"),
        ("ü\n", "ü\n".encode()),
        ({"ü": 1.5, "b": [None]}, '{"ü":1.5,"b":[null]}'.encode()),
        ([1, 2], b"[1,2]"),
        ("", b""),
    ],
)
def test_what_a_function_returns_becomes_the_data(returned: Any, data: bytes) -> None:
    [entry] = answer(lambda record: returned, b"{}")
    assert entry["result"] == "Ok"
    assert b64decode(entry["data"]) == data


def test_a_record_that_is_returned_as_it_came_has_no_context() -> None:
    [entry] = answer(lambda record: record.data, body(FIELDS))
    assert b64decode(entry["data"]) == body()


def test_each_record_has_its_own_ids() -> None:
    another = {**FIELDS, "x-correlation-id": "another"}
    done = answer(lambda record: clew.current().id, body(FIELDS), body(another), b"text")
    assert [b64decode(one["data"]).decode() for one in done] == [
        "the-request",
        "another",
        f"{REQUEST_ID}-2",
    ]


def test_records_are_dropped_and_failed_one_by_one() -> None:
    results = iter([clew.DROP, "kept", clew.FAIL])
    dropped, kept, failed = answer(lambda record: next(results), b"a", b"b", b"c")
    assert (dropped["result"], dropped["data"]) == ("Dropped", "")
    assert (kept["result"], b64decode(kept["data"])) == ("Ok", b"kept")
    assert (failed["result"], b64decode(failed["data"])) == ("ProcessingFailed", b"c")
    assert (repr(clew.DROP), repr(clew.FAIL)) == ("clew.DROP", "clew.FAIL")


def test_keys_for_dynamic_partitioning() -> None:
    keys = {"customer": "1"}
    [entry] = answer(lambda record: clew.Transformed({"a": 1}, partition_keys=keys), b"{}")
    assert entry["metadata"] == {"partitionKeys": keys}
    assert b64decode(entry["data"]) == b'{"a":1}'


def _odd(record: FirehoseRecord) -> str:
    if record.payload == b"bad":
        raise LookupError("no such order")
    return "good"


def test_a_failure_stops_the_batch_or_only_its_record(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(LookupError, match="no such order"):
        answer(_odd, b"good", b"bad")
    capsys.readouterr()
    good, bad, last = answer(_odd, b"good", b"bad", b"good", on_failure=clew.skip())
    assert [good["result"], bad["result"], last["result"]] == ["Ok", "ProcessingFailed", "Ok"]
    assert b64decode(bad["data"]) == b"bad"
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [error] = [line for line in lines if line["message"] == "record not transformed"]
    assert error["exception"]["type"] == "LookupError"
    assert error["recordId"] == bad["recordId"]
    [wide] = [line for line in lines if line["message"] == "invocation"]
    assert [one["outcome"] for one in wide["received"]] == ["done", "skipped", "done"]


@pytest.mark.parametrize("returned", [None, 7, object(), {1, 2}, {"a": object()}])
def test_to_return_nothing_of_use_is_a_failure(returned: Any) -> None:
    with pytest.raises((ClewError, TypeError)):
        answer(lambda record: returned, b"{}")
    [entry] = answer(lambda record: returned, b"{}", on_failure=clew.skip())
    assert entry["result"] == "ProcessingFailed"


def test_it_says_what_to_return() -> None:
    with pytest.raises(ClewError, match=r"returned NoneType .* Return bytes, a str"):
        answer(lambda record: None, b"{}")


def test_what_the_answer_has_no_room_for_fails_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An answer that Lambda does not take fails all of the batch."""
    monkeypatch.setattr(handlers, "MAX_RESPONSE", 2_000)
    done = answer(lambda record: b"x" * 900, b"1", b"2", b"3")
    assert [one["result"] for one in done] == ["Ok", "ProcessingFailed", "ProcessingFailed"]
    assert "no room for all records" in capsys.readouterr().out


@pytest.mark.parametrize("event", [{}, None, {"records": []}, {"key": "value"}])
def test_an_event_that_is_not_firehoses_has_no_records(event: Any) -> None:
    handler = clew.firehose_handler(on_failure=clew.halt())(lambda record: record.data)
    assert handler(event, Context()) == {"records": []}


@pytest.mark.parametrize("raw", [None, 7, "text", {}, {"recordId": None}, {"data": "%"}])
def test_a_record_of_another_shape_is_answered(raw: Any) -> None:
    handler = clew.firehose_handler(on_failure=clew.halt())(lambda record: record.data)
    [entry] = handler(firehose() | {"records": [raw]}, Context())["records"]
    assert entry["recordId"] == ""
    assert entry["result"] == "Ok"


@pytest.mark.parametrize("policy", [None, "skip", 7])
def test_the_policy_has_to_be_one(policy: Any) -> None:
    with pytest.raises(ClewError, match=r"clew\.halt\(\) or clew\.skip\(\)"):
        clew.firehose_handler(on_failure=policy)

"""Kinesis: a context inside the JSON payload, and bytes that are the producer's own."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest

from clew import KinesisRecord, capture

from .events import (
    FIELDS,
    PARENT_ID,
    REQUEST_ID,
    TRACE_ID,
    Context,
    kinesis,
    kinesis_record,
    with_context,
)

DATA = '{ "name": "Тайвин", "n": 1.50,\n "e": 1E2 }'.encode()


def records(*payloads: Any) -> list[KinesisRecord]:
    found = capture(kinesis(*payloads), Context()).records
    assert all(isinstance(record, KinesisRecord) for record in found)
    return found  # type: ignore[return-value]


@pytest.mark.parametrize("name", ["__context", "__context__"])
def test_the_context_is_read_and_the_bytes_are_the_producers(name: str) -> None:
    (record,) = records(with_context(DATA, FIELDS, name))
    assert dict(record.correlation) == {
        "x-correlation-id": "the-request",
        "x-correlation-user-id": "42",
        "debug-log-enabled": "false",
        "user-agent": "Mozilla/5.0",
        "call-chain-length": "3",
    }
    assert (record.correlation.trace_id, record.correlation.parent_span_id) == (TRACE_ID, PARENT_ID)
    assert record.data == DATA
    assert record.payload == record.json() == json.loads(DATA)
    assert (record.problem, record.dropped) == ("", 0)


def test_what_the_node_library_wrote_is_read() -> None:
    """Its chain length is a number, and its context stands last."""
    context = {"x-correlation-id": "from-node", "call-chain-length": 4, "debug-log-enabled": "true"}
    (record,) = records(json.dumps({"a": 1, "__context__": context}).encode())
    assert record.correlation.id == "from-node"
    assert (record.correlation.chain_length, record.correlation.debug) == (5, True)
    assert record.data == b'{"a": 1}'


def test_every_record_has_its_own_correlation() -> None:
    one, two, three = records(
        with_context(DATA, {**FIELDS, "x-correlation-id": "1"}), DATA, with_context(b"{}", FIELDS)
    )
    assert [record.correlation.id for record in (one, two, three)] == [
        "1",
        f"{REQUEST_ID}-1",
        "the-request",
    ]
    assert "x-correlation-user-id" not in two.correlation
    assert len({record.correlation.span_id for record in (one, two, three)}) == 3


@pytest.mark.parametrize(
    "data", [b"Hello, this is a test.", b"", b"\x00\xff\xfe", b"[1, 2]", b"\x1f\x8b\x08", b"null"]
)
def test_a_payload_that_is_no_object_is_handed_over_as_bytes(data: bytes) -> None:
    (record,) = records(data)
    assert record.payload == record.data == data
    assert record.correlation.id == REQUEST_ID
    assert (record.problem, record.dropped) == ("", 0), "nothing is wrong with such a payload"


@pytest.mark.parametrize("data", [b"{", b' {"a": nan}', b'{"a":"\xff"}', b'{"a":1}}'])
def test_a_payload_that_only_begins_as_an_object_is_told(data: bytes) -> None:
    (record,) = records(data)
    assert record.payload == record.data == data
    assert record.correlation.id == REQUEST_ID
    assert record.problem == "a record's data begins as a JSON object and is none"


@pytest.mark.parametrize(
    ("encoded", "data"),
    [
        ("%%%", b"%%%"),
        ("SGVsbG8", b"SGVsbG8"),
        ("SGVs\nbG8=", b"SGVs\nbG8="),
        ("naïve", "naïve".encode()),
        ("\ud800", b"\xed\xa0\x80"),
        (None, b""),
        (7, b""),
        ({"a": 1}, b""),
    ],
)
def test_data_that_is_not_base64_is_handed_over_as_it_is(encoded: object, data: bytes) -> None:
    (record,) = records(encoded)
    assert record.payload == record.data == data
    assert record.correlation.id == REQUEST_ID
    assert record.problem == "a record's data is not base64"


@pytest.mark.parametrize("context", ["text", 7, ["x-correlation-id"], {"tenant": "a"}])
@pytest.mark.parametrize("number", [1, 20])
def test_what_has_no_field_in_it_is_the_users_own(context: object, number: int) -> None:
    data = json.dumps({"a": 1, "__context": context}).encode()
    record = records(*[data] * number)[-1]
    assert (record.payload, record.data) == ({"a": 1, "__context": context}, data)
    assert record.correlation.id.startswith(REQUEST_ID)
    assert record.dropped == 0


def test_the_services_names() -> None:
    (record,) = records(b"{}")
    assert record.partition_key == "1"
    assert record.sequence_number == "49590338271490256608559692538361571095921575989136590000"
    assert record.shard_id == "shardId-000000000006"
    assert record.position == {
        "shardId": record.shard_id,
        "sequenceNumber": record.sequence_number,
    }
    assert record.stream_arn == "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream"
    assert record.arrived == datetime(2018, 12, 17, 22, 10, 50, 987000, UTC)


@pytest.mark.parametrize("seconds", [None, "1545084650", 1e300, float("nan"), -1e20, []])
def test_an_arrival_that_is_no_time_is_none(seconds: object) -> None:
    event = kinesis(b"{}")
    event["Records"][0]["kinesis"]["approximateArrivalTimestamp"] = seconds
    (record,) = capture(event).records
    assert isinstance(record, KinesisRecord)
    assert record.arrived is None


@pytest.mark.parametrize("raw", [None, 7, "text", [], {}, {"kinesis": None}, {"kinesis": []}])
def test_a_record_of_another_shape(raw: object) -> None:
    event = {"Records": [kinesis_record(b"{}"), raw]}
    record = capture(event, Context()).records[1]
    assert isinstance(record, KinesisRecord)
    assert record.raw == raw
    assert record.correlation.id == f"{REQUEST_ID}-1"
    assert (record.payload, record.data, record.arrived) == (b"", b"", None)
    assert record.position == {"shardId": "", "sequenceNumber": ""}
    assert record.problem


def test_json_raises_for_what_is_none() -> None:
    (record,) = records(b"text")
    with pytest.raises(ValueError, match="Expecting value"):
        record.json()


def test_the_context_is_taken_out_even_before_anything_else_is_asked() -> None:
    (record,) = records(with_context(DATA, FIELDS))
    encoded = record.raw["kinesis"]["data"]
    assert b64encode(with_context(DATA, FIELDS)).decode() == encoded, "raw is what Lambda gave"
    assert "__context" not in record.payload

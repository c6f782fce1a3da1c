"""Records and their events, against the shapes of the documentation."""

from __future__ import annotations

import base64
import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from clew.capture import capture
from clew.streams.worker import MappingSettings
from clew.streams.worker.records import lane_of, shape_of

from .making import ARN, TABLE_ARN, record

KINESIS = shape_of(MappingSettings(ARN, "LATEST").source)
DYNAMODB = shape_of(MappingSettings(TABLE_ARN, "LATEST").source)
RAW = {
    "SequenceNumber": "49590338271490256608559692538361571095921575989136588898",
    "PartitionKey": "1",
    "Data": "SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==",
    "ApproximateArrivalTimestamp": 1545084650.987,
}
CHANGE: dict[str, Any] = {
    "eventID": "1",
    "eventName": "INSERT",
    "eventVersion": "1.1",
    "eventSource": "aws:dynamodb",
    "awsRegion": "us-east-1",
    "dynamodb": {
        "ApproximateCreationDateTime": 1479499740,
        "Keys": {"Id": {"N": "101"}},
        "NewImage": {"Id": {"N": "101"}, "Blob": {"B": "SGVsbG8="}},
        "SequenceNumber": "111",
        "SizeBytes": 26,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    },
}


def test_a_kinesis_event_is_lambdas() -> None:
    assert KINESIS.event(KINESIS.read(RAW), "shardId-000000000006") == {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": "1",
            "sequenceNumber": "49590338271490256608559692538361571095921575989136588898",
            "data": "SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==",
            "approximateArrivalTimestamp": 1545084650.987,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": "shardId-000000000006:49590338271490256608559692538361571095921575989136588898",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::000000000000:role/lambda-role",
        "awsRegion": "us-east-1",
        "eventSourceARN": ARN,
    }


def test_a_record_reads_the_same_from_the_wire_and_from_the_client() -> None:
    parsed = RAW | {
        "Data": b"Hello, this is a test.",
        "ApproximateArrivalTimestamp": datetime.fromtimestamp(1545084650.987, UTC),
    }
    assert KINESIS.read(parsed) == KINESIS.read(RAW)


def test_the_size_is_a_little_more_than_the_event() -> None:
    for key, data in [("k", b""), ("é" * 256, b"x" * 1000), ('"' * 256, b"\0" * 10)]:
        raw = RAW | {"PartitionKey": key, "Data": base64.b64encode(data).decode()}
        read = KINESIS.read(raw)
        event = json.dumps(KINESIS.event(read, "shardId-000000000006"), separators=(",", ":"))
        assert len(event) <= read.size <= len(event) + 200


def test_a_dynamodb_event_is_lambdas() -> None:
    read = DYNAMODB.read(CHANGE)
    assert (read.sequence, read.arrived) == ("111", 1479499740.0)
    event = DYNAMODB.event(read, "shard")
    assert event == CHANGE | {"eventSourceARN": TABLE_ARN}
    assert len(json.dumps(event, separators=(",", ":"))) <= read.size


def test_a_handler_that_changes_its_event_changes_nothing_else() -> None:
    read = DYNAMODB.read(CHANGE)
    DYNAMODB.event(read, "shard")["dynamodb"]["NewImage"].clear()
    assert DYNAMODB.event(read, "shard")["dynamodb"]["NewImage"]


@pytest.mark.parametrize(
    ("data", "seen"), [(b'{"a": [1.50]}', {"a": ["1.50"]}), (b"plain", None), (b"\xff\xfe", None)]
)
def test_filters_see_the_data_as_json_beside_the_metadata(data: bytes, seen: Any) -> None:
    raw = RAW | {"Data": base64.b64encode(data).decode()}
    matchable = KINESIS.matchable(KINESIS.read(raw), "shard")
    assert matchable["partitionKey"] == "1"
    assert matchable.get("data") == seen
    assert "kinesis" not in matchable


def test_a_key_is_always_in_the_same_lane() -> None:
    lanes = Counter(lane_of(record(1, key=f"key-{at}"), 4) for at in range(1000))
    assert set(lanes) == {0, 1, 2, 3}
    assert min(lanes.values()) > 150
    # Checkpoints have a position for each lane, so this may never change.
    assert [lane_of(record(1, key=key), 10) for key in ("", "a", "é")] == [0, 7, 6]


def test_an_item_is_always_in_the_same_lane() -> None:
    other = {**CHANGE, "dynamodb": {**CHANGE["dynamodb"], "SequenceNumber": "112"}}
    assert DYNAMODB.read(CHANGE).key == DYNAMODB.read(other).key


def test_the_events_are_captured_like_lambdas_own() -> None:
    delivery = capture({"Records": [KINESIS.event(KINESIS.read(RAW), "shardId-000000000006")]})
    assert delivery.source == "aws:kinesis"
    assert delivery.records[0].data == b"Hello, this is a test."

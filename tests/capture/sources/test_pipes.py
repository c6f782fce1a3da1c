"""EventBridge Pipes: lists of records, of the kinds that their sources have."""

from __future__ import annotations

from typing import Any

import pytest

import clew
from clew import DynamoDBRecord, KinesisRecord, SqsRecord, capture

from ..events import FIELDS, REQUEST_ID, Context
from .events import (
    body,
    dynamodb_record,
    item,
    piped_kinesis,
    sqs_attributes,
    sqs_record,
)


def test_a_pipe_of_sqs() -> None:
    event = [sqs_record("a", sqs_attributes(FIELDS)), sqs_record("b", number=1)]
    delivery = capture(event, Context())
    assert (delivery.source, delivery.event) == ("aws:sqs", event)
    assert [type(record) for record in delivery.records] == [SqsRecord, SqsRecord]
    assert [record.correlation.id for record in delivery.records] == [
        FIELDS["x-correlation-id"],
        f"{REQUEST_ID}-1",
    ]


def test_a_pipe_of_kinesis_has_no_member_around_the_records() -> None:
    [record] = capture([piped_kinesis(body(FIELDS))], Context()).records
    assert isinstance(record, KinesisRecord)
    assert record.payload == {"order": 7}
    assert record.partition_key == "customer-1"
    assert record.shard_id == "shardId-000000000006"
    assert record.arrived is not None


def test_a_pipe_of_dynamodb_has_images_without_context() -> None:
    delivery = capture([dynamodb_record(item(FIELDS))], Context())
    [record] = delivery.records
    assert isinstance(record, DynamoDBRecord)
    assert delivery.event[0]["dynamodb"]["NewImage"] == item()


def test_a_stream_handler_takes_a_pipe() -> None:
    seen: list[Any] = []
    handler = clew.kinesis_handler(on_failure=clew.halt())(lambda r: seen.append(r.payload))
    handler([piped_kinesis(b'{"a": 1}'), piped_kinesis(b'{"a": 2}', 1)], Context())
    assert seen == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    "event",
    [
        [],
        [7],
        [None, {"eventSource": "aws:sqs"}],
        [{"eventSource": None}],
        [{"eventSource": "aws:nobody-knows"}],
        [{"eventSource": ["aws:sqs"]}],
        [{"order": 7}],
        [[]],
    ],
)
def test_other_lists_are_unknown(event: Any) -> None:
    """What an input transformer made of the records, say."""
    delivery = capture(event, Context())
    assert (delivery.source, delivery.records) == ("unknown", [])
    assert delivery.event is event


def test_a_record_of_a_pipe_may_be_anything() -> None:
    delivery = capture([sqs_record("a"), None, 7, "text"], Context())
    assert len(delivery.records) == 4

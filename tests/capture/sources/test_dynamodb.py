"""Changes of items: the context that this change wrote, and images without it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from clew import DynamoDBRecord, capture

from ..events import FIELDS, REQUEST_ID, Context
from .events import dynamodb, dynamodb_record, item

OTHER = {**FIELDS, "x-correlation-id": "before", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}


def only(record: dict[str, Any]) -> DynamoDBRecord:
    [found] = capture(dynamodb(record), Context()).records
    assert isinstance(found, DynamoDBRecord)
    return found


def test_the_new_image_counts() -> None:
    record = only(dynamodb_record(item(FIELDS), item(OTHER)))
    assert record.correlation.id == FIELDS["x-correlation-id"]


def test_of_an_item_that_is_gone_the_old_image_counts() -> None:
    record = only(dynamodb_record(old=item(OTHER), name="REMOVE"))
    assert record.correlation.id == "before"
    assert record.payload == {"id": "7", "total": Decimal("12.5")}


def test_a_change_that_did_not_write_the_context_is_another_requests() -> None:
    """Who wrote the item before has nothing to do with who changes it without clew."""
    record = only(dynamodb_record(item(OTHER, note={"S": "new"}), item(OTHER)))
    assert record.correlation.id == REQUEST_ID


def test_a_request_that_writes_an_item_twice_keeps_its_ids() -> None:
    """The Node library writes the same context each time, and names no sends."""
    fields = {"x-correlation-id": "node", "call-chain-length": "1"}
    record = only(dynamodb_record(item(fields, "__context__"), item(fields, "__context__")))
    assert record.correlation.id == "node"


@pytest.mark.parametrize("name", ["__context", "__context__"])
@pytest.mark.parametrize(
    "context",
    [
        {"M": {"x-correlation-id": {"S": "a"}, "call-chain-length": {"N": "4"}}},
        {"M": {"x-correlation-id": {"S": "a"}, "call-chain-length": {"S": "4"}}},
        {"S": '{"x-correlation-id": "a", "call-chain-length": 4}'},
    ],
)
def test_forms_of_a_context(name: str, context: dict[str, Any]) -> None:
    record = only(dynamodb_record({**item(), name: context}))
    assert record.correlation.id == "a"
    assert record.correlation.chain_length == 5
    assert record.new_image == item()


def test_a_flag_is_text_on_the_wire() -> None:
    flagged = {"M": {"x-correlation-id": {"S": "a"}, "debug-log-enabled": {"BOOL": True}}}
    assert only(dynamodb_record({**item(), "__context": flagged})).correlation.debug


@pytest.mark.parametrize(
    "context", [{"S": "text"}, {"S": "[]"}, {"L": []}, {}, {"M": None}, "text", None, [], 7]
)
def test_a_context_of_another_kind_is_left_out(context: Any) -> None:
    record = only(dynamodb_record({**item(), "__context": context}))
    assert record.correlation.id == REQUEST_ID
    assert record.new_image == item()
    assert record.dropped == (context is not None)


def test_the_handler_gets_images_without_context() -> None:
    plain = dynamodb_record(item())
    event = dynamodb(dynamodb_record(item(FIELDS), item(OTHER)), plain)
    before = json.dumps(event)
    delivery = capture(event, Context())
    assert "__context" not in json.dumps(delivery.event)
    assert delivery.event["Records"][0]["dynamodb"]["NewImage"] == item()
    assert delivery.event["Records"][1] is plain
    assert json.dumps(event) == before
    assert delivery.records[0].raw is event["Records"][0]


def test_an_event_without_context_is_not_copied() -> None:
    event = dynamodb()
    assert capture(event, Context()).event is event


def test_the_names_of_a_change() -> None:
    record = only(dynamodb_record(item(), item(total={"N": "1"})))
    assert (record.event_name, record.expired) == ("MODIFY", False)
    assert record.keys == {"id": {"S": "7"}}
    assert record.old_image == item(total={"N": "1"})
    assert record.sequence_number == "4492000000000017834926710"
    assert record.stream_arn.endswith("/stream/2021")
    assert record.arrived == datetime(2016, 11, 18, 20, 9, tzinfo=UTC)
    assert json.loads(record.data) == item()


def test_an_item_that_expired() -> None:
    by_ttl = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    record = only({**dynamodb_record(old=item(), name="REMOVE"), "userIdentity": by_ttl})
    assert record.expired


def test_a_stream_of_keys_only() -> None:
    assert only(dynamodb_record()).payload == {"id": "7"}


def test_values_are_those_of_boto3s_table() -> None:
    from boto3.dynamodb.types import TypeDeserializer

    typed: dict[str, Any] = {
        "s": {"S": "ü"},
        "n": {"N": "12345678901234567890.5"},
        "b": {"B": b"\x00\xff"},
        "t": {"BOOL": False},
        "z": {"NULL": True},
        "m": {"M": {"l": {"L": [{"N": "1"}, {"M": {}}]}}},
        "ss": {"SS": ["a", "b"]},
        "ns": {"NS": ["1", "2.5"]},
        "bs": {"BS": [b"a"]},
    }
    theirs = {name: TypeDeserializer().deserialize(value) for name, value in typed.items()}
    in_event = {**typed, "b": {"B": "AP8="}, "bs": {"BS": ["YQ=="]}}
    assert only(dynamodb_record(in_event)).payload == theirs


@pytest.mark.parametrize("odd", [{"N": "many"}, {"B": "!"}, {"M": 7}, {"L": None}, {"Z": 1}, 7, {}])
def test_what_is_no_value_stays_as_it_is(odd: Any) -> None:
    assert only(dynamodb_record({"odd": odd})).payload == {"odd": odd}

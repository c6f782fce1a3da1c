"""W3C baggage without OpenTelemetry: checked, passed on, the first to go where room is short."""

from __future__ import annotations

import json
from typing import Any

import pytest

import clew
from clew import wire
from clew.capture.receive import receive
from clew.forward import dynamodb, kinesis, s3, sns
from clew.forward.limits import DYNAMODB_ITEM, KINESIS_RECORD, S3_METADATA, SNS_MESSAGE

from .functions import http_event

# Of W3C Baggage, "Examples of HTTP headers", and its limits.
VALID = [
    "key1=value1;property1;property2, key2 = value2, key3=value3; propertyKey=propertyValue",
    "userId=Am%C3%A9lie,serverNode=DF%2028,isProduction=false",
    "empty=",
    "a=b=c",
    ",".join(f"k{n}=v" for n in range(64)),
    f"k={'v' * (8192 - 2)}",
]
INVALID = [
    "=value",
    "a b=c",
    'a="quoted"',
    "a=b\\c",
    "a=b,c",
    "a=b;=c",
    "a=b,,c=d",
    "a=b c",
    "a=é",
    "a=b\r\nset-cookie: c=d",
    "a=b\x00",
    ",".join(f"k{n}=v" for n in range(65)),
    f"k={'v' * 8191}",
]


@pytest.mark.parametrize("value", VALID)
def test_what_is_valid_is_passed_on_as_it_came(value: str) -> None:
    came = clew.capture(http_event({"Baggage": value, "x-correlation-id": "1"})).correlation
    assert came.baggage == value
    assert came.outgoing("b" * 16)["baggage"] == value
    assert json.loads(came.as_context("b" * 16))["baggage"] == value
    assert value not in came.as_json()
    assert "baggage" not in came


@pytest.mark.parametrize("value", INVALID)
def test_what_is_malformed_or_too_large_is_dropped_and_counted(value: str) -> None:
    delivery = clew.capture(http_event({"baggage": value}))
    assert delivery.correlation.baggage == ""
    assert "baggage" not in delivery.correlation.outgoing("b" * 16)
    assert delivery.dropped == 1


def test_an_attribute_of_the_users_own_that_is_called_so_is_the_users() -> None:
    own = {"baggage": {"Type": "String", "Value": "2 pieces"}}
    event = {
        "Records": [{"EventSource": "aws:sns", "Sns": {"Message": "", "MessageAttributes": own}}]
    }
    (record,) = clew.capture(event).records
    assert record.correlation.baggage == ""
    assert record.dropped == 0
    assert isinstance(record, clew.SnsRecord)
    assert record.attributes == own


def test_what_clew_sent_as_an_attribute_is_not_the_users() -> None:
    sent = correlation().outgoing("b" * 16)
    attributes = {name: {"Type": "String", "Value": value} for name, value in sent.items()}
    message = {"Message": "", "MessageAttributes": attributes}
    (record,) = clew.capture({"Records": [{"EventSource": "aws:sns", "Sns": message}]}).records
    assert isinstance(record, clew.SnsRecord)
    assert record.correlation.baggage == "a=1"
    assert record.attributes == {}


def test_it_is_read_from_the_headers_of_kafka() -> None:
    raw = {"value": "", "headers": [{"baggage": list(b"a=1")}, {"x-correlation-id": list(b"1")}]}
    event = {"eventSource": "aws:kafka", "records": {"t-0": [raw]}}
    assert clew.capture(event).correlation.baggage == "a=1"


def test_one_made_by_hand_sends_nothing_malformed() -> None:
    made = clew.Correlation({"x-correlation-id": "1"}, baggage="a=1\r\nset-cookie: b")
    assert "baggage" not in made.outgoing("b" * 16)


def test_bound_ids_keep_it() -> None:
    with clew.use(correlation()):
        assert clew.bind(user_id="1").baggage == "a=1"


def correlation(baggage: str = "a=1") -> clew.Correlation:
    """One that came in with baggage."""
    came = {"x-correlation-id": "1", "baggage": baggage}
    return receive(wire.check(came.items()), "own", None)


LARGE = f"a={'b' * 8000}"


def test_it_is_the_first_to_go_where_a_message_has_no_room() -> None:
    """All of these go out with the ids, and would not with the baggage."""
    text = "x" * (SNS_MESSAGE[-1] - 4000)
    message: dict[str, Any] = {"TopicArn": "arn:aws:sns:us-east-1:1:t", "Message": text}
    sns.Publish.stamp(message, correlation(LARGE))
    assert "baggage" not in message["MessageAttributes"]
    assert message["MessageAttributes"]["x-correlation-id"]["StringValue"] == "1"

    padding = "x" * (KINESIS_RECORD[-1] - 4000)
    record = {"StreamName": "s", "PartitionKey": "1", "Data": json.dumps({"a": padding})}
    kinesis.PutRecord.stamp(record, correlation(LARGE))
    context = json.loads(record["Data"])["__context"]
    assert context["x-correlation-id"] == "1"
    assert "baggage" not in context

    upload: dict[str, Any] = {"Bucket": "b", "Key": "k"}
    s3.PutObject.stamp(upload, correlation(f"a={'b' * (S3_METADATA - 100)}"))
    assert upload["Metadata"]["x-correlation-id"] == "1"
    assert "baggage" not in upload["Metadata"]


def test_it_is_the_first_to_go_where_an_item_has_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEW_FORWARD_TABLES", "t")
    padding = {"S": "x" * (DYNAMODB_ITEM - 4000)}
    put: dict[str, Any] = {"TableName": "t", "Item": {"a": padding}}
    dynamodb.PutItem.stamp(put, correlation(LARGE))
    assert put["Item"]["__context"]["M"]["x-correlation-id"] == {"S": "1"}
    assert "baggage" not in put["Item"]["__context"]["M"]


def test_it_goes_along_where_there_is_room() -> None:
    message: dict[str, Any] = {"TopicArn": "arn:aws:sns:us-east-1:1:t", "Message": "m"}
    sns.Publish.stamp(message, correlation(LARGE))
    assert message["MessageAttributes"]["baggage"]["StringValue"] == LARGE

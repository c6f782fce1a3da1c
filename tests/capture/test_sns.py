"""SNS: attributes one each or packed, and a message that is the publisher's own."""

from __future__ import annotations

from typing import Any

import pytest

from clew import SnsRecord, capture

from .events import FIELDS, PARENT_ID, REQUEST_ID, TRACE_ID, Context, attributes, packed, sns

OWN = {
    "Test": {"Type": "String", "Value": "TestString"},
    "TestBinary": {"Type": "Binary", "Value": "TestBinary"},
}


def only(event: dict[str, Any]) -> SnsRecord:
    (record,) = capture(event, Context()).records
    assert isinstance(record, SnsRecord)
    return record


@pytest.mark.parametrize(
    "carried",
    [
        attributes(FIELDS),
        attributes({name.upper(): value for name, value in FIELDS.items()}),
        packed(str(FIELDS).replace("'", '"')),
    ],
)
def test_fields_come_as_attributes(carried: dict[str, Any]) -> None:
    delivery = capture(sns("hello", carried), Context())
    assert delivery.source == "aws:sns"
    assert delivery.correlation is delivery.records[0].correlation
    assert dict(delivery.correlation) == {
        "x-correlation-id": "the-request",
        "x-correlation-user-id": "42",
        "debug-log-enabled": "false",
        "user-agent": "Mozilla/5.0",
        "call-chain-length": "3",
    }
    assert delivery.correlation.trace_id == TRACE_ID
    assert delivery.correlation.parent_span_id == PARENT_ID


@pytest.mark.parametrize("carried", [None, attributes(FIELDS), packed("{}"), packed("broken")])
def test_the_handler_sees_the_publishers_attributes_only(carried: Any) -> None:
    assert only(sns("hello", carried)).attributes == OWN


def test_the_message_is_the_publishers_text() -> None:
    text = '{"__context": "this is the publisher\'s own text", "ü": "\ud800"}'
    record = only(sns(text, attributes(FIELDS)))
    assert record.payload == text
    assert record.data == text.encode("utf-8", "surrogatepass")


def test_the_services_names() -> None:
    record = only(sns())
    assert record.message_id == "95df01b4-ee98-5cb9-9903-4c221d41eb5e"
    assert record.position == {"messageId": record.message_id}
    assert record.topic_arn == "arn:aws:sns:us-east-1:123456789012:sns-lambda"
    assert record.subject == "TestInvoke"
    assert repr(record) == f"SnsRecord({record.position!r}, {REQUEST_ID!r})"


def test_a_message_without_clew_begins_with_lambdas_request_id() -> None:
    assert only(sns()).correlation.id == REQUEST_ID


@pytest.mark.parametrize(
    "carried",
    [
        packed("[1]"),
        packed("{"),
        {"clew-context": {"Type": "Binary", "Value": "%%%"}},
        {"clew-context": {"Type": "Binary", "Value": "naïve"}},
        {"clew-context": {"Type": "Binary", "Value": 7}},
        {"clew-context": "text"},
        {"x-correlation-id": "text"},
        {"x-correlation-id": {"Type": "String"}},
        {"x-correlation-id": {"Type": "String", "Value": ["a"]}},
        {"x-correlation-id": None},
    ],
)
def test_what_cannot_be_read_is_counted(carried: dict[str, Any]) -> None:
    record = only(sns("hello", carried))
    assert record.correlation.id == REQUEST_ID
    assert record.dropped == 1
    assert record.payload == "hello"
    assert record.attributes == OWN


@pytest.mark.parametrize("carried", ["text", 7, ["a"]])
def test_attributes_of_another_type_are_counted(carried: object) -> None:
    record = only(sns("hello", carried))
    assert record.correlation.id == REQUEST_ID
    assert record.dropped == 1
    assert record.attributes == {}


@pytest.mark.parametrize("message", [None, 7, {"a": 1}, ["a"]])
def test_a_message_of_another_type_is_no_text(message: object) -> None:
    record = only(sns(message))
    assert (record.payload, record.data) == ("", b"")
    assert record.raw["Sns"]["Message"] == message


@pytest.mark.parametrize("inner", [None, 7, "text", []])
def test_a_record_of_another_shape(inner: object) -> None:
    record = only({"Records": [{"EventSource": "aws:sns", "Sns": inner}]})
    assert record.correlation.id == REQUEST_ID
    assert (record.payload, record.attributes, record.message_id) == ("", {}, "")

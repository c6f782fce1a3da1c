"""Messages of a queue: attributes, X-Ray's own, and whatever another service put into the body."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from clew import SqsRecord, capture

from ..events import FIELDS, PARENT_ID, REQUEST_ID, TRACE_ID, XRAY_ROOT, Context, attributes, sns
from .events import (
    QUEUE,
    XRAY,
    body,
    dead_letter,
    destination,
    eventbridge,
    failed_batch,
    notification,
    s3,
    sqs,
    sqs_attributes,
    sqs_packed,
    sqs_record,
)

if TYPE_CHECKING:
    from clew.correlation import Correlation


def only(record: dict[str, Any]) -> SqsRecord:
    [found] = capture(sqs(record), Context()).records
    assert isinstance(found, SqsRecord)
    return found


def in_body(value: Any) -> SqsRecord:
    return only(sqs_record(value if isinstance(value, str) else json.dumps(value)))


def is_the_senders(correlation: Correlation, hops: int = 1) -> bool:
    return (
        correlation.id == FIELDS["x-correlation-id"]
        and correlation["x-correlation-user-id"] == "42"
        and correlation.chain_length == int(FIELDS["call-chain-length"]) + hops
        and (correlation.trace_id, correlation.parent_span_id) == (TRACE_ID, PARENT_ID)
    )


@pytest.mark.parametrize(
    "carried",
    [
        sqs_attributes(FIELDS),
        sqs_attributes({name.upper(): value for name, value in FIELDS.items()}),
        sqs_packed(json.dumps(FIELDS)),
    ],
)
def test_fields_come_as_attributes(carried: dict[str, Any]) -> None:
    own = sqs_attributes({"tenant": "a"})
    record = only(sqs_record("hello", {**own, **carried}))
    assert is_the_senders(record.correlation)
    assert record.attributes == own
    assert (record.payload, record.data, record.body) == ("hello", b"hello", "hello")


def test_the_names_of_a_message() -> None:
    record = only(sqs_record())
    assert record.message_id == "059f36b4-87a3-44ab-83d2-661975350000"
    assert record.queue_arn == QUEUE
    assert record.receipt_handle.startswith("AQEB")
    assert record.receive_count == 1
    assert record.sent_at == datetime(2018, 12, 17, 21, 37, 29, 183000, UTC)
    assert (record.group_id, record.deduplication_id, record.sequence_number) == ("", "", "")
    assert (record.topic_arn, record.published_attributes, record.failure) == ("", {}, {})
    assert record.position == {"messageId": record.message_id}


def test_a_fifo_queue_has_groups() -> None:
    message = sqs_record(
        MessageGroupId="customer-1",
        MessageDeduplicationId="once",
        SequenceNumber="18849496460467696128",
    )
    record = only(message)
    assert (record.group_id, record.deduplication_id) == ("customer-1", "once")
    assert record.sequence_number == "18849496460467696128"
    assert record.position["messageGroupId"] == "customer-1"


def test_x_ray_comes_with_each_message() -> None:
    """Lambda's own trace is that of the poller; the sender's is in the message."""
    record = only(sqs_record("hello", AWSTraceHeader=XRAY))
    assert record.correlation.xray_trace_id == XRAY_ROOT
    assert record.correlation.trace_id == XRAY_ROOT.removeprefix("1-").replace("-", "")
    traced = only(sqs_record("hello", sqs_attributes(FIELDS), AWSTraceHeader=XRAY))
    assert (traced.correlation.trace_id, traced.correlation.xray_trace_id) == (TRACE_ID, XRAY_ROOT)


@pytest.mark.parametrize("header", ["", "Root=none", "Sampled=1", 7, None, "Root=1-;" * 2_000])
def test_x_rays_header_may_be_anything(header: Any) -> None:
    assert only(sqs_record("hello", AWSTraceHeader=header)).correlation.xray_trace_id == ""


def test_a_context_in_the_body_goes_and_every_other_byte_stays() -> None:
    plain = '{ "a" : "\\u00fc",\n "b": 1.0}'
    text = plain.replace("{", '{"__context":' + json.dumps(FIELDS) + ",")
    record = in_body(text)
    assert is_the_senders(record.correlation)
    assert record.payload == plain
    assert record.body == text


def test_the_body_of_a_stamped_message_is_the_senders_own() -> None:
    text = '{"__context": "the sender\'s own"}'
    record = only(sqs_record(text, sqs_attributes(FIELDS)))
    assert record.payload == text
    assert is_the_senders(record.correlation)


def test_sns_in_a_queue() -> None:
    own = {"tenant": {"Type": "String", "Value": "a"}}
    record = in_body(notification("hello", {**own, **attributes(FIELDS)}))
    assert is_the_senders(record.correlation)
    assert record.payload == "hello"
    assert record.topic_arn == "arn:aws:sns:eu-central-1:111122223333:orders"
    assert record.published_attributes == own
    assert record.attributes == {}


def test_what_was_published_with_ids_is_the_publishers_own() -> None:
    text = '{"__context": "the publisher\'s own"}'
    record = in_body(notification(text, attributes(FIELDS)))
    assert record.payload == text
    assert is_the_senders(record.correlation)


def test_sns_in_a_queue_without_attributes() -> None:
    """What the publisher sent is the payload, whether it has clew or not."""
    record = in_body(notification('{"a": 1}'))
    assert record.correlation.id == REQUEST_ID
    assert record.payload == '{"a": 1}'


def test_raw_delivery_has_attributes_of_the_message_itself() -> None:
    assert is_the_senders(only(sqs_record("hello", sqs_attributes(FIELDS))).correlation)


def test_an_event_of_a_bus_in_a_queue() -> None:
    record = in_body(eventbridge(FIELDS))
    assert is_the_senders(record.correlation)
    assert record.json() == eventbridge()
    assert "__context" not in record.payload


def test_a_destination_is_one_hop_on() -> None:
    record = in_body(destination(json.loads(body(FIELDS))))
    assert is_the_senders(record.correlation, hops=2)
    assert record.json()["requestPayload"] == {"order": 7}


def test_a_failed_batch_is_named_after_its_invocation() -> None:
    record = in_body(failed_batch())
    assert record.correlation.id == failed_batch()["requestContext"]["requestId"]


@pytest.mark.parametrize(
    "event",
    [
        json.loads(body(FIELDS)),
        sns("hello", attributes(FIELDS)),
        eventbridge(FIELDS),
        sqs(sqs_record("hello", sqs_attributes(FIELDS))),
    ],
)
def test_a_dead_letter_has_the_ids_of_the_event_that_failed(event: Any) -> None:
    [record] = capture(dead_letter(event), Context()).records
    assert isinstance(record, SqsRecord)
    assert is_the_senders(record.correlation, hops=2)
    assert record.failure == {
        "RequestID": REQUEST_ID,
        "ErrorCode": "200",
        "ErrorMessage": "no such order",
    }


def test_a_dead_letter_without_ids_is_named_after_the_invocation_that_failed() -> None:
    """That invocation's own log lines have this id."""
    [record] = capture(dead_letter({"order": 7}, "of-the-failed"), Context()).records
    assert record.correlation.id == "of-the-failed"
    assert record.correlation.chain_length == 2


@pytest.mark.parametrize(
    "text",
    [
        "__context",
        '["__context"]',
        '{"__context"',
        '{"__context": 7}',
        '{"Type": "Notification", "TopicArn": "a", "Message": 7, "MessageAttributes": {}}',
        '{"requestContext": 1}',
        '{"__context":' + "[" * 100_000,
        json.dumps(s3()),
        json.dumps(notification(json.dumps(notification("{}", {})), {})),
    ],
)
def test_a_body_that_only_looks_like_one_with_ids(text: str) -> None:
    record = in_body(text)
    assert record.correlation.id == REQUEST_ID
    assert record.body == text


def test_records_are_told_apart() -> None:
    delivery = capture(
        sqs(sqs_record("a", number=1), sqs_record("b", sqs_attributes(FIELDS), 2)), Context()
    )
    assert [record.correlation.id for record in delivery.records] == [
        f"{REQUEST_ID}-0",
        FIELDS["x-correlation-id"],
    ]
    assert delivery.correlation.id == REQUEST_ID

"""What a redrive would send, for letters of every source; nothing is sent."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import clew
from capture.events import sns
from clew.dlq.errors import DlqError
from clew.dlq.letter import Letter, read_letter
from clew.dlq.message import Message
from clew.dlq.parts import (
    FUNCTION,
    QUEUE,
    ToFunction,
    ToQueue,
    ToStream,
    ToTopic,
    Where,
    event_of,
    parts_of,
)
from clew.dlq.replay import with_debug
from clew.streams.envelope import Envelope, seal
from clew.streams.policy import halt
from streams.making import dynamodb, event, fifo, kafka, kinesis, sqs

FIELDS = {"x-correlation-id": "request-1", "call-chain-length": "2"}


def letter_of(given_event: dict[str, Any], message_id: str = "an-id") -> Letter:
    """The letter of the first record of an event."""
    delivery = clew.capture(given_event)
    envelope = seal(
        delivery.records[0],
        delivery.source,
        KeyError("name"),
        invocation=delivery.invocation,
        policy=halt(),
        first_at=0.0,
        last_at=1.0,
    )
    return read_letter(Message(message_id, envelope.to_json()))


def test_a_record_of_a_stream() -> None:
    letter = letter_of(event([kinesis(1, "tywin")]))
    (part,) = parts_of(letter, Where())
    assert isinstance(part, ToStream)
    assert (part.key, json.loads(part.data)["n"]) == ("tywin", 1)
    context = json.loads(part.data)["__context"]
    assert context["x-correlation-id"] == letter.correlation_id, "also where it came without one"
    assert part.order == (part.stream, "tywin")


@pytest.mark.parametrize("consumer", [False, True])
def test_a_registered_consumers_stream_is_its_stream(*, consumer: bool) -> None:
    raw = kinesis(1, "k")
    stream = "arn:aws:kinesis:eu-west-1:123456789012:stream/posts"
    raw["eventSourceARN"] = f"{stream}/consumer/mine:1" if consumer else stream
    (part,) = parts_of(letter_of(event([raw])), Where())
    assert isinstance(part, ToStream)
    assert part.stream == stream


def test_a_message_of_a_fifo_queue() -> None:
    letter = letter_of(event([fifo(1, "a-group")]))
    (part,) = parts_of(letter, Where())
    (same,) = parts_of(letter, Where())
    other = read_letter(Message("another-id", letter.message.body))
    (later,) = parts_of(other, Where())
    assert isinstance(part, ToQueue)
    assert isinstance(later, ToQueue)
    assert (part.body, part.group, part.queue[-5:]) == ('{"n": 1}', "a-group", ".fifo")
    assert part == same, "sent twice, SQS takes it once"
    assert part.deduplication not in (later.deduplication, "1"), "and in its next life again"
    assert part.order == (part.queue, "a-group")


def test_a_message_keeps_its_attributes_and_has_its_context_in_one() -> None:
    raw = sqs(1, "")
    raw["messageAttributes"] = {
        "tier": {"dataType": "String", "stringValue": "gold"},
        "raw": {"dataType": "Binary", "binaryValue": "/w=="},
        "x-correlation-id": {"dataType": "String", "stringValue": "request-1"},
        "x-correlation-user-id": {"dataType": "String", "stringValue": "42"},
        "traceparent": {"dataType": "String", "stringValue": f"00-{'1' * 32}-{'2' * 16}-01"},
        "tracestate": {"dataType": "String", "stringValue": "other=1"},
    }
    letter = letter_of(event([raw]))
    assert letter.envelope is not None
    (part,) = parts_of(letter, Where(QUEUE))
    assert isinstance(part, ToQueue)
    assert set(part.attributes) == {"tier", "raw", "clew-context"}
    assert part.attributes["raw"]["BinaryValue"] == b"\xff"
    packed = json.loads(part.attributes["clew-context"]["BinaryValue"])
    assert packed["x-correlation-user-id"] == "42"
    assert packed["idempotency-key"].endswith("message-1")
    parent = f"00-{'1' * 32}-{letter.envelope.span_id}-01"
    assert packed["traceparent"] == parent, "its story goes on from the letter"
    assert "tracestate" not in packed
    raw["messageAttributes"] = {
        f"own-{n}": {"dataType": "String", "stringValue": "x"} for n in range(10)
    }
    (part,) = parts_of(letter_of(event([raw])), Where())
    assert isinstance(part, ToQueue)
    assert set(part.attributes) == {f"own-{n}" for n in range(10)}, "there is no room"


def test_a_message_of_a_topic() -> None:
    given_event = sns('{"n": 1}')
    own = given_event["Records"][0]["Sns"]
    own["MessageAttributes"] = {"a": {"Type": "Binary", "Value": "/w=="}}
    (part,) = parts_of(letter_of(given_event), Where())
    assert isinstance(part, ToTopic)
    assert part.body == '{"n": 1}'
    assert part.attributes == {"a": {"DataType": "Binary", "BinaryValue": b"\xff"}}
    own["MessageAttributes"]["a"]["Value"] = "no base64"
    with pytest.raises(DlqError, match="It is damaged: "):
        parts_of(letter_of(given_event), Where())


def test_a_damaged_letter_is_one_sentence() -> None:
    letter = letter_of(event([dynamodb(1, "k")]))
    assert letter.envelope is not None
    payload = {"encoding": "utf-8", "bytes": 1, "data": "{"}
    damaged = letter.with_envelope(Envelope({**letter.envelope.members, "payload": payload}))
    for call in (
        lambda: parts_of(damaged, Where(FUNCTION, function="f")),
        lambda: event_of(damaged),
    ):
        with pytest.raises(DlqError, match="It is damaged: JSONDecodeError"):
            call()


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (dynamodb(1, "k"), "A DynamoDB stream takes no records; redrive it with --to function"),
        (kafka(1, "k"), "clew gives Kafka no records"),
    ],
)
def test_what_takes_no_records_is_said(raw: dict[str, Any], said: str) -> None:
    letter = letter_of(event([raw]))
    with pytest.raises(DlqError, match=said):
        parts_of(letter, Where())
    (part,) = parts_of(letter, Where(FUNCTION, function="f"))
    assert isinstance(part, ToFunction)
    (record,) = clew.capture(json.loads(part.payload)).records
    assert record.raw == clew.capture(event([raw])).records[0].raw


def test_a_moved_letter_is_the_message_as_it_is() -> None:
    target = "arn:aws:sqs:eu-west-1:123456789012:again"
    letter = letter_of(event([kinesis(1, "tywin")]))
    assert parts_of(letter, Where(QUEUE, target)) == [ToQueue(target, letter.message.body)]
    (part,) = parts_of(letter, Where(QUEUE, f"{target}.fifo"))
    assert isinstance(part, ToQueue)
    assert len(part.group) == len(part.deduplication) == 64
    broken = read_letter(Message("an-id", '{"clewDeadLetter": 9}'))
    assert parts_of(broken, Where(QUEUE, target)) == [ToQueue(target, broken.message.body)]
    with pytest.raises(DlqError, match="format '9'"):
        parts_of(broken, Where())


def test_where_the_function_is_not_known_it_has_to_be_said() -> None:
    letter = read_letter(Message("an-id", "text"))
    with pytest.raises(DlqError, match="name it with --invoke NAME"):
        parts_of(letter, Where(FUNCTION))
    (part,) = parts_of(letter, Where(FUNCTION, function="f"))
    assert isinstance(part, ToFunction)
    assert json.loads(part.payload)["Records"][0]["body"] == "text"


@given(st.binary(max_size=60), st.text(min_size=1, max_size=10))
def test_a_payload_that_is_no_json_object_goes_as_it_came(data: bytes, key: str) -> None:
    raw = kinesis(1, key)
    raw["kinesis"]["data"] = b64encode(b"\xff" + data).decode()
    letter = letter_of(event([raw]))
    (part,) = parts_of(letter, Where())
    assert isinstance(part, ToStream)
    assert (part.data, part.key) == (b"\xff" + data, key)
    again = json.loads(event_of(letter))["Records"][0]
    assert again == raw


def test_a_replay_decides_for_debug() -> None:
    raw = kinesis(1, "k")
    decided = with_debug(json.loads(event_of(letter_of(event([raw])))))
    data = json.loads(b64decode(decided["Records"][0]["kinesis"]["data"]))
    assert data["__context"]["debug-log-enabled"] == "true"
    assert clew.capture(decided).records[0].correlation.debug
    for given_event in (event([sqs(1, "")]), sns("text")):
        assert clew.capture(with_debug(given_event)).records[0].correlation.debug
    for other in (
        None,
        7,
        {"a": 1},
        {"Records": 7},
        {"Records": [7, {}]},
        event([dynamodb(1, "k")]),
    ):
        assert with_debug(other) == other


def test_a_replay_signs_its_decision_where_there_is_a_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLEW_SECRET", "a-secret-of-sixteen-or-more")
    decided = with_debug(json.loads(event_of(letter_of(event([kinesis(1, "k")])))))
    assert clew.capture(decided).records[0].correlation.debug

"""What stands in a queue, and which of it is meant; without a queue."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from clew.dlq.filters import Filter, exactly
from clew.dlq.letter import Letter, function_name, in_order, read_letter
from clew.dlq.listing import table
from clew.dlq.message import Message
from clew.dlq.opened import Opened
from clew.dlq.view import print_letter
from clew.streams.envelope import Envelope

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SENT = {"SentTimestamp": "1767323045000"}
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:timeline"


def wrapped(body: str) -> str:
    """As SNS delivers it to a queue."""
    topic = "arn:aws:sns:eu-west-1:123456789012:failed"
    return json.dumps({"Type": "Notification", "TopicArn": topic, "Message": body})


def batch(name: str, stream: str) -> dict[str, Any]:
    """As the developer guide shows it."""
    return {
        "requestContext": {
            "requestId": "c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5",
            "functionArn": ARN,
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 2,
        },
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        },
        "version": "1.0",
        "timestamp": "2026-01-02T03:04:05.021Z",
        name: {
            "shardId": "shardId-000000000001",
            "startSequenceNumber": "49601189658422359378836298521827638475320189012309704722",
            "endSequenceNumber": "49601189658422359378836298522902373528957594348623495186",
            "approximateArrivalOfFirstRecord": "2026-01-02T03:04:04.835Z",
            "approximateArrivalOfLastRecord": "2026-01-02T03:04:05.360Z",
            "batchSize": 500,
            "streamArn": stream,
        },
    }


@pytest.mark.parametrize(
    ("name", "source"),
    [("KinesisBatchInfo", "aws:kinesis"), ("DDBStreamBatchInfo", "aws:dynamodb")],
)
@pytest.mark.parametrize("through_sns", [False, True])
def test_a_batch_that_a_mapping_gave_up(name: str, source: str, *, through_sns: bool) -> None:
    body = json.dumps(batch(name, "arn:aws:kinesis:eu-west-1:123456789012:stream/posts"))
    letter = read_letter(Message("an-id", wrapped(body) if through_sns else body, SENT))
    assert (letter.kind, letter.source, letter.function) == ("batch", source, "timeline")
    assert letter.error == "RetryAttemptsExhausted: the function failed: Unhandled"
    assert letter.attempts == 2
    assert letter.batch is not None
    assert (letter.batch.shard_id, letter.batch.size) == ("shardId-000000000001", 500)
    assert letter.at == datetime(2026, 1, 2, 3, 4, 5, 21_000, tzinfo=UTC)
    assert letter.payload is None


def test_an_event_in_a_functions_dead_letter_queue() -> None:
    told = {
        name: {"DataType": "String", "StringValue": value}
        for name, value in (
            ("RequestID", "a-request"),
            ("ErrorCode", "200"),
            ("ErrorMessage", "'name'"),
        )
    }
    letter = read_letter(Message("an-id", '{"order": 1}', SENT, told))
    assert (letter.kind, letter.correlation_id, letter.source) == (
        "event",
        "a-request",
        "aws:lambda",
    )
    assert letter.error == "200: 'name'"
    assert letter.payload == b'{"order": 1}'
    assert letter.at == NOW - timedelta(0)


@pytest.mark.parametrize(
    "body",
    ["", "text", "[]", "null", "7", '{"a": 1}', '{"requestContext": 7}', "[" * 200_000, "\ud800"],
)
def test_any_other_message_is_a_message(body: str) -> None:
    letter = read_letter(Message("an-id", body, SENT))
    assert (letter.kind, letter.id, letter.problem) == ("message", "an-id", "")
    assert letter.payload == body.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"clewDeadLetter": 2}, "has the format '2', and this clew reads up to 1"),
        ({"clewDeadLetter": 1}, "is damaged: "),
        ({"clewDeadLetter": "\x1b[2J"}, "has the format"),
    ],
)
def test_a_letter_that_cannot_be_read_says_why(body: dict[str, Any], said: str) -> None:
    letter = read_letter(Message("an-id", json.dumps(body), SENT))
    assert (letter.kind, letter.id) == ("letter", "an-id")
    assert said in letter.problem


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "x", 7])
def test_times_and_counts_that_cannot_be_spoil_nothing(at: object) -> None:
    """One such letter ended clew dlq show, and pushed all columns out of the list."""
    body = {
        **{name: {} for name in ("correlation", "error", "function")},
        "clewDeadLetter": 1,
        "id": "7f0c",
        "origin": {"source": "aws:kinesis"},
        "attempts": 10**300,
        "lives": -(10**300),
        "lastAttemptAt": at,
        "payload": {"encoding": "utf-8", "data": "{}"},
    }
    letter = read_letter(Message("an-id", json.dumps(body), SENT))
    assert (letter.attempts, letter.lives, letter.at) == (0, 1, letter.message.sent_at)
    console = Console(width=80)
    with console.capture() as shown:
        print_letter(Opened(letter), console, "")
        console.print(table([letter], datetime.now(UTC), 80))
    assert "7f0c" in shown.get().splitlines()[-1]


def test_function_names() -> None:
    assert function_name(ARN) == function_name(f"{ARN}:$LATEST") == "timeline"
    assert function_name("timeline") == "timeline"
    assert function_name(None) == ""


def made(number: int, *, correlation_id: str = "", **more: Any) -> Letter:
    """The letter of a record of a stream."""
    members = {
        "id": f"letter-{number}",
        "correlation": {},
        "origin": {"sequenceNumber": str(number)},
        "payload": {},
        "error": {},
        "function": {},
    }
    message = Message(f"message-{number}", "", SENT)
    given: dict[str, Any] = {"origin": "a-stream", "envelope": Envelope(members), **more}
    return Letter(message, "letter", f"letter-{number}", correlation_id, **given)


@given(st.permutations(range(10**20, 10**20 + 12)))
def test_letters_are_in_the_order_of_their_records(numbers: list[int]) -> None:
    found = in_order([made(number) for number in numbers])
    assert [letter.id for letter in found] == [f"letter-{number}" for number in sorted(numbers)]


def test_user_records_of_one_record_keep_their_order() -> None:
    letters = []
    for number in (2, 0, 1):
        letter = made(7)
        assert letter.envelope is not None
        letter.envelope.members["userRecord"] = {"number": number}
        letters.append(letter)
    found = [
        one.envelope.members["userRecord"]["number"] for one in in_order(letters) if one.envelope
    ]
    assert found == [0, 1, 2]


def test_filters_are_true_together() -> None:
    letter = made(
        1,
        correlation_id="4f0c1f0e-0d7a",
        function="timeline",
        error_type="KeyError",
        error_message="'name'",
        payload=b'{"post": "Tywin"}',
        at=NOW - timedelta(hours=2),
    )
    yes = (
        Filter(),
        Filter(function="timeline"),
        Filter(error="KeyError"),
        Filter(error="keyerror: 'NA"),
        Filter(id="4f0c"),
        Filter(id="letter-1"),
        Filter(id="mess"),
        Filter(search="tywin"),
        Filter(older_than_s=7100, newer_than_s=7300),
        Filter("timeline", "KeyError", "4f0c1f0e", "name", 60),
    )
    no = (
        Filter(function="time"),
        Filter(error="ValueError"),
        Filter(id="4f0c1f0f"),
        Filter(id="4f"),
        Filter(search="cersei"),
        Filter(older_than_s=7300),
        Filter(newer_than_s=7100),
        Filter("timeline", "ValueError"),
    )
    assert [one for one in yes if not one.means(letter, NOW)] == []
    assert [one for one in no if one.means(letter, NOW)] == []
    assert not Filter(older_than_s=1).means(made(1), NOW), "it is not known when it failed"
    assert Filter().is_empty
    assert not Filter(older_than_s=0.0).is_empty


def test_a_whole_id_is_meant_before_the_beginning_of_another() -> None:
    letters = [made(1, correlation_id="request-1"), made(10, correlation_id="request-10")]
    assert exactly(letters, "request-1") == letters[:1]
    assert exactly(letters, "request") == letters
    assert exactly(letters, "letter-1") == letters[:1]
    assert exactly(letters, "message-10") == letters[1:]

"""Dead letters: every record goes in and comes out as it was."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import clew
from capture.events import FIELDS, with_context
from clew.capture import read, read_records
from clew.capture.kinesis import KinesisRecord
from clew.dlq.attributes import to_send
from clew.dlq.message import as_delivered
from clew.invocation import Invocation
from clew.streams import envelope as module
from clew.streams.aggregate import pack
from clew.streams.envelope import Envelope, seal, unseal
from clew.streams.identity import LIVES, MEMBER
from clew.streams.sources import DYNAMODB, KAFKA, KINESIS, SNS, SQS

from .making import MAKERS, Context, body, event, kinesis, message

SCHEMA = json.loads((Path(module.__file__).parent / "dead-letter.schema.json").read_text("utf-8"))
SOURCES: dict[str, Any] = {
    "kinesis": KINESIS,
    "dynamodb": DYNAMODB,
    "sqs": SQS,
    "fifo": SQS,
    "kafka": KAFKA,
    "sns": SNS,
}


def error() -> Exception:
    """One with a stack."""
    try:
        return KeyError(dict[str, int]()["name"])
    except KeyError as raised:
        return raised


def sealed(record: Any, source: str, previous: Envelope | None = None) -> Envelope:
    invocation = Invocation(source, None, Context())
    record.attempts = 3
    made = seal(
        record,
        source,
        error(),
        invocation=invocation,
        policy=clew.retry(2, then=clew.skip()),
        first_at=1_700_000_000.0,
        last_at=1_700_000_001.5,
        previous=previous,
    )
    text = made.to_json()
    import_module("jsonschema").validate(json.loads(text), SCHEMA)
    return unseal(text)


def records_in(kind: str, given_event: Any) -> list[Any]:
    return read_records(given_event, SOURCES[kind].name).records


@pytest.mark.parametrize("kind", [*MAKERS, "sns"])
def test_a_record_of_every_source_comes_out_as_it_went_in(kind: str) -> None:
    came = message(body(7).decode()) if kind == "sns" else event([MAKERS[kind](7, "bb")])
    (record,) = records_in(kind, came)
    letter = sealed(record, SOURCES[kind].name)
    assert letter.raw() == record.raw
    assert letter.event() == (
        {name: came[name] for name in ("eventSource", "records")} if kind == "kafka" else came
    )
    again = letter.record()
    assert type(again) is type(record)
    assert (again.data, again.position) == (record.data, record.position)
    assert again.idempotency_key == record.idempotency_key == letter.idempotency_key
    assert again.idempotency_key
    assert letter.source == SOURCES[kind].name


def test_what_it_says_of_a_record() -> None:
    (record,) = records_in("kinesis", event([kinesis(7, "tywin")]))
    letter = sealed(record, "aws:kinesis")
    said = letter.members
    assert said["origin"] == {
        "source": "aws:kinesis",
        "arn": "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream",
        "function": "timeline",
        "shardId": "shardId-000000000006",
        "sequenceNumber": record.sequence_number,
        "partitionKey": "tywin",
        "arrivedAt": "2018-12-17T22:10:50.987Z",
    }
    assert said["payload"] == {"encoding": "utf-8", "bytes": 8, "data": '{"n": 7}'}
    assert (said["error"]["type"], said["error"]["message"]) == ("KeyError", "'name'")
    assert "test_envelope.py" in "\n".join(said["error"]["stack"])
    assert (said["attempts"], said["lives"]) == (3, 1)
    assert said["firstAttemptAt"] == "2023-11-14T22:13:20.000Z"
    assert said["lastAttemptAt"] == "2023-11-14T22:13:21.500Z"
    assert said["function"] == {"name": "timeline", "version": "7", "requestId": "a-request"}
    assert said["policy"] == "retry(times=2, backoff='100ms', then=skip())"
    assert said["correlation"]["x-correlation-id"] == record.correlation.id == letter.correlation_id
    assert said["correlation"]["spanId"] == record.correlation.span_id


@given(data=st.binary(max_size=200))
def test_any_bytes_survive(data: bytes) -> None:
    raw = kinesis(1, "a")
    (record,) = records_in("kinesis", event([{**raw, "kinesis": {**raw["kinesis"]}}]))
    from base64 import b64encode

    record.raw["kinesis"]["data"] = b64encode(data).decode()
    letter = sealed(KinesisRecord(record.raw), "aws:kinesis")
    assert letter.payload == data
    assert letter.raw() == record.raw
    assert letter.record().raw == record.raw


@given(text=st.text(max_size=100))
def test_any_text_survives(text: str) -> None:
    """Text of SQS may hold half a character, which is no UTF-8."""
    raw = {**MAKERS["sqs"](1, ""), "body": text + "\ud800"}
    (record,) = records_in("sqs", event([raw]))
    assert sealed(record, "aws:sqs").raw() == raw


@given(text=st.text(max_size=50))
def test_what_no_message_may_have_in_it_is_escaped(text: str) -> None:
    """Half a pair in an error's text kept its record from ever being dead-lettered."""
    (record,) = records_in("kinesis", event([kinesis(1, "a")]))
    broken = f"{text}\ud800\x1b\ufffe\uffff\udfff"
    letter = sealed(record, "aws:kinesis")
    letter.members["error"]["message"] = broken
    written = letter.to_json()
    # SQS API reference, "SendMessage": the characters that a message may have.
    assert not re.search(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", written)
    assert unseal(written.encode()).members["error"]["message"] == broken


@pytest.mark.parametrize(
    "raw",
    [
        None,
        7,
        "text",
        [],
        {},
        {"kinesis": 7},
        {"kinesis": {"data": "%%%", "partitionKey": "a"}},
        {"kinesis": {"data": "YR==", "partitionKey": "a"}},
        {"kinesis": {"data": None}},
    ],
)
def test_what_is_no_record_is_kept_whole(raw: Any) -> None:
    (record,) = records_in("kinesis", {"Records": [raw]})
    letter = sealed(record, "aws:kinesis")
    assert letter.raw() == raw
    assert letter.record().raw == raw


def test_a_user_record_of_the_producer_library_stands_alone() -> None:
    from base64 import b64encode

    raw = kinesis(1, "shard key")
    data = pack("tywin", "", [body(number) for number in range(3)])
    raw["kinesis"]["data"] = b64encode(data).decode()
    records = records_in("kinesis", event([raw]))
    assert len(records) == 3
    letter = sealed(records[1], "aws:kinesis")
    assert letter.payload == body(1)
    again: Any = letter.record()
    assert (again.payload, again.partition_key, again.sub_sequence_number) == ({"n": 1}, "tywin", 1)
    assert again.position == records[1].position
    assert again.idempotency_key == records[1].idempotency_key != records[0].idempotency_key
    # As an event of its own it is a plain record.
    (plain,) = read(letter.event()).records
    assert (plain.payload, plain.position["sequenceNumber"]) == (
        {"n": 1},
        again.position["sequenceNumber"],
    )


def test_a_record_that_fails_again_keeps_what_it_is() -> None:
    (record,) = records_in("kinesis", event([kinesis(7, "a")]))
    letter = sealed(record, "aws:kinesis")
    for life in range(2, 15):
        again = letter.record()
        previous, letter = letter, sealed(again, "aws:sqs", letter)
        for name in ("id", "payload", "record", "origin", "idempotencyKey", "firstAttemptAt"):
            assert letter.members[name] == previous.members[name]
        assert (letter.lives, letter.attempts) == (life, 3 * life)
    history = letter.members["history"]
    assert len(history) == 10
    assert history[-1]["error"] == {"type": "KeyError", "message": "'name'"}
    assert history[-1]["attempts"] == 3 * 13


def test_what_is_put_back_is_known_again() -> None:
    raw = kinesis(7, "a")
    from base64 import b64decode, b64encode

    sent = with_context(body(7), FIELDS)
    raw["kinesis"]["data"] = b64encode(sent).decode()
    (record,) = records_in("kinesis", event([raw]))
    letter = sealed(record, "aws:kinesis")
    assert letter.payload == sent
    other = kinesis(99, "a")  # it has another place by then
    other["kinesis"]["data"] = b64encode(letter.to_source()).decode()
    (again,) = records_in("kinesis", event([other]))
    assert again.data == body(7)
    assert again.idempotency_key == record.idempotency_key
    assert again.correlation.id == "the-request"
    assert again.correlation.trace_id == record.correlation.trace_id
    assert again.correlation.parent_span_id == letter.span_id, "its story goes on from the letter"
    assert letter.context()["traceparent"].split("-")[2] == letter.span_id
    assert MEMBER not in again.correlation
    assert MEMBER not in again.correlation.outgoing("0" * 15 + "1"), "it stops at the record"
    assert b64decode(raw["kinesis"]["data"]) == sent


@pytest.mark.parametrize("kind", ["kinesis", "sqs", "fifo"])
def test_lives_count_on_in_the_source(kind: str) -> None:
    """A record that fails each time it is redriven is not taken for one that failed once."""
    (record,) = records_in(kind, event([MAKERS[kind](7, "a")]))
    for life in range(1, 5):
        letter = sealed(record, SOURCES[kind].name)
        assert letter.lives == life
        if kind == "kinesis":
            again = kinesis(100 + life, "a")
            again["kinesis"]["data"] = b64encode(letter.to_source()).decode()
        else:
            raw = letter.raw()
            given = to_send(raw, letter.context())
            named = {name: as_delivered(value) for name, value in given.items()}
            again = {**raw, "messageId": f"again-{life}", "messageAttributes": named}
        (record,) = records_in(kind, event([again]))
        assert LIVES not in record.correlation
        assert LIVES.encode() not in record.data, "the function does not see it"


@pytest.mark.parametrize("kind", ["kinesis", "sqs"])
@pytest.mark.parametrize(
    "came",
    [
        {"x-correlation-user-id": "42"},
        {"x-correlation-id": "q" * 10_000},
        {"call-chain-length": "x"},
    ],
)
def test_a_request_s_id_that_was_made_for_a_record_goes_with_it(
    kind: str, came: dict[str, str]
) -> None:
    """Its next life is found by the id that the letter has."""
    raw = MAKERS[kind](7, "a")
    if kind == "kinesis":
        raw["kinesis"]["data"] = b64encode(
            json.dumps({"n": 7, "__context": came}).encode()
        ).decode()
    else:
        raw["messageAttributes"] = {
            name: {"dataType": "String", "stringValue": value} for name, value in came.items()
        }
    (record,) = records_in(kind, event([raw]))
    letter = sealed(record, SOURCES[kind].name)
    again = MAKERS[kind](8, "a")
    if kind == "kinesis":
        again["kinesis"]["data"] = b64encode(letter.to_source()).decode()
    else:
        given = to_send(letter.raw(), letter.context())
        again["messageAttributes"] = {name: as_delivered(one) for name, one in given.items()}
    (next_life,) = records_in(kind, event([again]))
    assert next_life.correlation.id == letter.correlation_id == record.correlation.id
    assert next_life.correlation.get("x-correlation-user-id") == came.get("x-correlation-user-id")


@pytest.mark.parametrize("given", ["", "-1", "1e9", "99999", 7, None, ["1"], "\u0663", "0x1", " 1"])
def test_lives_that_make_no_sense_count_for_none(given: Any) -> None:
    raw = kinesis(7, "a")
    data = with_context(body(7), {**FIELDS, LIVES: given})
    raw["kinesis"]["data"] = b64encode(data).decode()
    (record,) = records_in("kinesis", event([raw]))
    assert sealed(record, "aws:kinesis").lives == 1


@pytest.mark.parametrize("data", [b"text", b"\xff\x00", b"[1]", b""])
def test_what_carries_no_context_is_put_back_as_it_was(data: bytes) -> None:
    from base64 import b64encode

    raw = kinesis(7, "a")
    raw["kinesis"]["data"] = b64encode(data).decode()
    (record,) = records_in("kinesis", event([raw]))
    assert sealed(record, "aws:kinesis").to_source() == data


def test_an_object_without_a_context_gets_the_ids_under_which_it_failed() -> None:
    (record,) = records_in("kinesis", event([kinesis(7, "a")]))
    letter = sealed(record, "aws:kinesis")
    put = json.loads(letter.to_source())
    assert put["n"] == 7
    assert put["__context"]["x-correlation-id"] == record.correlation.id
    assert put["__context"]["traceparent"].split("-")[1] == record.correlation.trace_id


GOOD = {
    "clewDeadLetter": 1,
    "id": "a" * 32,
    "correlation": {},
    "error": {},
    "function": {},
    "origin": {"source": "aws:kinesis"},
    "payload": {"encoding": "utf-8", "data": "{}"},
    "record": {},
}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "it is not JSON"),
        ("not json", "it is not JSON"),
        (b"\xff", "it is not JSON"),
        ("[]", "it has no clewDeadLetter"),
        ("null", "it has no clewDeadLetter"),
        ('{"requestContext": {}}', "it has no clewDeadLetter"),
        (json.dumps({**GOOD, "clewDeadLetter": 2}), "update clew in the function"),
        (json.dumps({**GOOD, "clewDeadLetter": "1"}), "update clew in the function"),
        (json.dumps({**GOOD, "clewDeadLetter": True}), "update clew in the function"),
        (json.dumps({**GOOD, "error": None}), "error is missing or of a wrong kind"),
        ('{"clewDeadLetter": 1}', "id, correlation, error"),
        ("[" * 100_000, "it is not JSON"),
    ],
)
def test_what_is_no_dead_letter_is_told_in_one_sentence(text: Any, sentence: str) -> None:
    with pytest.raises(clew.streams.NotAnEnvelope, match=sentence) as raised:
        unseal(text)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"payload": {"encoding": "rot13", "data": "a"}}, "encoding 'rot13'"),
        ({"payload": {"encoding": "base64", "data": "%%%"}}, "cannot be read"),
        ({"payload": {"claimCheck": {"bucket": "b", "key": "k"}}}, "was not fetched"),
        ({"origin": {"source": "aws:new"}}, "does not know that source"),
    ],
)
def test_a_damaged_one_is_told_in_one_sentence(members: Any, sentence: str) -> None:
    letter = unseal(json.dumps({**GOOD, **members}))
    with pytest.raises(clew.streams.NotAnEnvelope, match=sentence):
        letter.record()

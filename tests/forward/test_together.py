"""The messages of a large call: each with its span and its answer, in one entry where alike."""

from __future__ import annotations

import json
import sys
from typing import Any
from unittest.mock import patch

import orjson
import pytest

import clew
from clew import payload
from clew.forward import firehose, kinesis
from clew.forward.sending import note
from clew.invocation import Invocation, Sent
from clew.log.wide import sent_texts, write_invocation
from clew.stories.lines import RawLine, SentEntry
from clew.stories.parse import read
from log.lines import logged

from .conftest import FIELDS

COUNT = 30
IDS = {name: value for name, value in FIELDS.items() if name != "traceparent"}
STREAM: dict[str, Any] = {
    "kinesis": (
        kinesis.PutRecords,
        {"StreamName": "posts"},
        "Records",
        lambda n: {"ShardId": f"shardId-{n % 2}", "SequenceNumber": f"49{n:03}"},
    ),
    "firehose": (
        firehose.PutRecordBatch,
        {"DeliveryStreamName": "posts"},
        "RequestResponses",
        lambda n: {"RecordId": f"r{n}"},
    ),
}


class Call:
    """One call of a service, as botocore's hooks see it."""

    def __init__(self, service: str, all_data: list[Any]) -> None:
        self.operation, named, self.answers_in, self.answer = STREAM[service]
        self.invocation = Invocation("unknown", None, None)
        self.correlation = clew.Correlation(IDS, span_id="a" * 16, invocation=self.invocation)
        records = [{"Data": data, "PartitionKey": "1"} for data in all_data]
        self.params: dict[str, Any] = {**named, "Records": records}
        with clew.use(self.correlation):
            self.sent = self.operation.stamp(self.params, self.correlation)
            note(self.sent)

    def answered(self, *errors: int) -> None:
        answers = [
            {"ErrorCode": "Slow", "ErrorMessage": "down"} if n in errors else self.answer(n)
            for n in range(len(self.params["Records"]))
        ]
        self.operation.answered(self.sent, {self.answers_in: answers})

    def contexts(self) -> list[dict[str, str]]:
        return [json.loads(one["Data"])["__context"] for one in self.params["Records"]]

    def told(self) -> list[SentEntry]:
        """What a story reads of it."""
        with logged() as lines:
            write_invocation(self.invocation, self.correlation, None)
        (one,) = read(
            [RawLine(1, "/aws/lambda/f", "s", json.dumps(line)) for line in lines]
        ).invocations
        return list(one.sent)


def texts(count: int) -> list[bytes]:
    return [b'{"n": %d}' % n for n in range(count)]


def as_told(sent: list[Sent]) -> list[Any]:
    return [
        (one.span_id, one.correlation.id, one.outcome, one.error, one.carried, one.position)
        for one in sent
    ]


def as_read(entries: list[SentEntry]) -> list[Any]:
    return [
        (one.span, one.id, one.outcome, one.error, one.carried, dict(one.position))
        for one in entries
    ]


@pytest.mark.parametrize("service", STREAM)
def test_a_large_call_is_one_entry_that_stands_for_all(service: str) -> None:
    call = Call(service, texts(COUNT))
    call.answered()
    (one,) = call.invocation.calls
    (entry,) = map(json.loads, sent_texts(one))
    assert (entry["count"], entry["outcome"]) == (COUNT, "ok")
    told = call.told()
    spans = [context["traceparent"][36:52] for context in call.contexts()]
    assert [one.span for one in told] == spans
    assert len(set(spans)) == COUNT
    assert {(one.service, one.target, one.parent) for one in told} == {(service, "posts", "a" * 16)}
    assert as_told(call.invocation.sent) == as_read(told)


@pytest.mark.parametrize("service", STREAM)
@pytest.mark.parametrize("looked", [False, True])
@pytest.mark.parametrize("errors", [(), (3,), (0, COUNT - 1)])
def test_each_message_is_told_of_as_it_is(service: str, looked: bool, errors: Any) -> None:
    odd: list[Any] = [b"no JSON", b"{}", '{"a":1}', b'{"__context":{"x-correlation-id":"b"}}']
    for all_data in (texts(COUNT), [*texts(COUNT - 4), *odd], texts(3)):
        call = Call(service, all_data)
        if looked:
            assert {one.outcome for one in call.invocation.sent} == {"pending"}
        assert as_read(call.told()) == as_told([*call.invocation.sent])
        call.answered(*errors)
        assert as_read(call.told()) == as_told([*call.invocation.sent])
        outcomes = [one.outcome for one in call.invocation.sent]
        assert outcomes == ["error" if n in errors else "ok" for n in range(len(all_data))]


@pytest.mark.parametrize("module", [orjson, None])
def test_only_an_object_of_json_is_stamped(module: Any) -> None:
    odd = [b'{"a":1}x', b'{"a":1', b"{", b'{"a":"\xff"}', b'{"a":NaN}', b'{"a":01}', b' {"a":1}']
    with patch.dict(sys.modules, {"orjson": module}):
        call = Call("kinesis", odd)
    went = [record["Data"] for record in call.params["Records"]]
    assert [data == given for data, given in zip(went, odd, strict=True)] == [
        True, True, True, True, False, True, False,
    ]  # fmt: skip
    assert all(payload.take(data).data == given for data, given in zip(went, odd, strict=True))


def test_a_message_that_somebody_looked_at_stays_the_same_one() -> None:
    call = Call("kinesis", texts(COUNT))
    first, second = call.sent[0], call.sent[0]
    assert first is second
    call.answered()
    assert first.position == {"shardId": "shardId-0", "sequenceNumber": "49000"}
    assert next(iter(call.sent)) is first


def test_what_was_sent_by_hand_within_an_invocation_is_noted_there() -> None:
    outer = Call("kinesis", texts(1))
    with clew.use(outer.correlation), clew.use(clew.Correlation(IDS)) as by_hand:
        params = {"StreamName": "posts", "Records": outer.params["Records"] * COUNT}
        note(kinesis.PutRecords.stamp(params, by_hand))
    assert len(outer.invocation.sent) == 1 + COUNT


def test_more_than_a_service_takes_have_spans_of_their_own_too() -> None:
    call = Call("kinesis", texts(600))
    assert len({context["traceparent"] for context in call.contexts()}) == 600
    assert len(call.invocation.sent) == 600

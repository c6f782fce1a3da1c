"""Where a send is noted, and under which correlation."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

import clew
from clew import wire
from clew.forward.sending import new_sent, note, take_over

from .conftest import only

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.invocation import Invocation, Sent


def test_noted_in_the_invocation_of_its_correlation(
    correlation: clew.Correlation, invocation: Invocation
) -> None:
    sent = new_sent("sns", "Publish", "t", correlation)
    note([sent])
    assert invocation.sent == [sent]
    assert sent.correlation is correlation


def test_one_made_by_hand_belongs_to_the_receive_around_it(
    correlation: clew.Correlation, invocation: Invocation
) -> None:
    own = clew.Correlation({"x-correlation-id": "own"}, trace_id="1" * 32)
    with clew.use(correlation), clew.use(own), clew.use(own):
        note([new_sent("sns", "Publish", "t", own)])
    sent = only(invocation.sent)
    assert (sent.correlation.id, sent.correlation.trace_id) == ("own", "1" * 32)
    assert sent.correlation.span_id == correlation.span_id


def test_outside_of_an_invocation_nothing_is_kept() -> None:
    own = clew.Correlation({"x-correlation-id": "own"})
    with clew.use(own):
        sent = new_sent("sns", "Publish", "t", own)
        note([sent])
    assert sent.correlation is own


def test_what_came_in_with_this_invocation_is_known_again(
    correlation: clew.Correlation, invocation: Invocation
) -> None:
    from clew.invocation import Received

    record = clew.Correlation(
        {"x-correlation-id": "r"}, trace_id="3" * 32, span_id="4" * 16, invocation=invocation
    )
    invocation.received.append(Received(record, {}))
    sent = new_sent("kinesis", "PutRecords", "s", correlation)
    take_over(sent, record.outgoing("5" * 16).items())
    with clew.use(correlation):
        note([sent])
    assert sent.correlation is record
    assert sent.span_id == "5" * 16


def test_a_span_by_name_is_the_same_for_the_same_name_and_trace() -> None:
    one = clew.Correlation({"x-correlation-id": "a"}, trace_id="1" * 32)
    other = clew.Correlation({"x-correlation-id": "a"}, trace_id="2" * 32)

    def span(correlation: clew.Correlation, target: str, once: str) -> str:
        return new_sent("sfn", "StartExecution", target, correlation, once=once).span_id

    first = span(one, "m", "n")
    assert wire.check([("traceparent", f"00-{one.trace_id}-{first}-01")]).parent_span_id == first
    assert span(one, "m", "n") == first
    for another in (span(other, "m", "n"), span(one, "m2", "n"), span(one, "m", "n2")):
        assert another != first
    assert span(one, "m", "") != span(one, "m", "")


@pytest.fixture
def handled(instrumented: None) -> Callable[[Any], list[Sent]]:
    """Run a function with two records of a stream, each with ids of its own; what was sent."""

    def run(function: Callable[[list[clew.KinesisRecord]], None]) -> list[Sent]:
        kept: list[Sent] = []

        @clew.kinesis_handler(batch=True, on_failure=clew.halt())
        def handler(records: list[clew.KinesisRecord]) -> None:
            function(records)
            invocation = clew.current().invocation
            assert invocation is not None
            kept.extend(invocation.sent)

        def record(name: str) -> dict[str, Any]:
            context = clew.Correlation({"x-correlation-id": name}).outgoing("1" * 16)
            data = json.dumps({"__context": context, "name": name}).encode()
            return {
                "eventSource": "aws:kinesis",
                "eventID": f"shardId-0:{name}",
                "kinesis": {"data": base64.b64encode(data).decode(), "sequenceNumber": name},
            }

        handler({"Records": [record("a"), record("b")]}, None)
        return kept

    return run


def test_in_a_batch_handler_each_send_has_its_records_ids(
    handled: Callable[[Any], list[Sent]],
) -> None:
    sqs = boto3.client(
        "sqs", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    correlations: list[clew.Correlation] = []

    def function(records: list[clew.KinesisRecord]) -> None:
        for record in records:
            correlations.append(record.correlation)
            with clew.use(record.correlation), Stubber(sqs) as stub:
                expected = {"QueueUrl": ANY, "MessageBody": ANY}
                stub.add_response("send_message", {"MessageId": "1"}, expected)
                sqs.send_message(QueueUrl="http://q", MessageBody="x")

    sent = handled(function)
    assert [one.correlation for one in sent] == correlations
    assert all(one.correlation is own for one, own in zip(sent, correlations, strict=True))
    assert [one.correlation.id for one in sent] == ["a", "b"]


def test_records_stamped_with_their_own_ids_and_sent_together(
    handled: Callable[[Any], list[Sent]],
) -> None:
    kinesis = boto3.client(
        "kinesis", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    correlations: list[clew.Correlation] = []

    def function(records: list[clew.KinesisRecord]) -> None:
        correlations.extend(record.correlation for record in records)
        answers = [{"SequenceNumber": str(n), "ShardId": "s"} for n in range(3)]
        with Stubber(kinesis) as stub:
            stub.add_response(
                "put_records", {"Records": answers}, {"StreamName": "s", "Records": ANY}
            )
            stamped = [clew.stamp(record.data, record.correlation) for record in records]
            kinesis.put_records(
                StreamName="s",
                Records=[{"Data": data, "PartitionKey": "k"} for data in (*stamped, b"{}")],
            )

    sent = handled(function)
    assert [one.correlation for one in sent[:2]] == correlations
    assert [one.correlation.span_id for one in sent[:2]] == [one.span_id for one in correlations]
    assert sent[2].correlation.id not in ("a", "b"), "the batch's own"
    assert [one.position["sequenceNumber"] for one in sent] == ["0", "1", "2"]

"""``PutRecords`` of 500 JSON records of 200 bytes, the network stubbed on both sides."""

from __future__ import annotations

import json
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse

import clew
from benchmarks.lines import IDS, payload
from benchmarks.measure import Result, compare, result
from clew import payload as payloads
from clew.invocation import Invocation
from clew.log.wide import sent_texts


class _Raw:
    """What botocore asks of a response's body."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> Any:
        """The whole at once."""
        yield self._body


def run() -> list[Result]:
    """One client of clew's, and one that nothing was done to."""
    from clew.forward import botocore

    answer = json.dumps(
        {
            "FailedRecordCount": 0,
            "Records": [{"ShardId": "shardId-000000000000", "SequenceNumber": "4" * 56}] * 500,
        }
    ).encode()

    def client() -> Any:
        made = boto3.client(
            "kinesis",
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
        )
        events: Any = made.meta.events  # its stubs say that handlers return nothing
        events.register("before-send", lambda request, **_: _answer(request, answer))
        return made

    clew.uninstrument()
    plain, ours = client(), client()
    botocore.hook_one(ours)
    records: list[Any] = [{"PartitionKey": str(n), "Data": payload(n)} for n in range(500)]
    invocation = Invocation("aws:apigateway", {}, None)

    def send_with_clew() -> None:
        with clew.use(clew.Correlation(IDS, invocation=invocation)):
            ours.put_records(StreamName="posts", Records=records)
        invocation.calls.clear()

    def send_and_write() -> None:
        with clew.use(clew.Correlation(IDS, invocation=invocation)):
            ours.put_records(StreamName="posts", Records=records)
        for call in invocation.calls:
            sent_texts(call)
        invocation.calls.clear()

    # What nobody can save who wants the ids to arrive: boto3 takes longer for more bytes.
    by_hand = [{**record, "Data": stamped(record["Data"])} for record in records]

    def send_plain() -> None:
        plain.put_records(StreamName="posts", Records=records)

    def send_the_same_bytes() -> None:
        plain.put_records(StreamName="posts", Records=by_hand)

    return [
        result(
            "PutRecords of 500 records, the ids put into each",
            compare(send_with_clew, send_plain, times=10),
            peer="boto3",
            target=1.10,
        ),
        result(
            "of that, clew's own share (theirs: the same bytes, put in by hand beforehand)",
            compare(send_with_clew, send_the_same_bytes, times=10),
            peer="boto3",
            target=1.10,
        ),
        result(
            "of that, what boto3 takes for the bytes (ours: put in by hand; theirs: without)",
            compare(send_the_same_bytes, send_plain, times=10),
            peer="boto3",
            target=1.25,
        ),
        result(
            "the first, with what the invocation line says of the records",
            compare(send_and_write, send_plain, times=10),
            peer="boto3",
            target=1.30,
        ),
    ]


def stamped(data: bytes) -> bytes:
    """A payload as clew sends it."""
    sent = payloads.put(data, clew.Correlation(IDS).outgoing("b" * 16))
    assert sent is not None
    return sent


def _answer(request: Any, body: bytes) -> AWSResponse:
    headers: Any = {"content-type": "application/x-amz-json-1.1"}
    return AWSResponse(request.url, 200, headers, _Raw(body))

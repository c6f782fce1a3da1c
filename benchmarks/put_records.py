"""``PutRecords`` of 500 JSON records of 200 bytes, the network stubbed on both sides."""

from __future__ import annotations

import json
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse

import clew
from benchmarks.lines import IDS, payload
from benchmarks.measure import Result, compare, result
from clew.invocation import Invocation


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
    records = [{"PartitionKey": str(n), "Data": payload(n)} for n in range(500)]
    invocation = Invocation("aws:apigateway", {}, None)

    def send_with_clew() -> None:
        with clew.use(clew.Correlation(IDS, invocation=invocation)):
            ours.put_records(StreamName="posts", Records=records)
        invocation.sent.clear()

    measured = compare(
        send_with_clew,
        lambda: plain.put_records(StreamName="posts", Records=records),
        times=10,
    )
    return [
        result(
            "PutRecords of 500 records, the ids put into each",
            measured,
            peer="boto3",
            target=1.10,
        )
    ]


def _answer(request: Any, body: bytes) -> AWSResponse:
    headers: Any = {"content-type": "application/x-amz-json-1.1"}
    return AWSResponse(request.url, 200, headers, _Raw(body))

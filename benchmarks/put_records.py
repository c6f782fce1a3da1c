"""``PutRecords`` of 500 JSON records of 200 bytes, the network stubbed on both sides."""

from __future__ import annotations

import json
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse

import clew
from benchmarks.lines import IDS, payload
from benchmarks.measure import Result, compare, in_fresh_process, result
from clew import payload as payloads
from clew.forward import botocore
from clew.invocation import Invocation
from clew.log.wide import sent_texts

_COUNT = 500
_WITH_ORJSON = """
import json
import orjson  # as a function does that uses it
from benchmarks.put_records import Calls, compare
calls = Calls()
print(json.dumps(compare(calls.with_clew, calls.by_hand, times=10)))
"""


def run() -> list[Result]:
    """One client of clew's, and one that nothing was done to."""
    calls = Calls()
    return [
        result(
            "PutRecords of 500 records, the ids put into each",
            compare(calls.with_clew, calls.plain, times=10),
            peer="boto3",
            target=1.10,
        ),
        result(
            "of that, clew's own share (theirs: the same bytes, put in by hand beforehand)",
            compare(calls.with_clew, calls.by_hand, times=10),
            peer="boto3",
            target=1.10,
        ),
        result(
            "the same with orjson at hand",
            in_fresh_process(_WITH_ORJSON),
            peer="boto3",
            target=1.10,
        ),
        result(
            "of that, what boto3 takes for the bytes (ours: put in by hand; theirs: without)",
            compare(calls.by_hand, calls.plain, times=10),
            peer="boto3",
            target=1.25,
        ),
        result(
            "the first, with what the invocation line says of the records",
            compare(calls.with_clew_and_line, calls.plain, times=10),
            peer="boto3",
            target=1.40,
        ),
    ]


class Calls:
    """The same call in every way."""

    def __init__(self) -> None:
        clew.uninstrument()
        self._plain, self._ours = _client(), _client()
        botocore.hook_one(self._ours)
        self._invocation = Invocation("aws:apigateway", {}, None)
        self._records: list[Any] = [
            {"PartitionKey": str(number), "Data": payload(number)} for number in range(_COUNT)
        ]
        # What nobody can save who wants the ids to arrive: boto3 takes longer for more bytes.
        self._by_hand = [{**one, "Data": _stamped(one["Data"])} for one in self._records]

    def plain(self) -> None:
        """Without ids."""
        self._plain.put_records(StreamName="posts", Records=self._records)

    def by_hand(self) -> None:
        """With ids that are in the payloads already."""
        self._plain.put_records(StreamName="posts", Records=self._by_hand)

    def with_clew(self) -> None:
        """As a function calls it."""
        with clew.use(clew.Correlation(IDS, invocation=self._invocation)):
            self._ours.put_records(StreamName="posts", Records=self._records)
        self._invocation.calls.clear()

    def with_clew_and_line(self) -> None:
        """And with what the end of the invocation writes of it."""
        with clew.use(clew.Correlation(IDS, invocation=self._invocation)):
            self._ours.put_records(StreamName="posts", Records=self._records)
        for call in self._invocation.calls:
            sent_texts(call)
        self._invocation.calls.clear()


class _Raw:
    """What botocore asks of a response's body."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> Any:
        """The whole at once."""
        yield self._body


def _client() -> Any:
    taken = {"ShardId": "shardId-000000000000", "SequenceNumber": "4" * 56}
    body = json.dumps({"FailedRecordCount": 0, "Records": [taken] * _COUNT}).encode()
    headers: Any = {"content-type": "application/x-amz-json-1.1"}
    made = boto3.client(
        "kinesis", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    events: Any = made.meta.events  # its stubs say that handlers return nothing
    events.register(
        "before-send", lambda request, **_: AWSResponse(request.url, 200, headers, _Raw(body))
    )
    return made


def _stamped(data: bytes) -> bytes:
    """A payload as clew sends it."""
    sent = payloads.put(data, clew.Correlation(IDS).outgoing("b" * 16))
    assert sent is not None
    return sent

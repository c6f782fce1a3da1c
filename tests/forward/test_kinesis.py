"""Kinesis: what arrives in the stream, byte for byte."""

from __future__ import annotations

import gzip
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

import clew
from clew import payload
from clew.forward.kinesis import PutRecords
from clew.forward.limits import KINESIS_RECORD, KINESIS_REQUEST

from .aws import unique
from .conftest import fields_of, only

if TYPE_CHECKING:
    from clew.invocation import Invocation
    from clew.localcloud import LocalCloud

pytestmark = pytest.mark.local_cloud


class Stream:
    """A stream of one shard, read from where the test began."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.kinesis = cloud.client("kinesis")
        self.name = unique("stream")
        self.kinesis.create_stream(StreamName=self.name, ShardCount=1)
        self.kinesis.get_waiter("stream_exists").wait(StreamName=self.name)
        shard = self.kinesis.list_shards(StreamName=self.name)["Shards"][0]["ShardId"]
        self._iterator = self.kinesis.get_shard_iterator(
            StreamName=self.name, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]

    def new(self) -> list[bytes]:
        """What came since the last time."""
        answer = self.kinesis.get_records(ShardIterator=self._iterator)
        self._iterator = answer["NextShardIterator"]
        return [record["Data"] for record in answer["Records"]]


@pytest.fixture(scope="module")
def stream(cloud: LocalCloud) -> Stream:
    return Stream(cloud)


def test_a_record_carries_them_and_is_else_the_same(
    stream: Stream, invocation: Invocation, in_force: clew.Correlation
) -> None:
    data = b' {"price": 1.50, "name":"caf\\u00e9 \xc3\xa9" } \n'
    answer = stream.kinesis.put_record(StreamName=stream.name, Data=data, PartitionKey="k")
    sent = only(invocation.sent)
    (came,) = stream.new()
    assert json.loads(came)["__context"] == fields_of(sent)
    assert payload.take(came).data == data
    assert (sent.service, sent.operation, sent.target) == ("kinesis", "PutRecord", stream.name)
    assert sent.position == {
        "shardId": answer["ShardId"],
        "sequenceNumber": answer["SequenceNumber"],
    }


@pytest.mark.parametrize("kind", [bytes, bytearray, str])
def test_every_kind_of_data(
    kind: Any, stream: Stream, invocation: Invocation, in_force: clew.Correlation
) -> None:
    text = '{"name":"é"}'
    data = text if kind is str else kind(text.encode())
    stream.kinesis.put_record(StreamName=stream.name, Data=data, PartitionKey="k")
    (came,) = stream.new()
    assert payload.take(came).data == text.encode()
    assert json.loads(came)["__context"] == fields_of(only(invocation.sent))


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(b'{"a":1}', mtime=0),
        b"\x08\x96\x01\x12\x07testing",
        b"\xf3\x89\x9a\xc2 aggregated",
        b"text",
        b"[1]",
        b'{"a":1}\n{"b":2}\n',
        b'{"template": {{ value }} }',
        b'{"a": "\xff"}',
        b"",
    ],
)
def test_what_is_no_json_object_goes_as_it_is_without_a_word(
    data: bytes,
    stream: Stream,
    invocation: Invocation,
    in_force: clew.Correlation,
    caplog: pytest.LogCaptureFixture,
) -> None:
    stream.kinesis.put_record(StreamName=stream.name, Data=data, PartitionKey="k")
    assert stream.new() == [data]
    assert not only(invocation.sent).carried
    assert not caplog.records


def test_records_each_with_its_own_span_and_outcome(
    stream: Stream, invocation: Invocation, in_force: clew.Correlation
) -> None:
    records = [{"Data": json.dumps({"n": n}).encode(), "PartitionKey": str(n)} for n in range(5)]
    records.insert(2, {"Data": b"text", "PartitionKey": "t"})
    before = [dict(record) for record in records]
    answer = stream.kinesis.put_records(StreamName=stream.name, Records=records)
    assert records == before, "the caller's own records"
    came = stream.new()
    assert [payload.take(data).data for data in came] == [record["Data"] for record in before]
    assert len(invocation.sent) == 6
    assert len({sent.span_id for sent in invocation.sent}) == 6
    for sent, data, result in zip(invocation.sent, came, answer["Records"], strict=True):
        assert sent.outcome == "ok"
        assert sent.position["sequenceNumber"] == result["SequenceNumber"]
        if data != b"text":
            assert json.loads(data)["__context"] == fields_of(sent)
        assert sent.carried is (data != b"text")


def test_records_that_the_stream_refused_are_errors(in_force: clew.Correlation) -> None:
    params = {"StreamName": "s", "Records": [{"Data": b"{}", "PartitionKey": "k"}] * 2}
    good, bad = PutRecords.stamp(params, in_force)
    results = [
        {"ShardId": "shardId-0", "SequenceNumber": "1"},
        {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slow down"},
    ]
    PutRecords.answered([good, bad], {"FailedRecordCount": 1, "Records": results})
    assert (good.outcome, bad.outcome) == ("ok", "error")
    assert bad.error == "ProvisionedThroughputExceededException: slow down"


def test_records_stamped_with_their_own_ids_keep_them(
    stream: Stream, invocation: Invocation, in_force: clew.Correlation
) -> None:
    own = [clew.Correlation({"x-correlation-id": f"own-{n}"}) for n in range(3)]
    stamped = [clew.stamp(json.dumps({"n": n}).encode(), one) for n, one in enumerate(own)]
    stream.kinesis.put_records(
        StreamName=stream.name,
        Records=[{"Data": data, "PartitionKey": "k"} for data in (*stamped, b"{}")],
    )
    came = stream.new()
    assert came[:3] == stamped
    assert [sent.correlation.id for sent in invocation.sent] == [
        *(one.id for one in own),
        in_force.id,
    ]
    for sent, data in zip(invocation.sent, came, strict=True):
        traceparent = json.loads(data)["__context"]["traceparent"]
        assert traceparent == f"00-{sent.correlation.trace_id}-{sent.span_id}-01"
        assert sent.correlation.span_id == in_force.span_id


def test_a_record_near_the_limit_is_not_pushed_over_it(
    stream: Stream,
    invocation: Invocation,
    in_force: clew.Correlation,
    caplog: pytest.LogCaptureFixture,
) -> None:
    frame = len(b'{"pad":""}') + len("k")
    for limit in KINESIS_RECORD[:1]:
        fits = b'{"pad":"%s"}' % (b"x" * (limit - frame - 600))
        tight = b'{"pad":"%s"}' % (b"x" * (limit - frame))
        stream.kinesis.put_record(StreamName=stream.name, Data=fits, PartitionKey="k")
        (came,) = stream.new()
        assert b"__context" in came
        assert len(came) < limit
        for _ in range(2):
            stream.kinesis.put_record(StreamName=stream.name, Data=tight, PartitionKey="k")
            assert stream.new() == [tight]
    assert [sent.carried for sent in invocation.sent] == [True, False, False]
    assert len(caplog.records) == 1


def test_a_request_near_the_limit_is_not_pushed_over_it(in_force: clew.Correlation) -> None:
    one = (KINESIS_REQUEST - 1_000) // 11 - 1
    data = b'{"pad":"%s"}' % (b"x" * (one - 10))
    params: Any = {"StreamName": "s", "Records": [{"Data": data, "PartitionKey": "k"}] * 11}
    sent = PutRecords.stamp(params, in_force)
    total = sum(len(record["Data"]) + len(record["PartitionKey"]) for record in params["Records"])
    assert KINESIS_REQUEST - 600 < total <= KINESIS_REQUEST
    carried = [one.carried for one in sent]
    assert carried == sorted(carried, reverse=True), "in order, as long as there is room"
    assert set(carried) == {True, False}


def test_data_that_is_a_file_is_botocores_to_judge(
    stream: Stream, invocation: Invocation, in_force: clew.Correlation
) -> None:
    with pytest.raises(TypeError):
        stream.kinesis.put_record(StreamName=stream.name, Data=io.BytesIO(b"{}"), PartitionKey="k")
    assert invocation.sent == []


def test_the_node_library_gets_its_own_names_and_a_number(
    stream: Stream,
    invocation: Invocation,
    in_force: clew.Correlation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLEW_CONTEXT_FIELD", "__context__")
    stream.kinesis.put_record(StreamName=stream.name, Data=b'{"a":1}', PartitionKey="k")
    (came,) = stream.new()
    context = json.loads(came)["__context__"]
    fields = fields_of(only(invocation.sent))
    fields["User-Agent"] = fields.pop("user-agent")
    assert context == {**fields, "call-chain-length": 2}
    assert payload.take(came).data == b'{"a":1}'

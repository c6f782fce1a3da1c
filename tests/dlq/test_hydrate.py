"""What Lambda's mappings write of a batch that they gave up: where its records are."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

import clew

from .conftest import Stream, fresh

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clew.localcloud import LocalCloud
    from conftest import Until

    from .conftest import Queue, Ran

    Dlq = Callable[..., Ran]

FAILS = """
def handler(event, context):
    raise ValueError("always")
"""


@pytest.fixture(scope="module")
def function(cloud: LocalCloud) -> Iterator[str]:
    """A function that fails."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", FAILS)
    name, client = fresh("fails"), cloud.client("lambda")
    client.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role="arn:aws:iam::000000000000:role/r",
        Handler="app.handler",
        Code={"ZipFile": buffer.getvalue()},
    )
    yield name
    client.delete_function(FunctionName=name)


def give_up(
    cloud: LocalCloud,
    until: Until,
    function: str,
    source: str,
    queue: Queue,
    *,
    topic: str = "",
    **more: Any,
) -> None:
    """A mapping that tells ``queue`` of what it gave up, through ``topic`` or not; until it has."""
    client = cloud.client("lambda")
    mapping = client.create_event_source_mapping(
        EventSourceArn=source,
        FunctionName=function,
        StartingPosition="TRIM_HORIZON",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": topic or queue.arn}},
        **more,
    )
    try:
        until(lambda: queue.visible, "the batch is given up")
    finally:
        client.delete_event_source_mapping(UUID=mapping["UUID"])


def test_a_kinesis_batch_is_read_from_its_stream_and_put_again(
    dlq: Dlq, cloud: LocalCloud, queue: Queue, stream: Stream, function: str, until: Until
) -> None:
    records = [
        {
            "PartitionKey": f"k{n % 2}",
            "Data": json.dumps(
                {"__context": {"x-correlation-id": f"request-{n}"}, "n": n}
            ).encode(),
        }
        for n in range(4)
    ]
    stream.client.put_records(StreamName=stream.name, Records=records)
    stream.client.put_record(StreamName=stream.name, PartitionKey="k", Data=b"\xff\x00\x1b[31m")
    give_up(cloud, until, function, stream.arn, queue)
    (listed,) = dlq("list", queue.name, "--json").json
    assert (listed["kind"], listed["function"], listed["origin"]) == ("batch", function, stream.arn)
    assert listed["error"]["type"] == "RetryAttemptsExhausted"
    shown = dlq("show", queue.name, listed["id"][:8])
    assert "Lambda's record of a batch that was given up" in shown.out
    assert "key k1" in shown.out
    assert "request request-3" in shown.out
    assert "ff 00 1b 5b 33 31 6d" in shown.out, "what is no text is shown in hex"
    assert f"clew story request-0 --name {cloud.name}" in shown.out
    whole = dlq("show", queue.name, listed["id"], "--json").json
    assert len(whole["records"]) == len(whole["payloads"]) == 5
    before = len(stream.records())
    assert dlq("redrive", queue.name, "--to", "source", "--yes").status == 0
    again = stream.records()[before:]
    assert [one["PartitionKey"] for one in again].count("k0") == 2
    assert queue.visible == 0
    numbers = [json.loads(one["Data"])["n"] for one in again if one["PartitionKey"] == "k1"]
    assert numbers == [1, 3]
    (first,) = [one for one in again if b'"n": 0}' in one["Data"]]
    context = json.loads(first["Data"])["__context"]
    assert context["x-correlation-id"] == "request-0"
    assert context["idempotency-key"].startswith(stream.arn)


def test_a_batch_through_a_topic_is_found_and_what_is_gone_is_said(
    dlq: Dlq, cloud: LocalCloud, queue: Queue, function: str, until: Until
) -> None:
    stream = Stream(cloud)
    sns = cloud.client("sns")
    topic = sns.create_topic(Name=fresh("failed"))["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn)
    stream.client.put_record(StreamName=stream.name, PartitionKey="k", Data=b'{"n": 1}')
    give_up(cloud, until, function, stream.arn, queue, topic=topic)
    (listed,) = dlq("list", queue.name, "--json").json
    assert (listed["kind"], json.loads(listed["message"]["body"])["Type"]) == (
        "batch",
        "Notification",
    )
    assert '"n": 1' in dlq("show", queue.name, listed["id"]).out
    stream.client.delete_stream(StreamName=stream.name)
    shown = dlq("show", queue.name, listed["id"])
    assert (shown.status, f"there is no stream {stream.arn} any more" in shown.out) == (0, True)
    ran = dlq("redrive", queue.name, "--to", "source", "--yes")
    assert (ran.status, queue.visible) == (1, 1)
    assert "The records are gone: there is no stream" in ran.err


def test_a_dynamodb_batch_is_read_and_goes_to_the_function(
    dlq: Dlq, cloud: LocalCloud, queue: Queue, function: str, until: Until
) -> None:
    table, client = fresh("items"), cloud.client("dynamodb")
    made = client.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    client.put_item(TableName=table, Item={"id": {"S": "an-item"}, "n": {"N": "7"}})
    give_up(cloud, until, function, made["TableDescription"]["LatestStreamArn"], queue, BatchSize=1)
    (listed,) = dlq("list", queue.name, "--json").json
    shown = dlq("show", queue.name, listed["id"])
    assert f"DynamoDB stream {table}" in shown.out
    assert '"an-item"' in shown.out
    ran = dlq("redrive", queue.name, "--to", "source", "--yes")
    assert (ran.status, queue.visible) == (1, 1)
    assert "A DynamoDB stream takes no records; redrive it with --to function" in ran.err
    ran = dlq("redrive", queue.name, "--to", "function", "--yes")
    assert (ran.status, queue.visible) == (1, 1)
    assert "the function failed (ValueError: always)" in ran.err
    client.delete_table(TableName=table)


def test_records_that_are_older_than_the_retention_are_said(
    dlq: Dlq, queue: Queue, stream: Stream
) -> None:
    stream.client.put_record(StreamName=stream.name, PartitionKey="k", Data=b"{}")
    number = stream.records()[0]["SequenceNumber"]
    queue.send(_gave_up(stream, str(int(number) - 5), number))
    queue.send(_gave_up(stream, number, number, shard="shardId-000000000007"))
    queue.send(_gave_up(stream, "not a number", number))
    said = [
        dlq("show", queue.name, one["id"]).out for one in dlq("list", queue.name, "--json").json
    ]
    assert sum("any more: they are older than its retention" in one for one in said) == 1
    assert sum("has no shardId-000000000007 any more" in one for one in said) == 1
    assert sum("cannot be read: it is damaged" in one for one in said) == 1
    assert dlq("redrive", queue.name, "--to", "source", "--yes").status == 1
    assert queue.visible == 3


def _gave_up(stream: Stream, first: str, last: str, shard: str = "shardId-000000000000") -> str:
    return json.dumps(
        {
            "requestContext": {
                "requestId": "r",
                "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:timeline",
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": 1,
            },
            "version": "1.0",
            "timestamp": "2026-01-02T03:04:05.678Z",
            "KinesisBatchInfo": {
                "shardId": shard,
                "startSequenceNumber": first,
                "endSequenceNumber": last,
                "batchSize": 1,
                "streamArn": stream.arn,
            },
        }
    )


def test_a_batch_is_replayed_with_its_records(
    dlq: Dlq, queue: Queue, stream: Stream, tmp_path: Any
) -> None:
    stream.client.put_record(StreamName=stream.name, PartitionKey="k", Data=b'{"n": 5}')
    number = stream.records()[0]["SequenceNumber"]
    name = queue.send(_gave_up(stream, number, number))
    (tmp_path / "of_batches.py").write_text(
        "import clew\n\n"
        "@clew.kinesis_handler(on_failure=clew.skip(), batch=True)\n"
        "def handler(records):\n"
        "    print([record.payload for record in records])\n"
    )
    ran = dlq("replay", queue.name, name, "--handler", "of_batches:handler")
    assert (ran.status, "[{'n': 5}]" in ran.out) == (0, True)
    (tmp_path / "letter.json").write_text(dlq("show", queue.name, name, "--json").out)
    stream.client.delete_stream(StreamName=stream.name)
    stream.client.create_stream(StreamName=stream.name, ShardCount=1)
    ran = dlq("replay", "letter.json", "--handler", "of_batches:handler")
    assert (ran.status, "[{'n': 5}]" in ran.out) == (0, True), "the file has them"
    assert clew.current() == {}

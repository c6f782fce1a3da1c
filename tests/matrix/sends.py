"""How each carrier sends one message, or a batch of two."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import io
import json
import urllib.request
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import aws_kinesis_agg.aggregator
import httpx
import requests
import urllib3
from aiobotocore.session import get_session  # type: ignore[import-untyped]

import clew

if TYPE_CHECKING:
    from collections.abc import Callable

    from .cell import World

    Send = Callable[[World], None]
    Get = Callable[[str], int]

PAYLOAD = json.dumps({"kind": "matrix"})
#: More than leave room for one attribute for each field.
CROWD = {f"own-{n}": {"DataType": "String", "StringValue": "1"} for n in range(6)}


def unique() -> str:
    return uuid.uuid4().hex


def publish(topic: str, **more: Any) -> Send:
    return lambda world: world.client("sns").publish(TopicArn=world[topic], Message="m", **more)


def publish_batch(topic: str) -> Send:
    entries = [{"Id": str(n), "Message": str(n)} for n in range(2)]
    return lambda world: world.client("sns").publish_batch(
        TopicArn=world[topic], PublishBatchRequestEntries=entries
    )


def send_message(queue: str = "Queue", **more: Any) -> Send:
    return lambda world: world.client("sqs").send_message(
        QueueUrl=world[queue], MessageBody="m", **more
    )


def send_message_batch(world: World) -> None:
    entries = [{"Id": str(n), "MessageBody": str(n)} for n in range(2)]
    world.client("sqs").send_message_batch(QueueUrl=world["Queue"], Entries=entries)


def send_message_async(world: World) -> None:
    async def send() -> None:
        made: Any = get_session()
        async with made.create_client(
            "sqs",
            endpoint_url=world.cloud.endpoint_url,
            region_name=world.cloud.region,
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key="none",
        ) as sqs:
            await sqs.send_message(QueueUrl=world["Queue"], MessageBody="m")

    asyncio.run(send())


def put_record(world: World) -> None:
    world.client("kinesis").put_record(
        StreamName=world["Stream"], Data=PAYLOAD.encode(), PartitionKey="1"
    )


def put_records(world: World) -> None:
    records = [{"Data": PAYLOAD.encode(), "PartitionKey": str(n)} for n in range(2)]
    world.client("kinesis").put_records(StreamName=world["Stream"], Records=records)


def put_aggregated(world: World) -> None:
    """As the Kinesis Producer Library does: each record is stamped before it is put together."""
    aggregator = aws_kinesis_agg.aggregator.RecordAggregator()
    for number in range(2):
        aggregator.add_user_record(str(number), clew.stamp(PAYLOAD))
    key, _, data = aggregator.clear_and_get().get_contents()
    world.client("kinesis").put_record(StreamName=world["Stream"], Data=data, PartitionKey=key)


def firehose_put(world: World) -> None:
    world.client("firehose").put_record(
        DeliveryStreamName=world["Firehose"], Record={"Data": PAYLOAD}
    )


def firehose_put_batch(world: World) -> None:
    world.client("firehose").put_record_batch(
        DeliveryStreamName=world["Firehose"], Records=[{"Data": PAYLOAD}] * 2
    )


def put_events(kind: str) -> Send:
    def send(world: World) -> None:
        entry = {"Source": "matrix", "DetailType": kind, "Detail": PAYLOAD}
        world.client("events").put_events(Entries=[{**entry, "EventBusName": world["Bus"]}])

    return send


def invoke(kind: str, function: str = "Receive") -> Send:
    return lambda world: world.client("lambda").invoke(
        FunctionName=world[function], InvocationType=kind, Payload=PAYLOAD
    )


def start_execution(machine: str) -> Send:
    return lambda world: world.client("stepfunctions").start_execution(
        stateMachineArn=world[machine], input=PAYLOAD
    )


def put_item(world: World) -> None:
    world.client("dynamodb").put_item(TableName=world["Items"], Item={"id": {"S": unique()}})


def update_item(world: World) -> None:
    world.client("dynamodb").update_item(
        TableName=world["Items"],
        Key={"id": {"S": unique()}},
        UpdateExpression="SET a = :a",
        ExpressionAttributeValues={":a": {"N": "1"}},
    )


def batch_write_item(world: World) -> None:
    puts = [{"PutRequest": {"Item": {"id": {"S": unique()}}}} for _ in range(2)]
    world.client("dynamodb").batch_write_item(RequestItems={world["Items"]: puts})


def transact_write_items(world: World) -> None:
    item = {"id": {"S": unique()}}
    put = {"Put": {"TableName": world["Items"], "Item": item}}
    world.client("dynamodb").transact_write_items(TransactItems=[put])


def put_object(prefix: str) -> Send:
    return lambda world: world.client("s3").put_object(
        Bucket=world["Uploads"], Key=f"{prefix}/{unique()}", Body=b"body"
    )


def upload_in_parts(world: World) -> None:
    """boto3's own transfer, of a file that is large enough for several parts."""
    world.client("s3").upload_fileobj(
        io.BytesIO(b"x" * (9 << 20)), world["Uploads"], f"straight/{unique()}"
    )


# HTTP.


def by_requests(url: str) -> int:
    return requests.get(url, timeout=10).status_code


def by_httpx(url: str) -> int:
    with httpx.Client(trust_env=False) as client:
        return client.get(url).status_code


def by_httpx_async(url: str) -> int:
    async def get() -> int:
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(url)).status_code

    return asyncio.run(get())


def by_aiohttp(url: str) -> int:
    async def get() -> int:
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return response.status

    return asyncio.run(get())


def by_urllib3(url: str) -> int:
    with urllib3.PoolManager() as pools:
        return pools.request("GET", url).status


def by_urllib(url: str) -> int:
    with urllib.request.urlopen(url, timeout=10) as response:
        status: int = response.status
        return status


def by_http_client(url: str) -> int:
    parts = urlsplit(url)
    with contextlib.closing(
        http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    ) as connection:
        connection.request("GET", parts.path)
        return connection.getresponse().status


def get(by: Get, what: str) -> Send:
    def send(world: World) -> None:
        status = by(world.url(what))
        assert status == 200, status

    return send

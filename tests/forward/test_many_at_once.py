"""Threads and tasks that send at the same time, by boto3 and aiobotocore."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import aiobotocore.session  # type: ignore[import-untyped]
import pytest

import clew

from .aws import ACCOUNT, Queue, client_at, texts
from .conftest import FIELDS

if TYPE_CHECKING:
    from clew.invocation import Invocation
    from clew.localcloud import LocalCloud

pytestmark = pytest.mark.local_cloud


def _none_mixed(messages: list[dict[str, Any]]) -> None:
    for message in messages:
        assert message["MessageAttributes"]["x-correlation-id"]["StringValue"] == message["Body"]


def test_threads_send_under_their_own_ids(cloud: LocalCloud, instrumented: None) -> None:
    client = client_at(cloud.endpoint_url, "sqs")
    queue, together = Queue(cloud, "threads"), threading.Barrier(4)

    def run(thread: int) -> None:
        together.wait(5)
        for turn in range(5):
            own = f"{thread}-{turn}"
            with clew.use(clew.Correlation({"x-correlation-id": own})):
                client.send_message(QueueUrl=queue.url, MessageBody=own)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    _none_mixed(queue.take(20))


def test_tasks_send_under_their_own_ids(
    cloud: LocalCloud, instrumented: None, invocation: Invocation
) -> None:
    queue = Queue(cloud, "tasks")

    async def one(client: Any, own: str) -> None:
        correlation = clew.Correlation({"x-correlation-id": own}, invocation=invocation)
        with clew.use(correlation):
            await client.send_message(QueueUrl=queue.url, MessageBody=own)

    async def run() -> None:
        session = aiobotocore.session.get_session()
        async with session.create_client(
            "sqs", endpoint_url=cloud.endpoint_url, **ACCOUNT
        ) as client:
            await asyncio.gather(*(one(client, str(number)) for number in range(20)))

    asyncio.run(run())
    _none_mixed(queue.take(20))
    assert {sent.outcome for sent in invocation.sent} == {"ok"}
    assert {sent.correlation.id for sent in invocation.sent} == set(map(str, range(20)))


@pytest.mark.parametrize("early", [True, False], ids=["made-before", "made-after"])
def test_clients_of_aiobotocore_made_before_and_after(
    early: bool, cloud: LocalCloud, correlation: clew.Correlation
) -> None:
    queue = Queue(cloud, "aiobotocore")

    async def run() -> None:
        session = aiobotocore.session.get_session()
        if not early:
            clew.instrument()
        async with session.create_client(
            "sqs", endpoint_url=cloud.endpoint_url, **ACCOUNT
        ) as client:
            clew.instrument()
            with clew.use(correlation):
                await client.send_message(QueueUrl=queue.url, MessageBody="hello")
            clew.uninstrument()
            with clew.use(correlation):
                await client.send_message(QueueUrl=queue.url, MessageBody="plain")

    try:
        asyncio.run(run())
    finally:
        clew.uninstrument()
    by_body = {message["Body"]: message for message in queue.take(2)}
    assert texts(by_body["hello"]["MessageAttributes"]).items() >= FIELDS.items()
    assert not by_body["plain"].get("MessageAttributes")

"""Queues with dead letters of every kind, and the command line in this process."""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import clew
from clew.cli import main
from clew.dlq import queue as dlq_queue
from clew.streams import clients
from log.lines import logged
from streams.making import Context
from streams.queues import as_event, batch, fails

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import boto3

    from clew.localcloud import LocalCloud


@pytest.fixture(autouse=True)
def _in_cloud(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """boto3 as it is inside a function of the local cloud, whose queues answer from one server."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.endpoint_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", cloud.region)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setattr(dlq_queue, "WAIT_S", 0)
    yield
    if any(cloud.faults):
        cloud.faults.clear()


@pytest.fixture(autouse=True, scope="module")
def _own_clients() -> Iterator[None]:
    clients.forget()
    yield
    clients.forget()


def fresh(prefix: str) -> str:
    """A name that no other test has."""
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


class Stream:
    """A Kinesis stream, and what is in it."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.name = fresh("posts")
        self.client = cloud.client("kinesis")
        self.client.create_stream(StreamName=self.name, ShardCount=1)
        self.arn = self.client.describe_stream_summary(StreamName=self.name)[
            "StreamDescriptionSummary"
        ]["StreamARN"]

    def records(self) -> list[dict[str, Any]]:
        """All, oldest first."""
        iterator = self.client.get_shard_iterator(
            StreamName=self.name,
            ShardId="shardId-000000000000",
            ShardIteratorType="TRIM_HORIZON",
        )["ShardIterator"]
        found: list[dict[str, Any]] = self.client.get_records(ShardIterator=iterator)["Records"]
        return found

    def numbers(self) -> list[int]:
        """Which ones these are."""
        return [json.loads(one["Data"])["n"] for one in self.records()]


class Queue:
    """An SQS queue, and what is in it."""

    def __init__(self, cloud: LocalCloud, prefix: str = "dead", **attributes: str) -> None:
        suffix = ".fifo" if attributes.get("FifoQueue") else ""
        self.name = fresh(prefix) + suffix
        self.client = cloud.client("sqs")
        self.url = self.client.create_queue(QueueName=self.name, Attributes=attributes)["QueueUrl"]
        self.arn = self.attribute("QueueArn")

    def attribute(self, name: str) -> str:
        """One that the service has."""
        found = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])
        return str(found["Attributes"][name])

    @property
    def visible(self) -> int:
        """How many messages can be received right now."""
        return int(self.attribute("ApproximateNumberOfMessages"))

    @property
    def hidden(self) -> int:
        """How many somebody has in hand."""
        return int(self.attribute("ApproximateNumberOfMessagesNotVisible"))

    def send(self, body: str, **more: Any) -> str:
        """Send one; its id."""
        sent = self.client.send_message(QueueUrl=self.url, MessageBody=body, **more)
        return str(sent["MessageId"])

    def take(self) -> list[dict[str, Any]]:
        """Receive what there is, with all that came with it."""
        found: list[dict[str, Any]] = []
        while got := self.client.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=10,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages"):
            found += got
        return found


def dead_letters(queue: Queue, count: int, stream: Stream | None = None) -> None:
    """So many records of a stream fail, each of a request of its own."""
    event = batch(count)
    for record in event["Records"]:
        record["eventSourceARN"] = stream.arn if stream else record["eventSourceARN"]
    handler = clew.kinesis_handler(on_failure=clew.dead_letter(queue.url))(fails(*range(count)))
    with logged():
        handler(event, Context())


def dead_messages(queue: Queue, source: Queue) -> None:
    """All messages of a queue fail."""

    def each(record: Any) -> None:
        raise KeyError(record.message_id)

    handler = clew.sqs_handler(on_failure=clew.dead_letter(queue.url))(each)
    received = source.take()
    with logged():
        handler(as_event(source.arn, received), Context())
    for one in received:
        source.client.delete_message(QueueUrl=source.url, ReceiptHandle=one["ReceiptHandle"])


@pytest.fixture
def stream(cloud: LocalCloud) -> Iterator[Stream]:
    """A stream of one shard."""
    made = Stream(cloud)
    yield made
    made.client.delete_stream(StreamName=made.name)


@pytest.fixture
def queue(cloud: LocalCloud) -> Queue:
    """A queue for dead letters."""
    return Queue(cloud)


class Ran(NamedTuple):
    """What a command wrote, and its status."""

    out: str
    err: str
    status: int

    @property
    def json(self) -> Any:
        """What it wrote, read."""
        return json.loads(self.out)


@pytest.fixture(scope="session")
def session(cloud: LocalCloud) -> boto3.Session:
    """One for all commands: to make its first client takes longer than most of them."""
    return cloud.session()


@pytest.fixture
def dlq(
    cloud: LocalCloud,
    session: boto3.Session,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Callable[..., Ran]:
    """``clew dlq`` in this process and in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("clew.localcloud.LocalCloud.connect", lambda _name: cloud)
    monkeypatch.setattr(cloud, "session", lambda: session)
    monkeypatch.setenv("CLEW_LOG_LEVEL", "INFO")  # so that what a replay sets is taken back

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["dlq", *arguments, "--local", cloud.name])
        out, err = capsys.readouterr()
        status = ended.value.code
        assert isinstance(status, int)
        return Ran(out, err, status)

    return run


@contextmanager
def one_sentence(ran: Ran) -> Iterator[str]:
    """That a command failed with, and nothing else."""
    assert ran.status == 1, ran
    assert ran.err.startswith("clew: ")
    assert ran.err.count("\n") == 1
    yield ran.err

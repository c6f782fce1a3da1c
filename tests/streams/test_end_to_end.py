"""From a producer to a real stream, through a worker that reads answers as Lambda does."""

from __future__ import annotations

import threading
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

import clew
from clew.streams.envelope import unseal
from clew.streams.worker import FunctionTarget, MappingSettings, SqliteLeases, Worker
from log.lines import logged

from .making import Context, event, number_of, sqs
from .worker.conftest import QUICK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from clew.localcloud import LocalCloud
    from conftest import Until

pytestmark = pytest.mark.usefixtures("in_cloud")
RECORDS, KEYS, POISON = 48, 6, 20


@pytest.fixture
def stream(cloud: LocalCloud) -> Iterator[tuple[str, str]]:
    """(name, ARN) of a stream of two shards that has the records."""
    name = f"timeline-{uuid.uuid4().hex[:8]}"
    client = cloud.client("kinesis")
    client.create_stream(StreamName=name, ShardCount=2)
    clew.streams.put(name, ((f"key-{n % KEYS}", {"n": n}) for n in range(RECORDS)))
    summary = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    yield name, summary["StreamARN"]
    client.delete_stream(StreamName=name)


class Timelines:
    """What the user's function has done, and the bug that is in it."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.lock = threading.Lock()
        self.done: list[int] = []
        self.tried: list[int] = []

    def place(self, record: Any) -> None:
        number = number_of(record)
        with self.lock:
            self.tried.append(number)
            if number == POISON and self.failures:
                self.failures -= 1
                raise KeyError("a bug")
            self.done.append(number)

    def of(self, key: int) -> list[int]:
        """What was done of a key, each record at its first time."""
        return list(dict.fromkeys(n for n in self.done if n % KEYS == key))


@contextmanager
def working(cloud: LocalCloud, arn: str, handler: Any, where: Path) -> Iterator[None]:
    worker = Worker(
        MappingSettings(arn, "TRIM_HORIZON", batch_size=15, report_batch_item_failures=True),
        target=FunctionTarget(handler, concurrency=2),
        leases=SqliteLeases(where / "leases.db"),
        session=cloud.session(),
        options=QUICK,
    )
    worker.start()
    try:
        yield
    finally:
        worker.stop(grace_s=5)


@pytest.mark.parametrize("lanes", [None, 3])
def test_halt_keeps_the_order_and_loses_nothing(
    cloud: LocalCloud, stream: tuple[str, str], tmp_path: Path, until: Until, lanes: Any
) -> None:
    timelines = Timelines(failures=3)
    handler = clew.kinesis_handler(on_failure=clew.halt(), lanes=lanes)(timelines.place)
    with logged(), working(cloud, stream[1], handler, tmp_path):
        until(lambda: len(set(timelines.done)) == RECORDS, "all records are done")
    for key in range(KEYS):
        assert timelines.of(key) == list(range(key, RECORDS, KEYS))
    assert timelines.tried.count(POISON) == 4


def test_skip_lets_the_rest_through(
    cloud: LocalCloud, stream: tuple[str, str], tmp_path: Path, until: Until
) -> None:
    timelines = Timelines(failures=10**6)
    handler = clew.kinesis_handler(on_failure=clew.skip())(timelines.place)
    with logged() as lines, working(cloud, stream[1], handler, tmp_path):
        until(lambda: len(set(timelines.done)) == RECORDS - 1, "the others are done")
    assert timelines.tried.count(POISON) == 1
    assert [line["exception"]["message"] for line in lines if line["level"] == "ERROR"] == [
        "'a bug'"
    ]
    assert len(timelines.done) == RECORDS - 1, "and none of them twice"


def test_a_dead_letter_is_delivered_after_the_bug_is_fixed(
    cloud: LocalCloud, stream: tuple[str, str], tmp_path: Path, until: Until
) -> None:
    client = cloud.client("sqs")
    url = client.create_queue(QueueName=f"dead-{stream[0]}")["QueueUrl"]
    timelines = Timelines(failures=10**6)
    policy = clew.retry(times=2, within="5s", backoff="5ms", then=clew.dead_letter(url))
    handler = clew.kinesis_handler(on_failure=policy, lanes=3)(timelines.place)
    with logged(), working(cloud, stream[1], handler, tmp_path):
        until(lambda: len(set(timelines.done)) == RECORDS - 1, "the others are done")
    assert timelines.tried.count(POISON) == 3
    for key in range(KEYS):
        expected = [n for n in range(key, RECORDS, KEYS) if n != POISON]
        assert timelines.of(key) == expected, "the key goes on without it"
    (message,) = client.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    letter = unseal(message["Body"])
    assert (letter.attempts, letter.source) == (3, "aws:kinesis")

    timelines.failures = 0
    again = clew.retry_handler(on_failure=clew.halt())(handler)
    with logged():
        came = event([{**sqs(0, ""), "body": message["Body"]}])
        assert again(came, Context()) == {"batchItemFailures": []}
    assert set(timelines.done) == set(range(RECORDS))

    # Or put back into the stream that it came from.
    client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    clew.streams.put(stream[0], [(letter.members["origin"]["partitionKey"], letter.to_source())])
    with logged(), working(cloud, stream[1], handler, tmp_path):
        until(lambda: timelines.done.count(POISON) == 2, "it comes through the stream")

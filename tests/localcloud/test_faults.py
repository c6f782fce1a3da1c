"""Faults strike functions and clients alike, in the service's own words, until they are over."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from clew.localcloud import LocalCloudError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clew.localcloud import LocalCloud

pytestmark = pytest.mark.local_cloud

ONCE = Config(retries={"total_max_attempts": 1}, read_timeout=0.3)
THROTTLED = "ProvisionedThroughputExceededException"


@pytest.fixture(autouse=True)
def _none_left(limited: LocalCloud) -> Iterator[None]:
    yield
    limited.faults.clear()


@pytest.fixture(scope="module")
def kinesis(limited: LocalCloud) -> Any:
    return limited.client("kinesis", config=ONCE)


def test_an_error_is_the_services_own_and_strikes_what_was_named(
    limited: LocalCloud, kinesis: Any, new_stream: Callable[..., str]
) -> None:
    stream = new_stream(kinesis)
    fault = limited.faults.add("kinesis", "PutRecord", error=THROTTLED)
    with pytest.raises(kinesis.exceptions.ProvisionedThroughputExceededException):
        kinesis.put_record(StreamName=stream, Data=b"x", PartitionKey="1")
    assert kinesis.list_streams()["StreamNames"]
    assert limited.client("sqs").list_queues()
    (now,) = limited.faults
    assert (now.id, now.calls, now.struck) == (fault.id, 1, 1)
    assert limited.faults.clear(fault.id) == 1
    kinesis.put_record(StreamName=stream, Data=b"x", PartitionKey="1")


def test_a_client_with_retries_gets_through(
    limited: LocalCloud, new_stream: Callable[..., str]
) -> None:
    patient = limited.client("kinesis", config=Config(retries={"total_max_attempts": 5}))
    stream = new_stream(patient)
    # This seed strikes the first call, and not the second.
    limited.faults.add("kinesis", "PutRecord", error=THROTTLED, rate=0.5, seed=1)
    patient.put_record(StreamName=stream, Data=b"x", PartitionKey="1")
    (fault,) = limited.faults
    assert (fault.calls, fault.struck) == (2, 1)


def test_records_of_a_batch_fail_one_by_one(
    limited: LocalCloud, kinesis: Any, new_stream: Callable[..., str]
) -> None:
    stream = new_stream(kinesis)
    records = [{"Data": str(n).encode(), "PartitionKey": "1"} for n in range(40)]
    with limited.faults.during("kinesis", error=THROTTLED, rate=0.5, seed=3):
        answer = kinesis.put_records(StreamName=stream, Records=records)
    failed = {n for n, each in enumerate(answer["Records"]) if "ErrorCode" in each}
    assert answer["FailedRecordCount"] == len(failed)
    assert 0 < len(failed) < 40
    iterator = kinesis.get_shard_iterator(
        StreamName=stream, ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    written = [int(each["Data"]) for each in kinesis.get_records(ShardIterator=iterator)["Records"]]
    assert written == [n for n in range(40) if n not in failed]
    assert list(limited.faults) == []


def test_latency_keeps_a_call_waiting(limited: LocalCloud) -> None:
    sqs = limited.client("sqs")
    with limited.faults.during("sqs", latency_s=0.4):
        before = time.monotonic()
        sqs.list_queues()
        assert time.monotonic() - before >= 0.4


def test_a_call_that_times_out_has_no_effect(limited: LocalCloud) -> None:
    sqs = limited.client("sqs", config=ONCE)
    with limited.faults.during("sqs", "CreateQueue", timeout=True), pytest.raises(ReadTimeoutError):
        sqs.create_queue(QueueName="never")
    assert "never" not in str(sqs.list_queues().get("QueueUrls"))


def test_a_fault_ends_by_itself(limited: LocalCloud, until: Callable[..., Any]) -> None:
    fault = limited.faults.add("sns", error="InternalError", for_s=0.3)
    assert fault.until is not None
    until(lambda: not list(limited.faults), "it is over")
    limited.client("sns", config=ONCE).list_topics()


@pytest.mark.parametrize(
    ("service", "call", "error", "status"),
    [
        ("s3", "list_buckets", "SlowDown", 503),
        ("sns", "list_topics", "Throttled", 429),
        ("cloudwatch", "list_metrics", "InternalServiceFault", 500),
        ("dynamodb", "list_tables", "InternalServerError", 500),
        ("stepfunctions", "list_state_machines", "ThrottlingException", 400),
    ],
)
def test_every_protocol_has_its_errors(
    limited: LocalCloud, service: str, call: str, error: str, status: int
) -> None:
    client = limited.client(service, config=ONCE)
    with limited.faults.during(service, error=error), pytest.raises(ClientError) as caught:
        getattr(client, call)()
    assert caught.value.response["Error"]["Code"] == error
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_a_mistake_gets_one_sentence(limited: LocalCloud) -> None:
    with pytest.raises(LocalCloudError, match="no operation PutRecrd; did you mean PutRecord"):
        limited.faults.add("kinesis", "PutRecrd", error=THROTTLED)

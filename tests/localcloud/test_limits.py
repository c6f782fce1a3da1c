"""With limits enforced, a shard refuses what it would refuse on AWS, and says so as AWS does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.localcloud import LocalCloud

pytestmark = pytest.mark.local_cloud

SHARD = "shardId-000000000000"
ONCE = Config(retries={"total_max_attempts": 1})
REFUSED = "ProvisionedThroughputExceededException"


@pytest.fixture(scope="module")
def kinesis(limited: LocalCloud) -> Any:
    return limited.client("kinesis", config=ONCE)


def _records(count: int, size: int) -> list[dict[str, Any]]:
    return [{"Data": b"x" * size, "PartitionKey": "1"} for _ in range(count)]


def test_records_past_the_limit_are_refused_one_by_one(
    kinesis: Any, new_stream: Callable[..., str]
) -> None:
    stream = new_stream(kinesis)
    # Four megabytes at once are more than two seconds of the clock take.
    answer = kinesis.put_records(StreamName=stream, Records=_records(80, 50_000))
    failed = [record for record in answer["Records"] if "ErrorCode" in record]
    assert answer["FailedRecordCount"] == len(failed) >= 38
    assert "ErrorCode" not in answer["Records"][0]
    assert failed[0] == {
        "ErrorCode": REFUSED,
        "ErrorMessage": f"Rate exceeded for shard {SHARD} in stream {stream} "
        "under account 000000000000.",
    }
    iterator = kinesis.get_shard_iterator(
        StreamName=stream, ShardId=SHARD, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    written = kinesis.get_records(ShardIterator=iterator)["Records"]
    assert len(written) == 80 - len(failed)


def test_one_record_too_many_is_refused_with_the_services_error(
    kinesis: Any, new_stream: Callable[..., str]
) -> None:
    stream = new_stream(kinesis)
    with pytest.raises(kinesis.exceptions.ProvisionedThroughputExceededException) as caught:
        for _ in range(50):
            kinesis.put_record(StreamName=stream, Data=b"x" * 500_000, PartitionKey="1")
    assert "Rate exceeded for shard" in str(caught.value)


def test_shards_have_their_limits_each(kinesis: Any, new_stream: Callable[..., str]) -> None:
    stream = new_stream(kinesis, shards=2)
    records = [
        {"Data": b"x" * 500_000, "PartitionKey": "1", "ExplicitHashKey": key}
        for key in ("0", str(2**127))
    ]
    assert kinesis.put_records(StreamName=stream, Records=records)["FailedRecordCount"] == 0


def test_the_sixth_read_in_a_second_is_refused(
    kinesis: Any, new_stream: Callable[..., str]
) -> None:
    stream = new_stream(kinesis)
    iterator = kinesis.get_shard_iterator(
        StreamName=stream, ShardId=SHARD, ShardIteratorType="LATEST"
    )["ShardIterator"]
    with pytest.raises(kinesis.exceptions.ProvisionedThroughputExceededException):
        for _ in range(50):
            kinesis.get_records(ShardIterator=iterator)


def test_a_large_read_keeps_the_next_one_waiting(
    limited: LocalCloud, kinesis: Any, new_stream: Callable[..., str], until: Callable[..., Any]
) -> None:
    stream = new_stream(kinesis)
    for _ in range(3):
        until(
            lambda: (
                kinesis.put_records(StreamName=stream, Records=_records(1, 1_000_000))[
                    "FailedRecordCount"
                ]
                == 0
            ),
            "the shard takes a megabyte",
        )
    iterator = kinesis.get_shard_iterator(
        StreamName=stream, ShardId=SHARD, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    answer = kinesis.get_records(ShardIterator=iterator)
    assert len(answer["Records"]) == 3
    with pytest.raises(kinesis.exceptions.ProvisionedThroughputExceededException):
        kinesis.get_records(ShardIterator=answer["NextShardIterator"])


def test_without_the_switch_nothing_is_refused(
    cloud: LocalCloud, new_stream: Callable[..., str]
) -> None:
    kinesis = cloud.client("kinesis", config=ONCE)
    stream = new_stream(kinesis)
    for _ in range(3):
        answer = kinesis.put_records(StreamName=stream, Records=_records(80, 50_000))
        assert answer["FailedRecordCount"] == 0

"""Streams are resharded as on AWS: what was closed is listed, and read to its end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from clew.localcloud import LocalCloud

pytestmark = pytest.mark.local_cloud

FIRST, SECOND, THIRD = (f"shardId-{number:012d}" for number in range(3))
HALF = 2**127


@pytest.fixture(scope="module")
def kinesis(cloud: LocalCloud) -> Any:
    return cloud.client("kinesis")


def _put(kinesis: Any, stream: str, *payloads: str) -> list[str]:
    records = [{"Data": text.encode(), "PartitionKey": text} for text in payloads]
    answer = kinesis.put_records(StreamName=stream, Records=records)
    return [record["SequenceNumber"] for record in answer["Records"]]


def _read(kinesis: Any, stream: str, shard: str, **how: Any) -> tuple[list[str], dict[str, Any]]:
    """Every payload of a shard that is closed, and the last answer."""
    how = how or {"ShardIteratorType": "TRIM_HORIZON"}
    asked = {"StreamName": stream, "ShardId": shard, **how}
    iterator = kinesis.get_shard_iterator(**asked)["ShardIterator"]
    payloads: list[str] = []
    while True:
        answer = kinesis.get_records(ShardIterator=iterator, Limit=2)
        payloads += [record["Data"].decode() for record in answer["Records"]]
        if "NextShardIterator" not in answer:
            return payloads, answer
        iterator = answer["NextShardIterator"]


def test_a_split_shard_is_read_to_its_end_and_tells_its_children(
    kinesis: Any, new_stream: Callable[..., str]
) -> None:
    stream = new_stream(kinesis)
    numbers = _put(kinesis, stream, "a", "b", "c", "d", "e")
    kinesis.split_shard(StreamName=stream, ShardToSplit=FIRST, NewStartingHashKey=str(HALF))
    _put(kinesis, stream, "f")

    payloads, last = _read(kinesis, stream, FIRST)
    assert payloads == ["a", "b", "c", "d", "e"]
    assert [child["ShardId"] for child in last["ChildShards"]] == [SECOND, THIRD]
    assert last["ChildShards"][0]["ParentShards"] == [FIRST]
    assert last["MillisBehindLatest"] == 0

    after = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": numbers[2]}
    assert _read(kinesis, stream, FIRST, **after)[0] == ["d", "e"]
    assert _read(kinesis, stream, FIRST, ShardIteratorType="LATEST")[0] == []


def test_an_iterator_from_before_the_split_goes_on(
    kinesis: Any, new_stream: Callable[..., str]
) -> None:
    stream = new_stream(kinesis)
    _put(kinesis, stream, "a", "b")
    iterator = kinesis.get_shard_iterator(
        StreamName=stream, ShardId=FIRST, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    first = kinesis.get_records(ShardIterator=iterator, Limit=1)
    kinesis.split_shard(StreamName=stream, ShardToSplit=FIRST, NewStartingHashKey=str(HALF))
    rest = kinesis.get_records(ShardIterator=first["NextShardIterator"])
    assert [record["Data"] for record in rest["Records"]] == [b"b"]
    assert "NextShardIterator" not in rest


def test_closed_shards_are_listed_with_where_they_ended(
    kinesis: Any, new_stream: Callable[..., str]
) -> None:
    stream = new_stream(kinesis, shards=2)
    (last,) = _put(kinesis, stream, "a")
    kinesis.merge_shards(StreamName=stream, ShardToMerge=FIRST, AdjacentShardToMerge=SECOND)
    shards = kinesis.list_shards(StreamName=stream)["Shards"]
    assert [shard["ShardId"] for shard in shards] == [FIRST, SECOND, THIRD]
    assert {shards[2]["ParentShardId"], shards[2]["AdjacentParentShardId"]} == {FIRST, SECOND}
    ranges = [shard["SequenceNumberRange"] for shard in shards]
    assert "EndingSequenceNumber" not in ranges[2]
    assert last <= ranges[0]["EndingSequenceNumber"] < ranges[2]["StartingSequenceNumber"]

    described = kinesis.describe_stream(StreamName=stream)["StreamDescription"]
    assert described["Shards"] == shards
    open_ones = kinesis.list_shards(StreamName=stream, ShardFilter={"Type": "AT_LATEST"})["Shards"]
    assert [shard["ShardId"] for shard in open_ones] == [THIRD]
    summary = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
    assert summary["OpenShardCount"] == 1


def test_a_list_goes_on_by_its_token_alone(kinesis: Any, new_stream: Callable[..., str]) -> None:
    stream = new_stream(kinesis, shards=3)
    page = kinesis.list_shards(StreamName=stream, MaxResults=2)
    assert len(page["Shards"]) == 2
    rest = kinesis.list_shards(NextToken=page["NextToken"])
    assert [shard["ShardId"] for shard in rest["Shards"]] == [THIRD]
    assert "NextToken" not in rest


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 3), (4, 2), (3, 5), (5, 3)])
def test_a_shard_count_is_reached_by_splits_and_merges(
    kinesis: Any, new_stream: Callable[..., str], before: int, after: int
) -> None:
    stream = new_stream(kinesis, shards=before)
    payloads = [str(number) for number in range(20)]
    _put(kinesis, stream, *payloads)
    answer = kinesis.update_shard_count(
        StreamName=stream, TargetShardCount=after, ScalingType="UNIFORM_SCALING"
    )
    assert (answer["CurrentShardCount"], answer["TargetShardCount"]) == (before, after)

    shards = kinesis.list_shards(StreamName=stream)["Shards"]
    open_ones = [s for s in shards if "EndingSequenceNumber" not in s["SequenceNumberRange"]]
    ranges = sorted(
        (int(s["HashKeyRange"]["StartingHashKey"]), int(s["HashKeyRange"]["EndingHashKey"]))
        for s in open_ones
    )
    assert len(ranges) == after
    assert ranges[0][0] == 0
    assert ranges[-1][1] == 2**128 - 1
    widths = [end - start for start, end in ranges]
    assert max(widths) - min(widths) <= after
    known = {shard["ShardId"] for shard in shards}
    assert all(
        shard["ParentShardId"] in known for shard in shards if int(shard["ShardId"][-12:]) >= before
    )

    read = [text for s in shards[:before] for text in _read(kinesis, stream, s["ShardId"])[0]]
    assert sorted(read) == sorted(payloads)


def test_a_template_changes_the_shard_count(
    cloud: LocalCloud, kinesis: Any, tmp_path: Path
) -> None:
    template = tmp_path / "template.json"

    def deploy(count: int) -> str:
        stream = {"Type": "AWS::Kinesis::Stream", "Properties": {"ShardCount": count}}
        template.write_text(json.dumps({"Resources": {"Stream": stream}}))
        return cloud.deploy(template, "resharded").resources["Stream"]

    stream = deploy(1)
    _put(kinesis, stream, "a")
    assert deploy(2) == stream
    summary = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
    assert summary["OpenShardCount"] == 2
    assert _read(kinesis, stream, FIRST)[0] == ["a"]


def test_shards_that_do_not_touch_are_not_merged(
    kinesis: Any, new_stream: Callable[..., str]
) -> None:
    stream = new_stream(kinesis, shards=3)
    with pytest.raises(ClientError, match="not an adjacent pair"):
        kinesis.merge_shards(StreamName=stream, ShardToMerge=FIRST, AdjacentShardToMerge=THIRD)
    assert len(kinesis.list_shards(StreamName=stream)["Shards"]) == 3


def test_a_deleted_stream_leaves_no_shards_behind(
    kinesis: Any, new_stream: Callable[..., str]
) -> None:
    stream = new_stream(kinesis)
    kinesis.split_shard(StreamName=stream, ShardToSplit=FIRST, NewStartingHashKey=str(HALF))
    kinesis.delete_stream(StreamName=stream)
    kinesis.create_stream(StreamName=stream, ShardCount=1)
    assert len(kinesis.list_shards(StreamName=stream)["Shards"]) == 1


def test_what_is_not_there_is_refused_as_before(kinesis: Any) -> None:
    for call in (kinesis.list_shards, kinesis.describe_stream):
        with pytest.raises(kinesis.exceptions.ResourceNotFoundException):
            call(StreamName="nobody")
    with pytest.raises(ClientError, match="InvalidArgumentException"):
        kinesis.list_shards(NextToken="nonsense")


def test_an_update_keeps_boundaries_that_differ_by_rounding_alone(
    kinesis: Any, new_stream: Callable[..., str]
) -> None:
    stream = new_stream(kinesis, shards=10)
    kinesis.update_shard_count(StreamName=stream, TargetShardCount=5, ScalingType="UNIFORM_SCALING")
    shards = kinesis.list_shards(StreamName=stream)["Shards"]
    assert len(shards) == 10 + 5  # five merges, and nothing else
    assert sum("AdjacentParentShardId" in shard for shard in shards) == 5

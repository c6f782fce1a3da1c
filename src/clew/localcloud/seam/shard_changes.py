"""Kinesis shards that are split, merged and listed: what was closed stays known."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

from ministack.core.responses import get_account_id
from ministack.services import kinesis
from ministack.services.cloudformation import provisioners

from clew.localcloud.seam import closed_shards
from clew.localcloud.seam.emulator_parts import around
from clew.localcloud.seam.kinesis_answers import error, iterator, ok

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.localcloud.seam.closed_shards import Stream
    from clew.localcloud.seam.kinesis_answers import Answer

_LIST_SHARDS_DEFAULT = 1_000  # the defaults of MaxResults and Limit, as the API reference has them
_DESCRIBE_STREAM_DEFAULT = 100
#: A share of the hash keys that nobody would see.
_ROUNDED = 2**88


def install() -> None:
    """Put clew's shards around the emulator's."""
    around(kinesis, "_split_shard", _keeping_what_is_closed)
    around(kinesis, "_merge_shards", _merge_adjacent_shards)
    around(kinesis, "_update_shard_count", _update_shard_count)
    around(kinesis, "_list_shards", _list_shards)
    around(kinesis, "_describe_stream", _describe_stream)
    around(kinesis, "_describe_stream_summary", _describe_stream_summary)
    around(kinesis, "_get_shard_iterator", _get_shard_iterator)
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Kinesis::Stream"]
    handlers["update"] = _by_template(handlers["update"])


def _keeping_what_is_closed(original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
    stream = kinesis._resolve_stream(data)[1]
    if stream is None:
        return original(data)
    before = dict(stream["shards"])
    ending = kinesis._next_sequence_number()  # lower than those at which the children start
    answer = original(data)
    closed_shards.remember(stream, before, ending)
    return answer


def _merge_adjacent_shards(original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
    stream = kinesis._resolve_stream(data)[1]
    names = (data.get("ShardToMerge"), data.get("AdjacentShardToMerge"))
    if stream is not None and all(name in stream["shards"] for name in names):
        one, two = sorted((stream["shards"][name] for name in names), key=_start)
        if int(one["ending_hash_key"]) + 1 != _start(two):
            return error(
                "InvalidArgumentException",
                f"Shards {names[0]} and {names[1]} in stream {stream['StreamName']} under account "
                f"{get_account_id()} are not an adjacent pair of shards eligible for merging",
            )
    return _keeping_what_is_closed(original, data)


def _update_shard_count(original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
    """By splits and merges, as on AWS; the emulator's own throws the records away."""
    name, stream = kinesis._resolve_stream(data)
    target = data.get("TargetShardCount")
    if stream is None or not isinstance(target, int) or target < 1:
        return original(data)
    current = len(stream["shards"])
    there = [_start(shard) for shard in stream["shards"].values()]
    starts = [_nearest(there, int(start)) for start, _ in kinesis._compute_hash_ranges(target)]
    while split := _next_split(stream, starts):
        kinesis._split_shard({"StreamName": name, **split})
    while merge := _next_merge(stream, starts):
        kinesis._merge_shards({"StreamName": name, **merge})
    return ok(
        {
            "StreamName": name,
            "CurrentShardCount": current,
            "TargetShardCount": target,
            "StreamARN": stream["StreamARN"],
        }
    )


def _nearest(there: list[int], wanted: int) -> int:
    """The boundary that is there already, if it differs from the wanted one by rounding alone."""
    near = min(there, key=lambda start: abs(start - wanted))
    return near if abs(near - wanted) <= _ROUNDED else wanted


def _by_template(original: Callable[..., Any]) -> Callable[..., Any]:
    """The update of a stack, in which the emulator leaves ``ShardCount`` as it was."""

    def update(name: str, before: dict[str, Any], after: dict[str, Any], stack: str) -> Any:
        answer = original(name, before, after, stack)
        count = after.get("ShardCount")
        if answer[0] == name and count is not None and count != before.get("ShardCount"):
            kinesis._update_shard_count({"StreamName": name, "TargetShardCount": int(count)})
        return answer

    return update


def _next_split(stream: Stream, starts: list[int]) -> dict[str, str] | None:
    for shard_id, shard in stream["shards"].items():
        for start in starts:
            if _start(shard) < start <= int(shard["ending_hash_key"]):
                return {"ShardToSplit": shard_id, "NewStartingHashKey": str(start)}
    return None


def _next_merge(stream: Stream, starts: list[int]) -> dict[str, str] | None:
    shards = sorted(stream["shards"].items(), key=lambda item: _start(item[1]))
    for (one, _), (two, shard) in itertools.pairwise(shards):
        if _start(shard) not in starts:
            return {"ShardToMerge": one, "AdjacentShardToMerge": two}
    return None


def _list_shards(original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
    after, shard_filter = data.get("ExclusiveStartShardId"), data.get("ShardFilter")
    if token := data.get("NextToken"):
        try:
            name, shard_filter, after = closed_shards.read_token(token)
        except closed_shards.BadTokenError as bad:
            if bad.expired:
                return error("ExpiredNextTokenException", "The NextToken has expired")
            return error("InvalidArgumentException", "The NextToken is not valid")
        data = {**data, "StreamName": name}
    stream = kinesis._resolve_stream(data)[1]
    if stream is None:
        return original(data)
    limit = int(data.get("MaxResults", _LIST_SHARDS_DEFAULT))
    shards, token = closed_shards.list_shards(stream, shard_filter, after, limit)
    return ok({"Shards": shards} | ({"NextToken": token} if token else {}))


def _describe_stream(original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
    answer = original(data)
    stream = kinesis._resolve_stream(data)[1]
    if answer[0] != 200 or stream is None:
        return answer
    limit = int(data.get("Limit", _DESCRIBE_STREAM_DEFAULT))
    after = data.get("ExclusiveStartShardId")
    shards, more = closed_shards.list_shards(stream, None, after, limit)
    description = json.loads(answer[2])["StreamDescription"]
    metrics = [{"ShardLevelMetrics": stream.get("ShardLevelMetrics", [])}]
    own = {"Shards": shards, "HasMoreShards": more is not None, "EnhancedMonitoring": metrics}
    return ok({"StreamDescription": description | own})


def _describe_stream_summary(original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
    answer = original(data)
    stream = kinesis._resolve_stream(data)[1]
    if answer[0] != 200 or stream is None:
        return answer
    summary = json.loads(answer[2])["StreamDescriptionSummary"]
    metrics = [{"ShardLevelMetrics": stream.get("ShardLevelMetrics", [])}]
    return ok({"StreamDescriptionSummary": summary | {"EnhancedMonitoring": metrics}})


def _get_shard_iterator(original: Callable[..., Answer], data: dict[str, Any]) -> Answer:
    stream = kinesis._resolve_stream(data)[1]
    shard = closed_shards.closed_shards(stream).get(data.get("ShardId", "")) if stream else None
    if stream is None or shard is None:
        return original(data)
    kind, timestamp = data.get("ShardIteratorType", ""), data.get("Timestamp", 0)
    number = data.get("StartingSequenceNumber", "")
    position = kinesis._start_position(shard["records"], kind, number, timestamp)
    if position is None:
        return error("InvalidArgumentException", f"Invalid ShardIteratorType: {kind}")
    return ok({"ShardIterator": iterator(stream, data["ShardId"], position)})


def _start(shard: dict[str, Any]) -> int:
    return int(shard["starting_hash_key"])

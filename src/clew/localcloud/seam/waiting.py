"""Lets a reader wait for the next record, instead of asking again and again.

The process that runs the mappings says with a header how long its GetRecords may wait. It gets
the records the moment they are there, and an idle shard costs next to nothing.
"""

from __future__ import annotations

import asyncio
import json

from ministack.services import dynamodb, dynamodb_streams, kinesis

_LOOK_EVERY_S = 0.005


async def until_there_is_something(how: str, target: str, body: bytes) -> None:
    """Return when a GetRecords would return records, or fail, or when it has waited enough.

    Args:
        how: Seconds at most, the account and the region, with spaces in between.
        target: The request's ``X-Amz-Target``.
        body: Its body.
    """
    try:
        seconds, account, region = how.split()
        iterator = str(json.loads(body)["ShardIterator"])
        most_s = float(seconds)
    except (ValueError, KeyError, TypeError):
        return
    idle = _table_is_idle if target.startswith("DynamoDBStreams_") else _shard_is_idle
    loop = asyncio.get_running_loop()
    deadline = loop.time() + most_s
    while idle(account, region, iterator) and loop.time() < deadline:
        await asyncio.sleep(_LOOK_EVERY_S)


def _shard_is_idle(account: str, region: str, iterator: str) -> bool:
    state = kinesis._shard_iterators.get_scoped(account, region, iterator) or {}
    stream = kinesis._streams.get_scoped(account, region, state.get("stream")) or {}
    shard = stream.get("shards", {}).get(state.get("shard_id"))
    return shard is not None and state["position"] >= len(shard["records"])


def _table_is_idle(account: str, region: str, iterator: str) -> bool:
    state = dynamodb_streams._decode_iterator(iterator) or {}
    scope = {"account_id": account, "region": region}
    stream = dynamodb_streams._enabled_stream_info(state.get("t", ""), **scope) or {}
    if stream.get("StreamArn") != state.get("arn", ""):
        return False
    end: int = dynamodb.stream_end_position(state["t"], **scope)
    return int(state["p"]) >= end

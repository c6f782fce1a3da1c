"""Reads a few records of a hot shard, to see which hash keys its load lies on."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import md5
from typing import TYPE_CHECKING

from clew.log.logger import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clew.scaling.managed.tools import Tools

_log = get_logger("clew.scaling")
#: Two calls of the five a second that all readers of a shard share.
_CALLS, _RECORDS = 2, 2000
#: How many shards are looked at, and how many records make a sample (`ShardMap.with_samples`).
_SHARDS, _ENOUGH = 3, 300
_LAST_S = 15  # of a shard that is hot, enough; and what is hot now


def sample_keys(tools: Tools, stream: str, shards: Iterable[str]) -> dict[int, float]:
    """Hash keys of records of the last seconds and the bytes of each; {} where too few are known.

    A record's own hash key is that of its partition key: where producers set another one, the
    stream does not give it back. What a record holds is thrown away. Never raises.
    """
    found: dict[int, float] = {}
    for shard in list(shards)[:_SHARDS]:
        try:
            keys = _of_shard(tools, stream, shard)
        except Exception as error:  # noqa: BLE001 - a plan without a sample is a plan
            _log.warning(
                "a shard could not be sampled", extra={"shard": shard, "error": str(error)}
            )
            continue
        found |= keys
    return found


def _of_shard(tools: Tools, stream: str, shard: str) -> dict[int, float]:
    iterator = tools.kinesis.get_shard_iterator(
        StreamName=stream,
        ShardId=shard,
        ShardIteratorType="AT_TIMESTAMP",
        Timestamp=datetime.fromtimestamp(tools.clock() - _LAST_S, UTC),
    )["ShardIterator"]
    found: dict[int, float] = {}
    seen = 0
    for _ in range(_CALLS):
        answer = tools.kinesis.get_records(ShardIterator=iterator, Limit=_RECORDS)
        for record in answer["Records"]:
            name = record["PartitionKey"].encode()
            key = int.from_bytes(md5(name, usedforsecurity=False).digest())
            found[key] = found.get(key, 0.0) + len(record["Data"]) + len(name)
            seen += 1
        iterator = answer.get("NextShardIterator")
        if not iterator or not answer["Records"]:
            break
    return found if seen >= _ENOUGH else {}

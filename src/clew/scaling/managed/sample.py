"""Reads a few records of a hot shard, to see which hash keys its load lies on."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import md5
from typing import TYPE_CHECKING, Any, NamedTuple

from clew.log.logger import get_logger
from clew.scaling.managed.tools import code_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clew.scaling.managed.tools import Tools

_log = get_logger("clew.scaling")
#: Two calls of the five a second that all readers of a shard share.
_CALLS, _RECORDS = 2, 2000
#: How many shards are looked at, and how many records make a sample (`ShardMap.with_samples`): of
#: large records a full shard takes no more than this in a few seconds.
_SHARDS, _ENOUGH = 3, 100
#: A key of this part of a shard's bytes is named, by so many characters.
_HEAVY, _LONGEST = 0.05, 80
#: How often a call that is refused is made again, and after how long: others read the shard, too.
_TRIES, _AFTER_S = 5, 0.5
_LAST_S = 15  # of a shard that is hot, enough; and what is hot now


class Sample(NamedTuple):
    """Records that were seen: hash key -> bytes, and the partition keys of those seen often."""

    weights: dict[int, float]
    names: dict[int, str]


def sample_keys(tools: Tools, stream: str, shards: Iterable[str]) -> Sample:
    """What was written to shards in the last seconds; nothing of those of which too little is seen.

    A record's own hash key is that of its partition key: where producers set another one, the
    stream does not give it back. What a record holds is thrown away. Never raises.
    """
    found = Sample({}, {})
    for shard in list(shards)[:_SHARDS]:
        try:
            keys = _of_shard(tools, stream, shard)
        except Exception as error:  # noqa: BLE001 - a plan without a sample is a plan
            _log.warning(
                "a shard could not be sampled", extra={"shard": shard, "error": str(error)}
            )
            continue
        found.weights.update({_hash_key(name): weight for name, weight in keys.items()})
        heavy = _HEAVY * sum(keys.values())
        found.names.update(
            {_hash_key(name): _shown(name) for name, weight in keys.items() if weight >= heavy}
        )
    return found


def _of_shard(tools: Tools, stream: str, shard: str) -> dict[str, float]:
    iterator = tools.kinesis.get_shard_iterator(
        StreamName=stream,
        ShardId=shard,
        ShardIteratorType="AT_TIMESTAMP",
        Timestamp=datetime.fromtimestamp(tools.clock() - _LAST_S, UTC),
    )["ShardIterator"]
    found: dict[str, float] = {}
    seen = 0
    for call in range(_CALLS):
        answer = _read(tools, iterator, patient=call == 0)
        for record in answer["Records"]:
            name = record["PartitionKey"]
            found[name] = found.get(name, 0.0) + len(record["Data"]) + len(name.encode())
            seen += 1
        iterator = answer.get("NextShardIterator")
        if not iterator or not answer["Records"]:
            break
    return found if seen >= _ENOUGH else {}


def _hash_key(partition_key: str) -> int:
    return int.from_bytes(md5(partition_key.encode(), usedforsecurity=False).digest())


def _shown(partition_key: str) -> str:
    """For a sentence: whatever a stranger wrote is letters of ASCII there."""
    return json.dumps(partition_key)[:_LONGEST]


def _read(tools: Tools, iterator: str, *, patient: bool) -> dict[str, Any]:
    """A page. After a large one the shard gives nothing for up to five seconds (GetRecords)."""
    from botocore.exceptions import ClientError

    for again in reversed(range(_TRIES if patient else 1)):
        try:
            page: dict[str, Any] = tools.kinesis.get_records(ShardIterator=iterator, Limit=_RECORDS)
        except ClientError as error:
            if code_of(error) != "ProvisionedThroughputExceededException":
                raise
            if again:
                tools.wait(_AFTER_S)
        else:
            return page
    return {"Records": []}

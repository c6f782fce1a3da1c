"""Remembers the shards that a split or a merge has closed, and lists them among the open ones.

A stream is the emulator's record of it, a dict whose ``shards`` are the open ones by id. The
closed ones stand beside them in the same record, and go with it when the stream is deleted. On
AWS, too, a closed shard stays until the last of its records has passed the retention period.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Stream = dict[str, Any]
Shards = dict[str, dict[str, Any]]

_CLOSED = "clew_closed_shards"
_TOKEN_LIFETIME_S = 300  # ListShards: "Tokens expire after 300 seconds."


class BadTokenError(Exception):
    """A NextToken that was not handed out here, or too long ago (then ``expired``)."""

    def __init__(self, *, expired: bool) -> None:
        super().__init__()
        self.expired = expired


def remember(stream: Stream, before: Shards, ending_sequence_number: str) -> None:
    """Keep those of the shards ``before`` that are not open any more."""
    for shard_id, shard in before.items():
        if shard_id not in stream["shards"]:
            closed = {**shard, "ending_sequence_number": ending_sequence_number}
            stream.setdefault(_CLOSED, {})[shard_id] = closed


def closed_shards(stream: Stream) -> Shards:
    """The closed shards that are still to be seen."""
    horizon = time.time() - stream["RetentionPeriodHours"] * 3600
    kept: Shards = {
        shard_id: shard
        for shard_id, shard in stream.get(_CLOSED, {}).items()
        if _time_of(shard["ending_sequence_number"]) >= horizon
    }
    if kept or _CLOSED in stream:
        stream[_CLOSED] = kept
    return kept


def all_shards(stream: Stream) -> Shards:
    """Closed and open shards, by id, in the order of their ids."""
    return dict(sorted({**closed_shards(stream), **stream["shards"]}.items()))


def described(shard_id: str, shard: Mapping[str, Any]) -> dict[str, Any]:
    """A shard as ListShards and DescribeStream say it."""
    numbers = {"StartingSequenceNumber": shard["starting_sequence_number"]}
    if "ending_sequence_number" in shard:
        numbers["EndingSequenceNumber"] = shard["ending_sequence_number"]
    return {
        "ShardId": shard_id,
        **_parents(shard, "ParentShardId", "AdjacentParentShardId"),
        "HashKeyRange": _hash_keys(shard),
        "SequenceNumberRange": numbers,
    }


def children(stream: Stream, shard_id: str) -> list[dict[str, Any]]:
    """The shards that a closed shard was split or merged into, as GetRecords says them."""
    return [
        {
            "ShardId": child_id,
            "ParentShards": list(_parents(child, "parent", "adjacent").values()),
            "HashKeyRange": _hash_keys(child),
        }
        for child_id, child in all_shards(stream).items()
        if shard_id in (child.get("parent_shard_id"), child.get("adjacent_parent_shard_id"))
    ]


def list_shards(
    stream: Stream, shard_filter: Mapping[str, Any] | None, after: str | None, limit: int
) -> tuple[list[dict[str, Any]], str | None]:
    """One page of ListShards.

    Args:
        stream: Whose shards.
        shard_filter: ListShards' ``ShardFilter``.
        after: List only shards with a higher id.
        limit: How many at most.

    Returns:
        The shards, and a token for the next page, if there is one.
    """
    known = all_shards(stream)
    wanted = [
        shard_id
        for shard_id, shard in known.items()
        if (after is None or shard_id > after) and _passes(shard_id, shard, shard_filter, known)
    ]
    page = wanted[:limit]
    token = _token(stream["StreamName"], shard_filter, page[-1]) if wanted[limit:] else None
    return [described(shard_id, known[shard_id]) for shard_id in page], token


def read_token(token: str) -> tuple[str, Mapping[str, Any] | None, str]:
    """The name of the stream, the filter and the last shard id that a token stands for.

    Raises:
        BadTokenError: It is none, or has expired.
    """
    try:
        name, shard_filter, after, issued = json.loads(base64.urlsafe_b64decode(token))
        age_s = time.time() - float(issued)
    except (ValueError, TypeError, binascii.Error):
        raise BadTokenError(expired=False) from None
    if age_s > _TOKEN_LIFETIME_S:
        raise BadTokenError(expired=True)
    return str(name), shard_filter, str(after)


def _token(name: str, shard_filter: Mapping[str, Any] | None, after: str) -> str:
    text = json.dumps([name, shard_filter, after, time.time()])
    return base64.urlsafe_b64encode(text.encode()).decode()


def _passes(
    shard_id: str,
    shard: Mapping[str, Any],
    shard_filter: Mapping[str, Any] | None,
    known: Shards,
) -> bool:
    """Whether a filter lets a shard through ("ShardFilter" in the API reference)."""
    asked = shard_filter or {}
    kind = asked.get("Type")
    opened = _time_of(shard["starting_sequence_number"])
    ending = shard.get("ending_sequence_number")
    match kind:
        case "AFTER_SHARD_ID":
            return shard_id > str(asked.get("ShardId", ""))
        case "AT_LATEST":
            return ending is None
        case "AT_TRIM_HORIZON":  # nothing that came before it is left
            parents = (shard.get("parent_shard_id"), shard.get("adjacent_parent_shard_id"))
            return not any(parent in known for parent in parents)
        case "AT_TIMESTAMP":
            at = float(asked.get("Timestamp", 0))
            return opened <= at and (ending is None or _time_of(ending) >= at)
        case "FROM_TIMESTAMP":
            return ending is None or _time_of(ending) >= float(asked.get("Timestamp", 0))
    return True


def _time_of(sequence_number: str) -> float:
    # The emulator's sequence numbers begin with the time in milliseconds, in 20 digits.
    return int(sequence_number[:20]) / 1000


def _parents(shard: Mapping[str, Any], first: str, second: str) -> dict[str, str]:
    found = {first: shard.get("parent_shard_id"), second: shard.get("adjacent_parent_shard_id")}
    return {name: parent for name, parent in found.items() if parent}


def _hash_keys(shard: Mapping[str, Any]) -> dict[str, str]:
    return {
        "StartingHashKey": shard["starting_hash_key"],
        "EndingHashKey": shard["ending_hash_key"],
    }

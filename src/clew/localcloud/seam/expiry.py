"""Kinesis records that have passed their retention period go, without a look at all the others.

The emulator copies every record of a stream at each call, and leaves its iterators where they
were, so that they pass over as many records as went.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ministack.services import kinesis

from clew.localcloud.seam.emulator_parts import around

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def install() -> None:
    """Take the emulator's place in it."""
    around(kinesis, "_expire_records", _expire)


def _expire(_: Callable[[Any], None], stream: dict[str, Any]) -> None:
    iterators = kinesis._shard_iterators.values()
    mine = (one for one in iterators if one["stream"] == stream["StreamName"])
    expire(stream, time.time(), mine)


def expire(stream: dict[str, Any], now: float, iterators: Iterable[dict[str, Any]]) -> None:
    """Drop what came before the retention period, and move the stream's iterators with the rest.

    Args:
        stream: The emulator's record of it.
        now: Seconds since the epoch.
        iterators: The emulator's records of them: ``shard_id`` and ``position``.
    """
    cutoff = now - stream["RetentionPeriodHours"] * 3600
    gone: dict[str, int] = {}
    for shard_id, shard in stream["shards"].items():
        records = shard["records"]
        # In order of arrival: mostly the first one says that none has to go.
        count = next(
            (n for n, one in enumerate(records) if one["ApproximateArrivalTimestamp"] >= cutoff),
            len(records),
        )
        if count:
            gone[shard_id] = count
            shard["records"] = records[count:]
    if gone:
        for one in iterators:
            one["position"] = max(0, one["position"] - gone.get(one["shard_id"], 0))

"""How a worker is doing, as a line for a person and as lines for a machine."""

from __future__ import annotations

import json
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from clew.log.line import timestamp
from clew.streams.worker import events

if TYPE_CHECKING:
    from clew.streams.worker.events import WorkerEvent
    from clew.streams.worker.status import WorkerStatus

_RATE_OVER_S = 5.0
_LOGGER = "clew.worker"

_LEVELS = {
    events.BATCH: "DEBUG",
    events.FAILED: "WARNING",
    events.NOT_INVOKED: "WARNING",
    events.DISCARDED: "ERROR",
    events.FILTERED: "DEBUG",
    events.LOST: "ERROR",
    events.SHARD_LOST: "WARNING",
    events.SHARD_REMADE: "WARNING",
    events.THROTTLED: "WARNING",
    events.READ_FAILED: "WARNING",
    events.STORE_FAILED: "WARNING",
    events.DESTINATION_FAILED: "ERROR",
}
_ORDER = ("DEBUG", "INFO", "WARNING", "ERROR")


def level_of(event: WorkerEvent) -> str:
    """How grave an event is, in logging's words."""
    return _LEVELS.get(event.kind, "INFO")


def is_shown(event: WorkerEvent, least: str) -> bool:
    """Whether an event is at least as grave as ``least``."""
    return _ORDER.index(level_of(event)) >= _ORDER.index(least)


def as_json(event: WorkerEvent) -> str:
    """An event as one line of JSON, with the names of clew's log line."""
    line: dict[str, Any] = {
        "timestamp": timestamp(time.time()),
        "level": level_of(event),
        "message": event.kind,
        "logger": _LOGGER,
    }
    if event.shard_id:
        line["shardId"] = event.shard_id
    return json.dumps(line | dict(event.fields), default=str)


def as_text(event: WorkerEvent) -> str:
    """An event in words."""
    said = ", ".join(
        f"{name} {value}" for name, value in event.fields.items() if value not in (None, "")
    )
    where = f"{event.shard_id}: " if event.shard_id else ""
    return f"{where}{event.kind}" + (f" ({said})" if said else "")


class Pace:
    """Records a second, over the last seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def per_second(self, records: int, now: float) -> float:
        """The pace, now that so many records are done since the start."""
        self._seen.append((now, records))
        while len(self._seen) > 2 and self._seen[0][0] < now - _RATE_OVER_S:
            self._seen.popleft()
        (since, before) = self._seen[0]
        return (records - before) / (now - since) if now > since else 0.0


def progress_line(status: WorkerStatus, per_second: float) -> str:
    """One line for a person."""
    parts = [
        status.state,
        f"{len(status.shards)} {'shard' if len(status.shards) == 1 else 'shards'}",
        f"{status.records:,} records",
        f"{per_second:,.0f}/s",
        f"{_lag(status)} behind",
    ]
    for count, what in (
        (status.failures, "failed batches"),
        (status.discarded, "discarded"),
        (status.filtered, "filtered out"),
    ):
        if count:
            parts.append(f"{count:,} {what}")
    return ", ".join(parts)


def progress_json(status: WorkerStatus, per_second: float) -> str:
    """The same as one line of JSON."""
    return json.dumps(
        {
            "timestamp": timestamp(time.time()),
            "level": "INFO",
            "message": "progress",
            "logger": _LOGGER,
            "state": status.state,
            "shards": len(status.shards),
            "records": status.records,
            "recordsPerSecond": round(per_second, 1),
            "behindMs": status.behind_ms,
            "iteratorAgeMs": max(
                (shard.iterator_age_ms for shard in status.shards.values()), default=0
            ),
            "failures": status.failures,
            "discarded": status.discarded,
            "filtered": status.filtered,
        }
    )


def _lag(status: WorkerStatus) -> str:
    seconds = status.behind_ms / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"

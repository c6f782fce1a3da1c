"""What a worker tells whoever watches it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Observe = Callable[["WorkerEvent"], None]

# Kinds, and the fields of each.
STARTED = "started"  # source, mapping, worker
SHARD_TAKEN = "shard taken"  # token, position
SHARD_LOST = "shard lost"  # token
SHARD_RELEASED = "shard released"  # token
SHARD_FINISHED = "shard finished"  # token
SHARD_REMADE = "shard remade"
BATCH = "batch"  # records, ms, attempt
FAILED = "batch failed"  # records, ms, attempt, error, done (the first so many are done with)
NOT_INVOKED = "not invoked"  # records, ms, attempt, error
DISCARDED = "batch discarded"  # records, condition, destination, first, last
FILTERED = "records filtered"  # records
LOST = "records lost"  # reason, after (a sequence number), since and until (times)
THROTTLED = "read throttled"  # error
READ_FAILED = "read failed"  # error
STORE_FAILED = "lease store failed"  # error
DESTINATION_FAILED = "destination failed"  # error
STOPPED = "stopped"  # reason


@dataclass(frozen=True)
class WorkerEvent:
    """One thing that happened."""

    kind: str
    #: The shard's id, or "" where it concerns the whole worker.
    shard_id: str = ""
    #: What else there is to say; JSON values.
    fields: Mapping[str, Any] = field(default_factory=dict)


def ignore(_event: WorkerEvent) -> None:
    """Watches nothing."""

"""How far a worker is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class ShardStatus:
    """How far one shard is that this worker holds."""

    shard_id: str
    #: The fencing token under which it is held.
    token: int
    #: The last sequence number that is done with, or None before the first.
    position: str | None
    #: Records handled here since it was taken: handed over with success, or discarded.
    records: int
    #: Milliseconds that the last read was behind the newest record.
    behind_ms: int
    #: Milliseconds that the newest handled record was old when it was handled.
    iterator_age_ms: int
    #: The last error, or "".
    error: str = ""


@dataclass(frozen=True)
class WorkerStatus:
    """How far a worker is."""

    #: "starting", "running", "stopping", "stopped" or "failed".
    state: str
    worker_id: str
    shards: Mapping[str, ShardStatus] = field(default_factory=dict)
    #: Since the start, over all shards: done and discarded.
    records: int = 0
    batches: int = 0
    failures: int = 0
    discarded: int = 0
    filtered: int = 0
    #: Why it failed, one sentence, or "".
    reason: str = ""

    @property
    def behind_ms(self) -> int:
        """The furthest that a shard is behind, in milliseconds."""
        return max((shard.behind_ms for shard in self.shards.values()), default=0)

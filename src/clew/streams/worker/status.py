"""How far a worker is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clew.streams.worker import events

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.streams.worker.events import WorkerEvent


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
    #: Since the start, over all shards: records that the function took with success.
    records: int = 0
    batches: int = 0
    failures: int = 0
    discarded: int = 0
    filtered: int = 0
    #: Seconds since this worker last showed the others that it lives.
    quiet_s: float = 0.0
    #: Why it failed, one sentence, or "".
    reason: str = ""

    @property
    def behind_ms(self) -> int:
        """The furthest that a shard is behind, in milliseconds."""
        return max((shard.behind_ms for shard in self.shards.values()), default=0)


class Tally:
    """Counts what happens, for the status."""

    def __init__(self) -> None:
        self._records = self._batches = self._failures = self._discarded = self._filtered = 0

    def add(self, event: WorkerEvent) -> None:
        """Count one event."""
        records = event.fields.get("records", 0)
        match event.kind:
            case events.BATCH:
                self._batches += 1
                self._records += records
            case events.FAILED:
                self._failures += 1
                self._records += event.fields["done"]
            case events.DISCARDED:
                self._discarded += records
            case events.FILTERED:
                self._filtered += records

    def status(
        self,
        state: str,
        worker_id: str,
        shards: Mapping[str, ShardStatus],
        quiet_s: float,
        reason: str,
    ) -> WorkerStatus:
        """The status with these counts."""
        return WorkerStatus(
            state,
            worker_id,
            shards,
            self._records,
            self._batches,
            self._failures,
            self._discarded,
            self._filtered,
            quiet_s,
            reason,
        )

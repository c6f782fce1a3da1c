"""How a worker goes about its work, beside what the mapping asks for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WorkerOptions:
    """Paces and patience. The defaults suit a stream on AWS.

    Limits of reading are those of "Quotas and limits" in the Kinesis Data Streams developer
    guide: five reads and 2 MB a second for each shard, over all its readers.
    """

    #: Seconds between two reads of a shard that had nothing new.
    poll_interval_s: float = 0.2
    #: Reads of a shard a second, at most.
    reads_per_second: float = 5.0
    #: Bytes of a shard a second, at most.
    bytes_per_second: float = 2e6
    #: Bytes of records that are held for a shard before reading pauses, and that a read asks for.
    buffer_bytes: int = 5_000_000
    #: Seconds before the first retry; doubled with each one after it.
    backoff_first_s: float = 0.5
    #: Seconds before a retry, at most.
    backoff_most_s: float = 30.0
    #: Seconds that a lease stands without being renewed. A dead worker's shards wait that long.
    lease_s: float = 10.0
    #: Seconds between two looks at which shards there are.
    shard_sync_s: float = 10.0
    #: Seconds that a tumbling window stays open after its end while nothing new comes.
    window_idle_s: float = 120.0
    #: Go on after records that the stream dropped before they were read. If False, stop there.
    continue_after_loss: bool = True

"""The service's limits that a plan has to keep to, and how long its operations take. Data.

Each number names the page that it stands on. Where AWS states none, the note says so, and the
number is an assumption to be changed: what a plan says of time is no better than that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

#: When the pages were last compared with the numbers here.
READ_ON = date(2026, 11, 24)

QUOTAS = 'Amazon Kinesis Data Streams Developer Guide, "Quotas and limits"'
UPDATE_SHARD_COUNT = "Amazon Kinesis Data Streams API Reference, UpdateShardCount"
SPLIT_SHARD = "Amazon Kinesis Data Streams API Reference, SplitShard"
MODES = 'Amazon Kinesis Data Streams Developer Guide, "Choose the right mode to stream in"'
ASSUMED = "assumed: AWS states no number"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one shard takes, and what may be asked of the service."""

    shard_bytes_per_s: float = 1_048_576  # "1 MB/s" there, 1 MiB in effect (QUOTAS)
    shard_records_per_s: float = 1_000  # QUOTAS
    reshard_calls_per_s: float = 5  # an account's SplitShard and MergeShards calls (SPLIT_SHARD)
    update_calls_per_24h: int = 10  # of one stream (UPDATE_SHARD_COUNT)
    update_up_factor: float = 2.0  # "not more than double" (UPDATE_SHARD_COUNT)
    update_down_factor: float = 0.5  # "not below half" (UPDATE_SHARD_COUNT)
    update_max_shards: int = 10_000  # UPDATE_SHARD_COUNT
    #: 20,000 in us-east-1, us-west-2 and eu-west-1, elsewhere 1,000 or 6,000 (QUOTAS).
    account_shards: int = 20_000
    on_demand_start_bytes_per_s: float = 4 * 1_048_576  # a new stream's (QUOTAS)
    on_demand_max_bytes_per_s: float = 200 * 1_048_576  # 10 GB/s in the three largest (QUOTAS)
    on_demand_peak_factor: float = 2.0  # of the peak of the last 30 days (MODES)
    on_demand_adapts_s: float = 900  # more than double within this may be throttled (MODES)


@dataclass(frozen=True, slots=True)
class Timing:
    """How long changes take. All of it is ASSUMED; sweep it where it matters."""

    #: One split or merge, from the call until the stream is ACTIVE again. One at a time.
    operation_s: float = 30.0
    #: UpdateShardCount: the least that a call takes, and how many of its splits or merges are
    #: thought to run side by side. "Depending on the size of the stream, the scaling action
    #: could take a few minutes" (UPDATE_SHARD_COUNT).
    update_least_s: float = 60.0
    update_side_by_side: int = 10

    def update_s(self, splits: int, merges: int) -> float:
        """How long one UpdateShardCount takes that needs so many splits and merges."""
        waves = -(-splits // self.update_side_by_side) - (-merges // self.update_side_by_side)
        return max(self.update_least_s, waves * self.operation_s)

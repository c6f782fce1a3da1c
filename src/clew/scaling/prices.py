"""What Kinesis Data Streams costs. Data, with its source and date, and the sums that follow.

Check it against https://aws.amazon.com/kinesis/data-streams/pricing/ for your region.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

SOURCE = (
    "https://aws.amazon.com/kinesis/data-streams/pricing/, US East (N. Virginia), as it is quoted"
    " in Trek10's comparison of 2023 and in the price lists of open-source cost tools of 2026"
)
READ_ON = date(2026, 11, 24)

HOURS_A_MONTH = 730
_PAYLOAD_UNIT = 25 * 1024  # bytes; a record takes whole ones
_GB = 1024**3
_ROUNDING = 1e-9  # of a mean that is a whole number but for its last bits


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars. ``closed_shard_rate`` is a setting, not a price: see there."""

    shard_hour: float = 0.015
    payload_units_million: float = 0.014
    extended_shard_hour: float = 0.020  # each shard, if records are kept for more than 24 hours
    stream_hour: float = 0.04  # on-demand standard, and so below
    gb_in: float = 0.08  # each record rounded up to 1 KB
    gb_out: float = 0.04
    #: The share of a shard-hour that a closed shard costs until its records expire. AWS's pages
    #: neither say that closed shards are billed nor that they are not. Judge at 0 and at 1.
    closed_shard_rate: float = 0.0

    def shard_hours(self, hours: float, retention_h: float = 24) -> float:
        """The price of open shards for so many shard-hours."""
        extended = self.extended_shard_hour if retention_h > 24 else 0.0
        return hours * (self.shard_hour + extended)

    def closed_shards(self, count: float, retention_h: float = 24) -> float:
        """The price of shards that stay closed until their last record expires."""
        return self.closed_shard_rate * self.shard_hours(count * retention_h, retention_h)

    def payload(self, records: float, record_bytes: float) -> float:
        """The price of putting records into a provisioned stream."""
        units = records * max(1, math.ceil(record_bytes / _PAYLOAD_UNIT - _ROUNDING))
        return units / 1e6 * self.payload_units_million

    def on_demand(
        self, hours: float, records: float, record_bytes: float, consumers: float = 1
    ) -> float:
        """The price of the same in on-demand mode (standard), read ``consumers`` times."""
        rounded = math.ceil(record_bytes / 1024 - _ROUNDING) * 1024
        written, read = records * rounded / _GB, records * record_bytes / _GB
        return hours * self.stream_hour + written * self.gb_in + consumers * read * self.gb_out

    def with_closed_shards_at(self, rate: float) -> Prices:
        """The same prices with another ``closed_shard_rate``."""
        from dataclasses import replace

        return replace(self, closed_shard_rate=rate)

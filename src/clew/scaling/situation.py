"""What a plan is judged by besides the load: limits, prices, how long things take and last."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clew.scaling.limits import Limits, Timing
from clew.scaling.prices import HOURS_A_MONTH, Prices

if TYPE_CHECKING:
    from clew.scaling.model import Load


@dataclass(frozen=True, slots=True)
class Situation:
    """The circumstances of a stream. The defaults are those of a new one in US East."""

    limits: Limits = field(default_factory=Limits)
    timing: Timing = field(default_factory=Timing)
    prices: Prices = field(default_factory=Prices)
    retention_h: float = 24.0
    #: Over the month, for what is billed by volume; the load planned for where there is none.
    mean_load: Load | None = None
    consumers: float = 1.0  # how often all is read, for on-demand mode
    #: What is left of the calls of UpdateShardCount in 24 hours.
    update_calls_left: int = 10
    #: What is left of the account's quota of shards.
    account_shards_left: int = 20_000
    #: How long the change is expected to be kept: weighs what it costs against what it saves.
    hold_h: float = 24.0

    def usd_month(self, shards: int, load: Load) -> float:
        """What so many open shards cost in a month, with what is put into them."""
        mean = self.mean_load or load
        open_shards = self.prices.shard_hours(shards * HOURS_A_MONTH, self.retention_h)
        return open_shards + self.prices.payload(*_month(mean))

    def usd_month_on_demand(self, load: Load) -> float:
        """What on-demand mode (standard) would cost in a month."""
        records, size = _month(self.mean_load or load)
        return self.prices.on_demand(HOURS_A_MONTH, records, size, self.consumers)

    def usd_closed(self, shards: int) -> float:
        """What shards that a change closes cost until they expire."""
        return self.prices.closed_shards(shards, self.retention_h)


def _month(load: Load) -> tuple[float, float]:
    """Records in a month and the bytes of each."""
    records = load.records_per_s * HOURS_A_MONTH * 3600
    return records, load.bytes_per_s / load.records_per_s if load.records_per_s else 0.0

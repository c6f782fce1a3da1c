"""What a policy did to a trace: what was refused, what it cost, how often it changed the stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from clew.scaling.prices import Prices
    from clew.scaling.simulation.trace import Trace

    Series = NDArray[np.float64]


@dataclass(frozen=True)
class Change:
    """One change of a stream, from when it was decided until it was done."""

    minute: int
    done_minute: int
    before: int
    after: int
    method: str
    why: str


@dataclass(frozen=True)
class Outcome:
    """Minute by minute, and in sum. Loads are in shards' worth."""

    name: str
    trace: Trace
    open_shards: Series
    accepted: Series
    refused_new: Series  # of what came in that minute for the first time
    lost: float  # what producers gave up, in shards' minutes
    waited_minutes: int  # the longest time on end in which something waited
    closed: int
    retention_h: float
    waiting: float = 0.0  # what is still tried again at the end, in shards' minutes
    operations: int = 0
    update_calls: int = 0
    changes: tuple[Change, ...] = ()
    on_demand: bool = False
    demand: Series = field(default_factory=lambda: np.zeros(0))

    @property
    def throttled(self) -> float:
        """The part of all load that was refused when it came."""
        total = float(self.demand.sum())
        return float(self.refused_new.sum()) / total if total else 0.0

    @property
    def lost_share(self) -> float:
        """The part of all load that was never accepted."""
        total = float(self.demand.sum())
        return self.lost / total if total else 0.0

    @property
    def throttled_minutes(self) -> int:
        """Minutes in which anything new was refused."""
        return int((self.refused_new > 1e-9).sum())

    @property
    def shard_hours(self) -> float:
        """Of open shards."""
        return float(self.open_shards.sum()) / 60

    @property
    def closed_shard_hours(self) -> float:
        """Of shards that it closed, until their records expire."""
        return self.closed * self.retention_h

    def usd_shards(self, prices: Prices) -> float:
        """What the shards cost, open and closed; in on-demand mode, all of it."""
        if self.on_demand:
            hours = len(self.trace) / 60
            return prices.on_demand(hours, self.trace.records, self.trace.record_bytes)
        open_usd = prices.shard_hours(self.shard_hours, self.retention_h)
        return open_usd + prices.closed_shards(self.closed, self.retention_h)

    def usd(self, prices: Prices) -> float:
        """What it costs with all that was to be put in: nobody is cheaper for losing records."""
        if self.on_demand:
            return self.usd_shards(prices)
        payload = prices.payload(self.trace.records, self.trace.record_bytes)
        return self.usd_shards(prices) + payload

    @property
    def relief_minutes(self) -> float:
        """How long something new was refused on end, each time that it was: half were shorter."""
        edges = np.flatnonzero(np.diff(self.refused_new > 1e-9, prepend=False, append=False))
        lengths = edges[1::2] - edges[::2]
        return float(np.median(lengths)) if len(lengths) else 0.0

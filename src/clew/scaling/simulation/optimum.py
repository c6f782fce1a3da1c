"""What it would have taken to know the future: a lower bound on the cost of any policy.

The clairvoyant has a number of shards for each minute, knows every minute to come, and pays nothing
for where the boundaries are. From one minute to the next it may at most double or halve the
stream, or change it by what own splits and merges come to in that time. A price on each refused
shard-minute makes a shortest path of it, found from the last minute backwards; whatever the price,
no policy has a lower sum of shards and priced refusals. So each price gives a straight line that
no policy gets below in cost against refusals, and the highest of the lines is the bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from clew.scaling.limits import Timing
    from clew.scaling.simulation.simulate import Conditions
    from clew.scaling.simulation.trace import Trace

    Series = NDArray[np.float64]

#: What one refused shard-minute is taken to cost, in shard-minutes.
_PRICES = np.array([0.0, *(0.25 * 2**n for n in range(19))])


@dataclass(frozen=True)
class Optimum:
    """What no policy gets below."""

    prices: Series  # of a refused shard-minute, in shard-minutes, rising
    least: Series  # of shard-minutes and refusals at that price, together
    load: float  # all of it, in shards' minutes
    open_shards: Series  # of the path at the highest price, minute by minute

    def shard_hours_at(self, throttled: float) -> float:
        """The fewest shard-hours (closed ones at the rate given) with that part refused."""
        return float((self.least - self.prices * throttled * self.load).max()) / 60


def clairvoyant(trace: Trace, conditions: Conditions) -> Optimum:
    """The bound for a trace."""
    limits = conditions.situation.limits
    load = trace.shards(limits)
    hot = None if trace.hot_key is None else trace.hot_key * load
    most = min(
        max(ceil(float(load.max(initial=1.0))), conditions.min_shards), conditions.max_shards
    )
    counts = np.arange(conditions.min_shards, most + 1, dtype=np.float64)
    closed = conditions.situation.prices.closed_shard_rate * conditions.situation.retention_h * 60
    steps = _Steps(counts, closed, conditions.situation.timing)
    safest = np.zeros((len(load), len(counts)))
    least = np.zeros((len(counts), len(_PRICES)))
    for minute in range(len(load) - 1, -1, -1):
        if minute < len(load) - 1:
            least = steps.cheapest(least)
        of_key = None if hot is None else float(hot[minute])
        refused = _refused(counts, float(load[minute]), of_key)
        least += counts[:, None] + refused[:, None] * _PRICES
        safest[minute] = least[:, -1]
    return Optimum(_PRICES, least.min(axis=0), float(load.sum()), counts[steps.path(safest)])


class _Steps:
    """To which counts a minute can go from each, and at what price.

    The least over a range of counts is that over two ranges whose length is a power of two.
    """

    def __init__(self, counts: Series, closed: float, timing: Timing) -> None:
        own = ceil(60 / timing.operation_s)
        calls = ceil(60 / timing.update_least_s)
        first, last = int(counts[0]), int(counts[-1])
        high = np.minimum(np.maximum(counts * 2**calls, counts + own), last)
        low = np.maximum(np.minimum(np.ceil(counts / 2**calls), counts - own), first)
        here = np.arange(len(counts))
        self._up = _range(here, (high - first).astype(int))
        self._down = _range((low - first).astype(int), here)
        self._low, self._high = self._down[0], self._up[1]
        self._counts, self._closed = counts, closed
        self._levels = max(1, len(counts).bit_length())

    def cheapest(self, least: NDArray[np.float64]) -> NDArray[np.float64]:
        """The least that follows from each count (row), at each price (column)."""
        more = self._counts[:, None] * self._closed
        # A split closes one shard, a merge two.
        up = self._over(least + more, self._up) - more
        down = self._over(least - 2 * more, self._down) + 2 * more
        return np.minimum(up, down)

    def _over(self, values: NDArray[np.float64], ranges: Any) -> NDArray[np.float64]:
        low, _, level, second = ranges
        table = np.empty((self._levels, *values.shape))
        table[0] = values
        for n in range(1, self._levels):
            half = 1 << (n - 1)
            table[n] = table[n - 1]
            np.minimum(table[n - 1, :-half], table[n - 1, half:], out=table[n, :-half])
        found: NDArray[np.float64] = np.minimum(table[level, low], table[level, second])
        return found

    def path(self, least: NDArray[np.float64]) -> NDArray[np.int64]:
        """The counts, by number, minute by minute, of what follows from each."""
        path = np.zeros(len(least), dtype=np.int64)
        path[0] = at = int(least[0].argmin()) if len(least) else 0
        for minute in range(1, len(least)):
            low, high = int(self._low[at]), int(self._high[at])
            change = self._counts[low : high + 1] - self._counts[at]
            price = self._closed * np.where(change > 0, change, -2 * change)
            at = low + int((least[minute, low : high + 1] + price).argmin())
            path[minute] = at
        return path


def _range(low: NDArray[np.int64], high: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """Where each range begins and ends, the level of the table to look in, and where else."""
    level = np.array([int(n).bit_length() - 1 for n in high - low + 1])
    return low, high, level, high - (1 << level) + 1


def _refused(counts: Series, load: float, hot: float | None) -> Series:
    """The least that so many shards refuse of a minute's load, wherever their boundaries are."""
    over = np.maximum(load - counts, 0.0)
    if hot is None or hot <= 1.0:
        return over
    return np.maximum(over, hot - 1.0 + np.maximum(load - hot - (counts - 1), 0.0))

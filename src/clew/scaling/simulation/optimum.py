"""What it would have taken to know the future: a lower bound on the cost of any policy.

The clairvoyant policy has a number of shards for each minute. It may at most double or halve them
from one minute to the next, or change them by the two that own splits and merges can, and pays
nothing for where the boundaries are. No policy that the simulator can run is cheaper at the same
share of refused load.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from clew.scaling.simulation.simulate import Conditions
    from clew.scaling.simulation.trace import Trace

    Series = NDArray[np.float64]

#: What one refused shard-minute is taken to cost, in shard-minutes; each gives one trade-off.
_PRICES = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 1e3, 1e5)


@dataclass(frozen=True)
class Optimum:
    """Trade-offs of cost against refused load that no policy beats, from cheap to safe."""

    throttled: tuple[float, ...]  # parts of all load, falling
    shard_hours: tuple[float, ...]  # with closed shards at the rate given, rising
    open_shards: Series  # of the safest, minute by minute

    def shard_hours_at(self, throttled: float) -> float:
        """The fewest shard-hours with no more than that part refused."""
        best = 0.0
        for (t0, h0), (t1, h1) in zip(
            zip(self.throttled, self.shard_hours, strict=True),
            zip(self.throttled[1:], self.shard_hours[1:], strict=True),
            strict=False,
        ):
            # The straight line through two neighbours is below all others' cost.
            if t0 > t1:
                best = max(best, h1 + (h0 - h1) * (throttled - t1) / (t0 - t1))
        return max(best, self.shard_hours[0])


def clairvoyant(trace: Trace, conditions: Conditions) -> Optimum:
    """The trade-offs for a trace."""
    limits = conditions.situation.limits
    load = trace.shards(limits)
    hot = None if trace.hot_key is None else trace.hot_key * load
    most = min(
        max(int(np.ceil(load.max(initial=1.0))), conditions.min_shards), conditions.max_shards
    )
    counts = np.arange(conditions.min_shards, most + 1, dtype=np.float64)
    closed = conditions.situation.prices.closed_shard_rate * conditions.situation.retention_h * 60
    step = _steps(counts, closed)
    found = []
    safest = counts[:0]
    for price in _PRICES:
        path = _best(counts, load, hot, price, step)
        safest = counts[path]
        refused = _refused(safest, load, hot).sum() / max(float(load.sum()), 1e-12)
        changed = np.diff(safest)
        closing = float(np.where(changed > 0, changed, -2 * changed).sum()) * closed
        found.append((float(refused), (float(safest.sum()) + closing) / 60))
    return Optimum(tuple(one for one, _ in found), tuple(hours for _, hours in found), safest)


def _steps(counts: Series, closed: float) -> Series:
    """What it costs to go from one count (row) to another (column) in a minute."""
    before, after = counts[:, None], counts[None, :]
    allowed = (after <= np.maximum(2 * before, before + 2)) & (
        after >= np.minimum(np.ceil(before / 2), before - 2)
    )
    price = closed * np.where(after > before, after - before, 2 * (before - after))
    return np.where(allowed, price, np.inf)


def _refused(counts: Series, load: Series, hot: Series | None) -> Series:
    """The least that so many shards refuse of a minute's load, wherever their boundaries are."""
    if hot is None:
        return np.maximum(load - counts, 0.0)
    of_key = np.maximum(hot - 1.0, 0.0)
    rest = np.maximum(load - hot - np.maximum(counts - 1, 0), 0.0)
    return np.maximum(load - counts, np.where(hot > 1.0, of_key + rest, 0.0))


def _best(
    counts: Series, load: Series, hot: Series | None, price: float, step: Series
) -> NDArray[np.int64]:
    """The counts, by number, minute by minute, that cost least at a price of refusals."""
    minutes = len(load)
    chosen = np.zeros((minutes, len(counts)), dtype=np.int16)
    least = np.zeros(len(counts))
    every = np.arange(len(counts))
    for minute in range(minutes - 1, -1, -1):
        ahead = step + least[None, :]
        to = ahead.argmin(axis=1)
        chosen[minute] = to
        of_key = None if hot is None else hot[minute : minute + 1]
        least = counts + price * _refused(counts, load[minute : minute + 1], of_key)
        least += ahead[every, to] if minute < minutes - 1 else 0.0
    path = np.zeros(minutes, dtype=np.int64)
    path[0] = int(least.argmin())
    for minute in range(minutes - 1):
        path[minute + 1] = chosen[minute, path[minute]]
    return path

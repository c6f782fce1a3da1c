"""A stream as the simulator has it: shards that open and close, and records that wait."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from clew.scaling.model import KEY_SPACE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Series = NDArray[np.float64]

#: What a shard takes in a minute, with the rounding of sums.
FULL = 1.0 + 1e-9


class Stream:
    """Open shards, what share of the load each has, and the records that producers try again.

    The load is spread evenly over the hash keys, but for one key at ``hot_at`` that has its own
    part of it. What one shard takes in a minute is 1.0.
    """

    __slots__ = ("_edges", "_waiting", "_widths", "cuts", "hot", "hot_key", "tried", "widest")

    def __init__(self, cuts: Sequence[int], hot_at: float, give_up_minutes: int) -> None:
        self.hot_key = int(hot_at * KEY_SPACE)
        self._waiting: Series | None = None
        self._resize(tuple(cuts))
        self.tried = give_up_minutes  # minutes in which a refused record comes again

    @property
    def shards(self) -> int:
        """How many are open."""
        return len(self.cuts) + 1

    @property
    def waiting(self) -> bool:
        """Whether any record waits to be tried again."""
        return self._waiting is not None

    @property
    def backlog(self) -> float:
        """What waits, in shards' minutes."""
        return 0.0 if self._waiting is None else float(self._waiting.sum())

    def alone(self, wanted: int) -> int:
        """How many shards there are when each is split until none is wider than an even one."""
        return int(np.ceil(self._widths * wanted - 1e-9).sum())

    def _resize(self, cuts: tuple[int, ...]) -> None:
        self.cuts = cuts
        self._edges, self._widths, self.widest = _laid_out(cuts)
        # By whole hash keys: a shard of one key alone has no width as a part of all.
        self.hot = bisect_right(cuts, self.hot_key)

    def change(self, cuts: tuple[int, ...], hot_share: float = 0.0) -> None:
        """Take other boundaries; what waits goes to the shards that its keys are in now."""
        before, waiting = self._edges, self._waiting
        hot_before = self.hot
        self._resize(cuts)
        if waiting is None:
            return
        shares = _shares(np.diff(before), hot_before, hot_share)
        of_hot = shares[hot_before]  # none, if the key has a shard of its own and is quiet now
        lone = waiting[:, hot_before] * (hot_share / of_hot if of_hot else 1.0)
        rest = waiting.copy()
        rest[:, hot_before] -= lone
        sums = np.concatenate([np.zeros((len(rest), 1)), rest.cumsum(axis=1)], axis=1)
        at = [np.interp(self._edges, before, row) for row in sums]
        self._waiting = np.diff(np.array(at), axis=1)
        self._waiting[:, self.hot] += lone

    def shares(self, hot_share: float = 0.0) -> Series:
        """What part of the load each shard has."""
        return _shares(self._widths, self.hot, hot_share) if hot_share else self._widths

    def fullest(self, load: float, hot_share: float = 0.0) -> float:
        """What the fullest shard is asked for when the stream is asked for ``load``."""
        most = load * (1 - hot_share) * self.widest
        if hot_share:
            of_hot = self._widths[self.hot] * (1 - hot_share) + hot_share
            most = max(most, load * float(of_hot))
        return most

    def take(self, load: float, hot_share: float = 0.0) -> tuple[float, float, float, float]:
        """One minute with too much: (accepted, refused, of these new, given up).

        What waits and what is new have the same chance, since producers try again at any time.
        """
        new = load * self.shares(hot_share)
        waiting = self._waiting
        offered = new if waiting is None else new + waiting.sum(axis=0)
        part = np.minimum(1.0, 1.0 / np.maximum(offered, 1e-12))
        still = 1 - part
        accepted = float((offered * part).sum())
        refused_new = new * still
        refused = float(offered.sum()) - accepted
        rows = [refused_new[None, :]]
        lost = 0.0
        if waiting is not None:
            old = waiting * still
            if len(old) >= self.tried:
                lost = float(old[-1].sum())
                old = old[:-1]
            rows.append(old)
        elif self.tried <= 0:
            lost, rows = float(refused_new.sum()), []
        left = np.concatenate(rows) if rows else None
        self._waiting = left if left is not None and float(left.sum()) > 1e-9 else None
        return accepted, refused, float(refused_new.sum()), lost


@lru_cache(maxsize=8192)
def _laid_out(cuts: tuple[int, ...]) -> tuple[Series, Series, float]:
    """The edges of the shards and their widths, as parts of the key space, and the widest."""
    edges = np.array([0.0, *(cut / KEY_SPACE for cut in cuts), 1.0])
    widths = edges[1:] - edges[:-1]
    return edges, widths, float(widths.max())


def _shares(widths: Series, hot: int, hot_share: float) -> Series:
    found = widths * (1 - hot_share)
    found[hot] += hot_share
    return found

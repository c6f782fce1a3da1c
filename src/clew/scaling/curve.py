"""The load along the hash-key space, and how far one shard can reach in it. Pure.

A place in the hash-key space is a float here: the number of the knot below it and the part of the
way to the next knot. Knots are the shards' boundaries and those of their pieces. Loads are in
shards' worth: 1.0 fills one shard.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING

from clew.scaling.model import KEY_SPACE

if TYPE_CHECKING:
    from collections.abc import Collection

    from clew.scaling.limits import Limits
    from clew.scaling.model import ShardMap

#: Loads that differ by less are the same: what is summed in different orders has to be.
SAME = 1e-9


class Curve:
    """Summed loads at the knots, in each dimension that can be the tighter one somewhere.

    ``walls`` are shards (by number) or single keys (by hash key) that stand alone and count for
    nothing: no boundary is put inside, and nothing is put together with them.
    """

    __slots__ = ("_dimensions", "_walls", "at", "edges", "one_key", "pieced", "shard_loads")

    def __init__(
        self,
        shards: ShardMap,
        limits: Limits,
        *,
        walled_shards: Collection[int] = (),
        walled_keys: Collection[int] = (),
    ) -> None:
        self.at: list[int] = [0]
        self.edges: list[int] = [0]  # the knot of each boundary of shards, both ends included
        self.one_key: list[bool] = []  # of the stretch after each knot
        self._walls: set[int] = set()
        in_bytes, in_records = [0.0], [0.0]
        for number, shard in enumerate(shards.shards):
            written = shard.load.bytes_per_s / limits.shard_bytes_per_s
            records = shard.load.records_per_s / limits.shard_records_per_s
            if number in walled_shards or not shard.pieces:
                stretches = [(shard.end, 1.0, 1.0, shard.end - shard.start == 1)]
            else:
                stretches = [
                    (one.end, one.bytes_share, one.records_share, one.one_key)
                    for one in shard.pieces
                ]
            for end, of_bytes, of_records, one_key in stretches:
                walled = number in walled_shards or (one_key and self.at[-1] in walled_keys)
                if walled:
                    self._walls.add(len(self.at) - 1)
                self.at.append(end)
                self.one_key.append(one_key)
                in_bytes.append(in_bytes[-1] + (0.0 if walled else written * of_bytes))
                in_records.append(in_records[-1] + (0.0 if walled else records * of_records))
            self.edges.append(len(self.at) - 1)
        self._dimensions = _that_count(in_bytes, in_records)
        #: Of each shard that it was made of; and the numbers of those that have pieces.
        self.shard_loads = [self.load(a, b) for a, b in pairwise(self.edges)]
        self.pieced = [n for n, (a, b) in enumerate(pairwise(self.edges)) if b - a > 1]

    @property
    def shards(self) -> int:
        """How many shards it was made of."""
        return len(self.edges) - 1

    @property
    def even(self) -> bool:
        """Whether the load can be cut in equal parts anywhere: one dimension and no lone keys."""
        return len(self._dimensions) == 1 and not any(self.one_key) and not self._walls

    def walled(self, knot: int) -> bool:
        """Whether the stretch after a knot stands alone."""
        return knot in self._walls

    def walls(self, start: int, end: int) -> bool:
        """Whether any stretch between two knots stands alone."""
        return any(start <= wall < end for wall in self._walls)

    def load(self, start: float, end: float) -> float:
        """The load between two places, in shards' worth."""
        return max(_sum_at(sums, end) - _sum_at(sums, start) for sums in self._dimensions)

    def heaviest_key(self) -> float:
        """The load of the heaviest single key that is known: no shard gets below it."""
        return max(
            (
                max(sums[k + 1] - sums[k] for sums in self._dimensions)
                for k, alone in enumerate(self.one_key)
                if alone
            ),
            default=0.0,
        )

    def reach(self, start: float, cap: float) -> float:
        """The furthest end of a shard that begins at ``start`` and holds no more than ``cap``.

        What cannot be split is taken whole, even if it is more.
        """
        first = int(start)
        if first in self._walls:
            return first + 1
        part = start - first
        end = float(len(self.one_key))
        for sums in self._dimensions:
            below = sums[first]
            if part:
                below += part * (sums[first + 1] - below)
            end = min(end, _place_of(sums, below + cap, first))
        if self._walls:
            end = min((wall for wall in self._walls if first < wall < end), default=end)
        last = int(end)
        if last < len(self.one_key) and self.one_key[last]:
            end = last  # the rest of a single key cannot go elsewhere
        return end if end > start else first + 1

    def need(self, start: float, end: float, cap: float) -> int:
        """How many shards it takes between two places, none of them above ``cap``."""
        count = 1
        while (start := self.reach(start, cap)) < end:
            count += 1
        return count

    def part(self, start: float, end: float, number: int, of: int) -> float:
        """The place that has ``number`` of ``of`` equal parts of the load below it, nearly."""
        sums = self._dimensions[0]
        below, above = _sum_at(sums, start), _sum_at(sums, end)
        if above - below <= SAME:  # nothing there to go by: the same width each
            a, b = self.hash_key(start), self.hash_key(end)
            return self.place(a + (b - a) * number // of)
        place = min(max(_place_of(sums, below + (above - below) * number / of), start), end)
        last = int(place)
        return last if last < len(self.one_key) and self.one_key[last] else place

    def place(self, hash_key: int) -> float:
        """Where a hash key is."""
        last = bisect_right(self.at, hash_key) - 1
        if last == len(self.one_key):
            return float(last)
        return last + (hash_key - self.at[last]) / (self.at[last + 1] - self.at[last])

    def hash_key(self, place: float) -> int:
        """The hash key at a place."""
        last = int(place)
        if last >= len(self.one_key):
            return KEY_SPACE
        below, above = self.at[last], self.at[last + 1]
        return below + round((above - below) * (place - last))


def _that_count(in_bytes: list[float], in_records: list[float]) -> tuple[list[float], ...]:
    """One of the two alone if it is the tighter one everywhere, as with records of one size."""
    pairs = zip(in_bytes, in_bytes[1:], in_records, in_records[1:], strict=False)
    more_bytes = more_records = False
    for b0, b1, r0, r1 in pairs:
        more_bytes = more_bytes or b1 - b0 > r1 - r0 + SAME
        more_records = more_records or r1 - r0 > b1 - b0 + SAME
        if more_bytes and more_records:
            return in_bytes, in_records
    return (in_records,) if more_records else (in_bytes,)


def _sum_at(sums: list[float], place: float) -> float:
    last = int(place)
    if last == place:
        return sums[last]
    below = sums[last]
    return below + (place - last) * (sums[last + 1] - below)


def _place_of(sums: list[float], value: float, first: int = 0) -> float:
    """The furthest place that has no more than ``value`` below it."""
    last = bisect_right(sums, value + SAME, first) - 1
    if last == len(sums) - 1:
        return float(last)
    below = sums[last]
    return last + min(max((value - below) / (sums[last + 1] - below), 0.0), 1 - 1e-15)

"""In which order to make a plan's changes. Pure.

Relief first: the split that takes from the hottest shard comes next, as long as there is room
for one more; when there is none, the merge of the two coolest neighbours makes some. So a stream
never has more shards than it may on the way, or than it had, nor fewer.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from clew.scaling.model import KEY_SPACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clew.scaling.curve import Curve

#: (whether it is a split, the boundary, the start and the end of both shards together)
Step = tuple[bool, int, int, int]


def in_order(
    curve: Curve,
    before: Iterable[int],
    added: Iterable[int],
    removed: Iterable[int],
    at_most: int,
) -> Iterator[Step]:
    """Each change in turn, with the range that it splits or that its merge makes."""
    stream = _Stream(curve, before, added, removed)
    room = max(at_most - stream.count, 0)
    while stream.added or stream.removed:
        if stream.added and (room or not stream.removed):
            room -= 1
            yield True, *stream.split()
        else:
            room += 1
            yield False, *stream.merge()


class _Stream:
    """The boundaries as they are at some time, and the changes that are still to be made.

    The heaps' entries may be out of date, since a change makes the shards beside it cooler or
    hotter; :meth:`_next` looks again at each that it takes.
    """

    __slots__ = ("_curve", "_cut", "_cuts", "_merges", "_places", "_splits", "added", "removed")

    def __init__(
        self, curve: Curve, before: Iterable[int], added: Iterable[int], removed: Iterable[int]
    ) -> None:
        self._curve = curve
        self._cuts = [0, *sorted(before), KEY_SPACE]
        self._cut: set[int] = set()  # the splits that have been made
        self._places: dict[int, float] = {}
        self.added, self.removed = sorted(added), set(removed)
        self._splits = [(-self._load(*self._shard(cut)), cut) for cut in self.added]
        self._merges = [(self._load(*self._pair(cut)), cut) for cut in self.removed]
        heapify(self._splits)
        heapify(self._merges)

    @property
    def count(self) -> int:
        return len(self._cuts) - 1

    def split(self) -> tuple[int, int, int]:
        while True:
            was, cut = heappop(self._splits)
            if cut in self._cut:
                continue  # it came again, hotter, and is done
            start, end = self._shard(cut)
            if (now := -self._load(start, end)) <= was:
                break
            heappush(self._splits, (now, cut))
        del self.added[bisect_left(self.added, cut)]
        insort(self._cuts, cut)
        self._cut.add(cut)
        for edge in self.removed.intersection((start, end)):  # cooler merges than before
            heappush(self._merges, (self._load(*self._pair(edge)), edge))
        return cut, start, end

    def merge(self) -> tuple[int, int, int]:
        while True:
            was, cut = heappop(self._merges)
            if cut not in self.removed:
                continue  # it came again, cooler, and is done
            start, end = self._pair(cut)
            if (now := self._load(start, end)) <= was:
                break
            heappush(self._merges, (now, cut))
        self.removed.discard(cut)
        del self._cuts[bisect_left(self._cuts, cut)]
        first, last = bisect_right(self.added, start), bisect_left(self.added, end)
        for inside in self.added[first:last]:  # hotter splits than before
            heappush(self._splits, (-now, inside))
        return cut, start, end

    def _shard(self, key: int) -> tuple[int, int]:
        """The shard that a hash key is in."""
        at = bisect_left(self._cuts, key)
        return self._cuts[at - 1], self._cuts[at]

    def _pair(self, cut: int) -> tuple[int, int]:
        """The two shards on both sides of a boundary, together."""
        at = bisect_left(self._cuts, cut)
        return self._cuts[at - 1], self._cuts[at + 1]

    def _load(self, start: int, end: int) -> float:
        for key in (start, end):
            if key not in self._places:
                self._places[key] = self._curve.place(key)
        return self._curve.load(self._places[start], self._places[end])

"""In which order to make a plan's changes. Pure.

Relief first: while a shard that is to be split is above the target, the split that takes from the
hottest comes next. Then savings: a merge, as soon as one stays within the target. When there is
no room for one more shard, the merge of the two coolest neighbours makes some, whatever it is. So
a stream never has more shards than it may on the way, or than it had, nor fewer.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from heapq import heapify, heappop, heappush, heapreplace
from typing import TYPE_CHECKING

from clew.scaling.model import KEY_SPACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clew.scaling.curve import Curve

#: The load of a stream without any, for the order alone.
_IDLE = 1e-9

#: (whether it is a split, the boundary, the start and the end of both shards together)
Step = tuple[bool, int, int, int]


def in_order(
    curve: Curve,
    before: Iterable[int],
    added: Iterable[int],
    removed: Iterable[int],
    *,
    bounds: tuple[int, int],
    target: float,
) -> Iterator[Step]:
    """Each change in turn, with the range that it splits or that its merge makes."""
    stream = _Stream(curve, before, added, removed)
    room = max(bounds[1] - stream.count, 0)
    spare = max(stream.count - bounds[0], 0)
    while stream.added or stream.removed:
        split = bool(stream.added)
        if split and stream.removed and spare:
            split = room > 0 and (stream.hottest() > target or stream.coolest() > target)
        by = 1 if split else -1
        room, spare = room - by, spare + by
        yield (split, *(stream.split() if split else stream.merge()))


class _Stream:
    """The boundaries as they are at some time, and the changes that are still to be made.

    The heaps' entries may be out of date, since a change makes the shards beside it cooler or
    hotter; :meth:`hottest` and :meth:`coolest` look again at what is on top.
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

    def hottest(self) -> float:
        """The load of the hottest shard that is still to be split."""
        while True:
            was, cut = self._splits[0]
            if cut in self._cut:  # it came again, hotter, and is done
                heappop(self._splits)
                continue
            now = -self._load(*self._shard(cut))
            if now <= was:
                return -now
            heapreplace(self._splits, (now, cut))

    def coolest(self) -> float:
        """The least load that a merge would put together."""
        while True:
            was, cut = self._merges[0]
            if cut not in self.removed:  # it came again, cooler, and is done
                heappop(self._merges)
                continue
            now = self._load(*self._pair(cut))
            if now <= was:
                return now
            heapreplace(self._merges, (now, cut))

    def split(self) -> tuple[int, int, int]:
        """Split the hottest."""
        self.hottest()
        _, cut = heappop(self._splits)
        start, end = self._shard(cut)
        del self.added[bisect_left(self.added, cut)]
        insort(self._cuts, cut)
        self._cut.add(cut)
        for edge in self.removed.intersection((start, end)):  # cooler merges than before
            heappush(self._merges, (self._load(*self._pair(edge)), edge))
        return cut, start, end

    def merge(self) -> tuple[int, int, int]:
        """Merge the coolest."""
        self.coolest()
        _, cut = heappop(self._merges)
        start, end = self._pair(cut)
        self.removed.discard(cut)
        del self._cuts[bisect_left(self._cuts, cut)]
        first, last = bisect_right(self.added, start), bisect_left(self.added, end)
        for inside in self.added[first:last]:  # hotter splits than before
            heappush(self._splits, (-self._load(start, end), inside))
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
        # Where nothing is known of the load, the keys may have some soon: no shard gets very wide.
        load = self._curve.load(self._places[start], self._places[end])
        return load or _IDLE * (end - start) / KEY_SPACE

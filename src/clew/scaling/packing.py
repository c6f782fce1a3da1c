"""The fewest splits and merges that bring every shard under a cap. Pure, and exact.

A change from one set of boundaries to another splits once for each new boundary and merges once
for each old one that goes; nothing can do with less. The old boundaries that stay divide the
stream into *runs* of old shards. A run of ``m`` shards that becomes ``k`` takes ``m - 1`` merges
and ``k - 1`` splits, so a change is told by its runs and by how many shards each becomes.

Alone, shard ``i`` has to become ``1 + splits[i]``. A run becomes ``1 + waste`` more than its
shards' ``splits`` together, and its waste never falls as it grows at either end: a shard added
takes at least its own splits. So of all runs that begin at a boundary and have no more than a
given waste, the longest is the best to go on from, and ``furthest(r, w)``, the best boundary that
``r`` runs with waste ``w`` in all can reach, follows from those with fewer.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from math import ceil
from typing import TYPE_CHECKING

from clew.scaling.curve import SAME

if TYPE_CHECKING:
    from clew.scaling.curve import Curve

#: Shards tried in the exact search; what needs more is settled by :func:`_nearly` and said to be.
_BUDGET = 40_000
_MOST_WASTE = 24  # of one run, in that case


@dataclass(frozen=True, slots=True)
class Run:
    """Old shards ``first`` to before ``end`` that become ``into`` new ones."""

    first: int
    end: int
    into: int

    @property
    def operations(self) -> int:
        """The merges and splits that it takes."""
        return self.end - self.first - 1 + self.into - 1


@dataclass(frozen=True, slots=True)
class Packing:
    """Runs from the first shard to the last. ``short_of_proof`` is how many operations fewer
    might do: 0 where the search was exact."""

    runs: tuple[Run, ...]
    short_of_proof: int = 0

    @property
    def operations(self) -> int:
        """Splits and merges together."""
        return sum(run.operations for run in self.runs)

    @property
    def shards(self) -> int:
        """How many shards there are in the end."""
        return sum(run.into for run in self.runs)


class _Ends:
    """How far the longest runs from one shard reach, as far as it has been asked."""

    __slots__ = ("end", "found", "place", "shards")

    def __init__(self, place: float, end: int) -> None:
        self.place, self.shards, self.end = place, 0, end
        self.found: list[int] = []


class _Cap:
    """What follows from one cap: each shard's own splits, and how far runs reach."""

    __slots__ = ("_cap", "_curve", "_known", "own", "steps")

    def __init__(self, curve: Curve, cap: float) -> None:
        self._curve, self._cap = curve, cap
        self._known: dict[int, _Ends] = {}
        self.steps = 0
        own = [ceil((load - SAME) / cap) - 1 if load > cap else 0 for load in curve.shard_loads]
        edges = curve.edges
        for number in curve.pieced:
            own[number] = curve.need(edges[number], edges[number + 1], cap) - 1
        #: The splits of the shards before each one, each on its own.
        self.own: list[int] = [0, *accumulate(own)]

    def furthest(self, first: int, waste: int) -> int:
        """The end of the longest run from shard ``first`` with no more than ``waste``."""
        ends = self.ends(first, waste)
        return ends[min(waste, len(ends) - 1)]

    def ends(self, first: int, waste: int) -> list[int]:
        """The ends of the longest runs from there with waste 0, 1, … and maybe more."""
        known = self._known.get(first)
        if known is None:
            known = self._known[first] = _Ends(self._curve.edges[first], first)
        found = known.found
        if len(found) > waste or (found and found[-1] == self._curve.shards):
            return found
        curve, own, cap = self._curve, self.own, self._cap
        edges, last = curve.edges, curve.shards
        place, shards, end = known.place, known.shards, known.end
        while len(found) <= waste:
            self.steps += 1
            place = curve.reach(place, cap)
            shards += 1
            end = min(bisect_right(edges, place + SAME, end, last + 1) - 1, last)
            if end == last:
                found.append(end)
                break
            # The next shard would take the run to one more than these.
            while shards - (own[end + 1] - own[first]) > len(found):
                # A shard's own splits are no waste, however its sums are rounded.
                found.append(max(end, first + 1))
        known.place, known.shards, known.end = place, shards, end
        return found

    def run(self, first: int, end: int) -> Run:
        """That run, with as many shards as it needs."""
        edges = self._curve.edges
        if end - first == 1:
            return Run(first, end, 1 + self.own[end] - self.own[first])
        return Run(first, end, self._curve.need(edges[first], edges[end], self._cap))


def pack(curve: Curve, cap: float, at_least: int, at_most: int) -> Packing | None:
    """The fewest operations that leave no shard above ``cap``, and their number in the bounds.

    None if no change does that.
    """
    found = _Cap(curve, cap)
    before, splits = curve.shards, found.own[-1]
    alone = before + splits
    if alone <= at_most:
        more = max(0, at_least - alone)
        runs = [found.run(n, n + 1) for n in range(before)]
        return Packing(tuple(_split_more(curve, runs, more)))
    if splits >= at_most:
        return None
    if at_most * cap - curve.load(0, curve.edges[-1]) <= at_most * SAME and curve.even:
        forced = _forced(curve, cap, at_most)
        if forced is not None:
            return forced
    rows, reached = _rows(found, at_most, at_most - splits - 1)
    waste = len(rows) - 1
    if reached:
        runs = _trace(found, rows, len(rows[-1]) - 1, waste)
        return Packing(tuple(_part(curve, found, runs, at_most - splits - waste)))
    if found.steps <= _BUDGET:
        return None
    return _nearly(curve, found, at_most, _operations_of(before, splits, at_most, waste + 1))


def _forced(curve: Curve, cap: float, at_most: int) -> Packing | None:
    """What is left to choose when every shard has to be as full as it may: nothing."""
    edges, runs = curve.edges, []
    place, first, into = 0.0, 0, 0
    for _ in range(at_most):
        place, into = curve.reach(place, cap), into + 1
        end = bisect_right(edges, place + SAME, first) - 1
        if end > first and place - edges[end] <= SAME:
            runs.append(Run(first, end, into))
            first, into, place = end, 0, float(edges[end])
    if first < curve.shards:
        return None
    return Packing(tuple(runs))


def packs_within(curve: Curve, cap: float, at_least: int, at_most: int, operations: int) -> bool:
    """Whether that many operations are enough, as far as the budget shows."""
    found = _Cap(curve, cap)
    before, splits = curve.shards, found.own[-1]
    if before + splits <= at_most:
        return max(splits, at_least - before) <= operations
    spare = operations - _operations_of(before, splits, at_most, 0)
    return spare >= 0 and _rows(found, at_most, min(at_most - splits - 1, spare // 2))[1]


def _operations_of(before: int, splits: int, at_most: int, waste: int) -> int:
    """What it takes to come to ``at_most`` shards: ``at_most - splits - waste`` runs are left."""
    return before + 2 * splits - at_most + 2 * waste


def _rows(found: _Cap, at_most: int, most_waste: int) -> tuple[list[list[int]], bool]:
    """The boundaries that runs can reach by their number, with waste 0, 1, …; and whether the
    last row reaches the end."""
    last, splits = len(found.own) - 1, found.own[-1]
    rows: list[list[int]] = []
    for waste in range(most_waste + 1):
        rows.append(_row(found, rows, at_most - splits - waste))
        if rows[-1][-1] == last:
            return rows, True
        if found.steps > _BUDGET:
            break
    return rows, False


def _row(found: _Cap, rows: list[list[int]], wanted: int) -> list[int]:
    """The boundaries that 0, 1, … ``wanted`` runs can reach with the next amount of waste."""
    row, last = [0], len(found.own) - 1
    waste = len(rows)
    while len(row) <= wanted and row[-1] < last:
        runs = len(row)
        best = found.furthest(row[-1], 0)
        for spent in range(1, waste + 1):
            sooner = rows[waste - spent]
            best = max(best, found.furthest(sooner[min(runs, len(sooner)) - 1], spent))
        if best == row[-1]:
            break
        row.append(best)
        if found.steps > _BUDGET:
            break
    return row


def _trace(found: _Cap, rows: list[list[int]], count: int, waste: int) -> list[Run]:
    """The runs by which the last row reached its end."""
    runs: list[Run] = []
    end = rows[waste][count]
    while count:
        for spent in range(waste + 1):
            sooner = rows[waste - spent]
            first = sooner[min(count, len(sooner)) - 1]
            if found.furthest(first, spent) >= end:
                break
        runs.append(found.run(first, end))
        end, waste = first, waste - spent
        count = min(count, len(sooner)) - 1
    return runs[::-1]


def _nearly(curve: Curve, found: _Cap, at_most: int, proven: int) -> Packing | None:
    """Few operations where the fewest take too long to find.

    A weight on every shard in the end makes a shortest path of it; the smallest weight that
    leaves few enough shards is looked for. ``proven`` is how many operations it takes at least.
    """
    before, splits = curve.shards, found.own[-1]
    most = at_most - splits  # runs and waste together
    ends = [found.ends(first, _MOST_WASTE)[: _MOST_WASTE + 1] for first in range(before)]
    low, high = 0.0, 64.0
    best: list[Run] | None = None
    for _ in range(12):
        weight = (low + high) / 2
        runs = _weighted(found, ends, weight)
        if sum(run.into for run in runs) - splits <= most:
            best, high = runs, weight
        else:
            low = weight
    if best is None:
        best = [found.run(0, before)]
        if best[0].into > at_most:
            return None
    waste = sum(run.into for run in best) - splits - len(best)
    best = _part(curve, found, best, most - waste)
    return Packing(tuple(best), max(0, _operations(best) - proven))


def _weighted(found: _Cap, ends: list[list[int]], weight: float) -> list[Run]:
    """The runs that are least in waste plus ``weight`` for each shard that they come to."""
    last = len(ends)
    least = [0.0] * (last + 1)
    to = [last] * last
    for first in range(last - 1, -1, -1):
        best = float("inf")
        for waste, end in enumerate(ends[first]):
            price = waste + weight * (1 + waste) + least[end]
            if price < best:
                best, to[first] = price, end
        least[first] = best
    runs, at = [], 0
    while at < last:
        runs.append(found.run(at, to[at]))
        at = to[at]
    return runs


def _operations(runs: list[Run]) -> int:
    return sum(run.operations for run in runs)


def _part(curve: Curve, found: _Cap, runs: list[Run], wanted: int) -> list[Run]:
    """Take back merges that are not needed, the hottest first, until there are enough runs."""
    from heapq import heapify, heappop, heappush

    def hotness(run: Run) -> float:
        return -curve.load(curve.edges[run.first], curve.edges[run.end]) / run.into

    heap = [(hotness(run), run.first, run) for run in runs if run.end - run.first > 1]
    heapify(heap)
    done = [run for run in runs if run.end - run.first == 1]
    while heap and len(done) + len(heap) < wanted:
        _, _, run = heappop(heap)
        for part in _halves(curve, found, run):
            if part.end - part.first == 1:
                done.append(part)
            else:
                heappush(heap, (hotness(part), part.first, part))
    return sorted([*done, *(run for _, _, run in heap)], key=lambda run: run.first)


def _halves(curve: Curve, found: _Cap, run: Run) -> tuple[Run, Run]:
    """A run as two, of the loads that differ least."""
    edges = curve.edges

    def difference(at: int) -> float:
        left = curve.load(edges[run.first], edges[at])
        return abs(left - curve.load(edges[at], edges[run.end]))

    middle = min(range(run.first + 1, run.end), key=difference)
    return found.run(run.first, middle), found.run(middle, run.end)


def _split_more(curve: Curve, runs: list[Run], more: int) -> list[Run]:
    """``more`` splits, each of what is the hottest then; of equals, the widest."""
    if not more:
        return runs
    from heapq import heapify, heapreplace

    def entry(run: Run) -> tuple[float, float, int, Run]:
        a, b = curve.edges[run.first], curve.edges[run.end]
        width = curve.at[b] - curve.at[a]
        splittable = not (b - a == 1 and (curve.one_key[a] or curve.walled(a)))
        load = curve.load(a, b) / run.into if splittable else -1.0
        return -load, -width / run.into, run.first, run

    heap = [entry(run) for run in runs]
    heapify(heap)
    for _ in range(more):
        run = heap[0][3]
        heapreplace(heap, entry(Run(run.first, run.end, run.into + 1)))
    return sorted((run for *_, run in heap), key=lambda run: run.first)

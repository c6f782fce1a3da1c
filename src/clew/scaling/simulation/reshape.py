"""How a simulated policy changes its stream: by which calls, and when each of them is done."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from clew.scaling.model import KEY_SPACE, Load, Piece, Shard, ShardMap
from clew.scaling.options import weigh
from clew.scaling.uniform import changes, even_cuts, steps

if TYPE_CHECKING:
    from collections import deque

    from clew.scaling.plan import Goal, Plan
    from clew.scaling.simulation.stream import Stream
    from clew.scaling.situation import Situation

Cuts = tuple[int, ...]

#: Calls of UpdateShardCount that going down leaves for going up.
_KEPT = 4


@dataclass(frozen=True, slots=True)
class Step:
    """Boundaries that a change comes to: when, by how many own operations, closing how many."""

    done_s: float
    cuts: Cuts
    operations: int
    closed: int


@dataclass(slots=True)
class Reshaper:
    """Makes the changes of one policy, and keeps to the budget of UpdateShardCount's calls.

    ``method``: ``"plan"`` (the planner's choice), ``"update"`` (UpdateShardCount, refused beyond
    its budget), ``"update or sweep"`` (what it refuses, by own splits and merges), ``"split"``
    (the widest shards at their middle, the narrowest merged).
    """

    method: str
    situation: Situation
    goal: Goal
    samples: bool
    calls_at: deque[float]

    def change(
        self,
        at_s: float,
        stream: Stream,
        wanted: int,
        demand: float = 0.0,
        hot_share: float = 0.0,
        *,
        urgent: bool = False,
    ) -> list[Step]:
        """When which boundaries will be there, if ``wanted`` shards are asked for now."""
        if self.method == "plan":
            return self._by_plan(at_s, stream, wanted, demand, hot_share, urgent=urgent)
        if self.method == "split":
            return self._one_by_one(at_s, stream.cuts, _widest_split(stream.cuts, wanted))
        calls = steps(stream.shards, wanted, self.situation.limits)
        if not calls:
            return []
        if self.method == "update or sweep" and (len(calls) > 1 or not self._calls_left(at_s)):
            return self._one_by_one(at_s, stream.cuts, tuple(even_cuts(wanted)))
        if self._calls_left(at_s):
            return self._by_calls(at_s, stream.cuts, calls[:1])
        return []

    def give_up(self, cancelled: list[Step]) -> None:
        """Have back the calls of UpdateShardCount that were not begun."""
        for one in cancelled:
            if not one.operations:
                self.calls_at.pop()

    def _by_plan(
        self,
        at_s: float,
        stream: Stream,
        wanted: int,
        demand: float,
        hot_share: float,
        *,
        urgent: bool,
    ) -> list[Step]:
        left = self._calls_left(at_s) - (_KEPT if wanted < stream.shards else 0)
        situation = replace(self.situation, update_calls_left=min(max(left, 0), 6))
        goal = replace(self.goal, at_least=wanted)
        # Evenly spread keys ask for the double or for even shards. What lies between is no better,
        # and takes long to find.
        if wanted < stream.shards or stream.alone(wanted) > goal.max_shards:
            goal = replace(goal, at_most=wanted)
        if hot_share:
            plan = weigh(
                self._uneven(stream, demand, hot_share),
                goal,
                situation,
                urgent=urgent,
                thorough=False,
            )
            chosen = plan.chosen
        else:
            # As much as so many even shards can hold, no less: what it is exactly says little,
            # and the same question comes again.
            chosen = _planned(stream.cuts, wanted * goal.target, goal, situation, urgent)
        if chosen.nothing_to_do:
            return []
        if chosen.calls:
            return self._by_calls(at_s, stream.cuts, chosen.calls)
        return self._steps(at_s, stream.cuts, [one.at for one in chosen.operations])

    def _uneven(self, stream: Stream, demand: float, hot_share: float) -> ShardMap:
        """The shards with the load of each, as shard-level metrics and samples show it."""
        size = self.situation.limits.shard_bytes_per_s
        edges = [0, *stream.cuts, KEY_SPACE]
        key = stream.hot_key
        shards = []
        for number, share in enumerate(stream.shares(hot_share).tolist()):
            start, end = edges[number], edges[number + 1]
            pieces: tuple[Piece, ...] = ()
            if number == stream.hot and self.samples and end - start > 1:
                of_key, rest = hot_share / share, 1 - hot_share / share
                below = rest * (key - start) / (end - start)
                parts = [(start, key, below), (key, key + 1, of_key), (key + 1, end, rest - below)]
                pieces = tuple(Piece(a, b, part, part) for a, b, part in parts if a < b)
            shards.append(Shard(start, end, Load(demand * share * size), f"{number}", pieces))
        return ShardMap(tuple(shards))

    def _calls_left(self, at_s: float) -> int:
        while self.calls_at and at_s - self.calls_at[0] >= 86_400:
            self.calls_at.popleft()
        return self.situation.limits.update_calls_per_24h - len(self.calls_at)

    def _by_calls(self, at_s: float, now: Cuts, calls: tuple[int, ...]) -> list[Step]:
        found: list[Step] = []
        for count in calls:
            self.calls_at.append(at_s)
            cuts = tuple(even_cuts(count))
            splits, merges = changes(now, cuts)
            at_s += self.situation.timing.update_s(splits, merges)
            found.append(Step(at_s, cuts, 0, splits + 2 * merges))
            now = cuts
        return found

    def _one_by_one(self, at_s: float, before: Cuts, after: Cuts) -> list[Step]:
        """Own operations from the lowest hash key upwards, as a sweep does them.

        A boundary that goes gives way after the one above it has come, so that there is never
        more than one shard too many on the way.
        """
        wanted = set(after)
        order = sorted(wanted.symmetric_difference(before))
        for at in range(1, len(order)):
            if order[at] in wanted and order[at - 1] not in wanted:
                order[at - 1], order[at] = order[at], order[at - 1]
        return self._steps(at_s, before, order)

    def _steps(self, at_s: float, before: Cuts, order: list[int]) -> list[Step]:
        """One split or merge for each boundary, one after the other."""
        now, found = list(before), []
        for cut in order:
            at = bisect_left(now, cut)
            merged = at < len(now) and now[at] == cut
            if merged:
                del now[at]
            else:
                now.insert(at, cut)
            at_s += self.situation.timing.operation_s
            found.append(Step(at_s, tuple(now), 1, 2 if merged else 1))
        return found


@lru_cache(maxsize=4096)
def _planned(cuts: Cuts, load: float, goal: Goal, situation: Situation, urgent: bool) -> Plan:
    """The planner's choice for a load that is spread evenly over the hash keys."""
    edges = [0, *cuts, KEY_SPACE]
    size = situation.limits.shard_bytes_per_s
    loads = [Load(load * size * (b - a) / KEY_SPACE) for a, b in pairwise(edges)]
    shards = ShardMap.of_cuts(cuts, loads)
    return weigh(shards, goal, situation, urgent=urgent, thorough=False).chosen


def _widest_split(cuts: Cuts, wanted: int) -> Cuts:
    """The widest shards split at their middle, or the narrowest neighbours merged."""
    edges = [0, *cuts, KEY_SPACE]
    while len(edges) - 1 < wanted:
        widths = [b - a for a, b in pairwise(edges)]
        at = widths.index(max(widths))
        edges.insert(at + 1, (edges[at] + edges[at + 1]) // 2)
    while len(edges) - 1 > wanted:
        pairs = [b - a for a, b in zip(edges, edges[2:], strict=False)]
        del edges[pairs.index(min(pairs)) + 1]
    return tuple(edges[1:-1])

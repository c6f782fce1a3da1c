"""From the shards as they are to shards that hold the load, in the fewest splits and merges. Pure.

A partition of the hash-key space is a sorted list of boundaries; a split adds one, a merge removes
one. So a plan is two sets of boundaries and an order, and after a crash what is left of it follows
from what the stream shows: the boundaries that are still to be added or removed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from clew.scaling.boundaries import Change, fewest_changes
from clew.scaling.curve import SAME, Curve
from clew.scaling.hot_keys import HotKey, without_hot_keys
from clew.scaling.model import KEY_SPACE, ScalingError
from clew.scaling.order import in_order
from clew.scaling.situation import Situation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.scaling.model import ShardMap


@dataclass(frozen=True, slots=True)
class Goal:
    """What a stream should come to.

    ``min_shards`` and ``max_shards`` are never passed. Within them, a policy may want at least or
    at most a number now; where that and the target cannot both be had, the target comes first.
    """

    target: float = 0.75  # the utilisation that no shard should pass
    min_shards: int = 1
    max_shards: int = 10_000
    at_least: int = 0
    at_most: int | None = None
    #: Put shard boundaries around a key that no shard can hold, for the sake of its neighbours.
    isolate_hot_keys: bool = False

    def __post_init__(self) -> None:
        """Refuse bounds that leave nothing."""
        if not 0 < self.target <= 1:
            raise ScalingError(f"A target utilisation of {self.target} is not above 0 and up to 1.")
        if not 1 <= self.min_shards <= self.max_shards:
            raise ScalingError(
                f"The minimum of {self.min_shards} shards is not between 1 and the maximum of"
                f" {self.max_shards}; change one of them."
            )

    @property
    def bounds(self) -> tuple[int, int]:
        """The fewest and the most shards wanted in the end."""
        low = min(max(self.at_least, self.min_shards), self.max_shards)
        at_most = self.max_shards if self.at_most is None else self.at_most
        return low, max(min(at_most, self.max_shards), low)


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of SplitShard or MergeShards.

    A split puts the boundary ``at`` into the shard from ``start`` to before ``end``; a merge
    takes it out from between the two shards that together have that range.
    """

    kind: str  # "split" or "merge"
    at: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A way from ``before`` shards to ``after``, and what to expect of it."""

    method: str  # "operations", "UpdateShardCount" or "on-demand"
    before: int
    after: int
    operations: tuple[Operation, ...]  # in order; of UpdateShardCount, none: AWS makes them
    calls: tuple[int, ...]  # the counts to ask of UpdateShardCount, one after the other
    cuts: tuple[int, ...]  # the boundaries in the end
    closed: int  # shards that it closes on the way
    duration_s: float
    relief_s: float  # until the last split, after which no shard is too full
    open_shard_s: float  # shard-seconds that are open until it is done
    usd_once: float  # for the shards that it closes
    usd_month_before: float
    usd_month: float
    utilisation: tuple[float, ...]  # expected of each shard in the end
    target: float
    hot_keys: tuple[HotKey, ...] = ()
    short_of_proof: int = 0  # how many operations fewer might do; 0: none

    @property
    def peak(self) -> float:
        """The expected utilisation of the hottest shard."""
        return max(self.utilisation, default=0.0)

    @property
    def reaches_target(self) -> bool:
        """Whether no shard is expected above the target."""
        return self.peak <= self.target + SAME * 10

    @property
    def nothing_to_do(self) -> bool:
        """Whether the stream is left as it is."""
        return not self.operations and not self.calls and self.method != "on-demand"

    def explain(self) -> str:
        """In words: what it does, how long that takes, what it costs, what to expect."""
        from clew.scaling.words import of_plan

        return of_plan(self)


def fewest_operations(shards: ShardMap, goal: Goal, situation: Situation | None = None) -> Plan:
    """The plan with the fewest splits and merges that brings every shard under the target.

    Of several such, the one whose hottest shard is the coolest. Where the maximum does not leave
    enough shards, the plan comes as close as it lets; where it is the minimum too, nothing is
    changed, not even from one hot shard to its neighbour. A key that no shard can hold is named,
    and its shard left alone.
    """
    given = situation or Situation()
    hot, curve = without_hot_keys(shards, goal.target, given.limits, isolate=goal.isolate_hot_keys)
    low, high = goal.bounds
    most = max(min(goal.max_shards, len(shards) + given.account_shards_left), low)
    # No fewer shards than this can hold the load, wherever their boundaries are.
    high = min(max(high, curve.need(0, curve.edges[-1], goal.target)), most)
    if goal.min_shards == goal.max_shards == len(shards):
        change = Change((), (), within_cap=False)  # any change would pass a bound on the way
    else:
        change = fewest_changes(curve, goal.target, low, high)
    cuts = tuple(sorted((set(shards.cuts) | set(change.added)) - set(change.removed)))
    bounds = min(goal.min_shards, len(shards)), max(most, len(shards))
    plan = _to(cuts, shards, curve, bounds=bounds, target=goal.target, situation=given)
    return replace(plan, hot_keys=hot, short_of_proof=change.short_of_proof)


def remaining(plan: Plan, shards: ShardMap, situation: Situation | None = None) -> Plan:
    """What is left of a plan on the stream as it is now, in an order of its own.

    Idempotent: what has been done is not asked for again, and what others changed meanwhile is
    changed back as far as the plan's boundaries say.
    """
    given = situation or Situation()
    counts = (plan.before, plan.after, len(shards))
    found = _to(
        plan.cuts,
        shards,
        Curve(shards, given.limits),
        bounds=(min(counts), max(counts)),
        target=plan.target,
        situation=given,
    )
    return replace(found, hot_keys=plan.hot_keys, short_of_proof=plan.short_of_proof)


def _to(
    cuts: tuple[int, ...],
    shards: ShardMap,
    curve: Curve,
    *,
    bounds: tuple[int, int],
    target: float,
    situation: Situation,
) -> Plan:
    """The plan from the shards as they are to given boundaries."""
    now, wanted = set(shards.cuts), set(cuts)
    added, removed = wanted - now, now - wanted
    operations = tuple(
        Operation("split" if split else "merge", at, start, end)
        for split, at, start, end in in_order(
            curve, shards.cuts, added, removed, bounds=bounds, target=target
        )
    )
    each_s = situation.timing.operation_s
    open_shards, open_shard_s, last_split = len(shards), 0.0, 0
    for number, one in enumerate(operations, 1):
        open_shard_s += open_shards * each_s
        open_shards += 1 if one.kind == "split" else -1
        last_split = number if one.kind == "split" else last_split
    closed = len(added) + 2 * len(removed)
    return Plan(
        method="operations",
        before=len(shards),
        after=len(cuts) + 1,
        operations=operations,
        calls=(),
        cuts=cuts,
        closed=closed,
        duration_s=len(operations) * each_s,
        relief_s=last_split * each_s,
        open_shard_s=open_shard_s,
        usd_once=situation.usd_closed(closed),
        usd_month_before=situation.usd_month(len(shards), shards.load),
        usd_month=situation.usd_month(len(cuts) + 1, shards.load),
        utilisation=utilisation(shards, cuts, situation),
        target=target,
    )


def utilisation(shards: ShardMap, cuts: Sequence[int], situation: Situation) -> tuple[float, ...]:
    """What each shard between ``cuts`` is expected to have of the load of ``shards``."""
    curve = Curve(shards, situation.limits)
    places = [curve.place(key) for key in (0, *cuts, KEY_SPACE)]
    return tuple(curve.load(a, b) for a, b in pairwise(places))

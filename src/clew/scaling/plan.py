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
from clew.scaling.model import KEY_SPACE, Load, ScalingError, Shard, ShardMap
from clew.scaling.order import in_order
from clew.scaling.situation import Situation

if TYPE_CHECKING:
    from collections.abc import Sequence


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
class HotKey:
    """A partition key that alone passes the target: no split can help it."""

    hash_key: int
    shard: str
    utilisation: float  # of one shard, by this key alone
    certain: bool = True  # False where no sample shows the key and only the shard's width tells

    def __str__(self) -> str:
        """What to tell the team."""
        if self.certain:
            who = f"One partition key (hash key {self.hash_key}) alone fills"
        else:
            who = f"One partition key in {self.shard or 'a narrow shard'} seems to fill"
        return (
            f"{who} {self.utilisation:.0%} of a shard: splitting cannot help. Spread it over"
            " several keys where it is written."
        )


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
    hot, curve = _without_hot_keys(shards, goal, given)
    low, high = goal.bounds
    most = max(min(goal.max_shards, len(shards) + given.account_shards_left), low)
    # No fewer shards than this can hold the load, wherever their boundaries are.
    high = min(max(high, curve.need(0, curve.edges[-1], goal.target)), most)
    if goal.min_shards == goal.max_shards == len(shards):
        change = Change((), (), within_cap=False)  # any change would pass a bound on the way
    else:
        change = fewest_changes(curve, goal.target, low, high)
    operations = tuple(
        Operation("split" if split else "merge", at, start, end)
        for split, at, start, end in in_order(
            curve, shards.cuts, change.added, change.removed, most
        )
    )
    cuts = tuple(sorted((set(shards.cuts) | set(change.added)) - set(change.removed)))
    closed = len(change.added) + 2 * len(change.removed)
    after = len(cuts) + 1
    return Plan(
        method="operations",
        before=len(shards),
        after=after,
        operations=operations,
        calls=(),
        cuts=cuts,
        closed=closed,
        duration_s=given.timing.operations_s(len(operations)),
        usd_once=given.usd_closed(closed),
        usd_month_before=given.usd_month(len(shards), shards.load),
        usd_month=given.usd_month(after, shards.load),
        utilisation=utilisation(shards, cuts, given),
        target=goal.target,
        hot_keys=hot,
        short_of_proof=change.short_of_proof,
    )


def remaining(plan: Plan, shards: ShardMap, situation: Situation | None = None) -> Plan:
    """What is left of a plan on the stream as it is now, in an order of its own.

    Idempotent: what has been done is not asked for again, and what others changed meanwhile is
    changed back as far as the plan's boundaries say.
    """
    given = situation or Situation()
    now, wanted = set(shards.cuts), set(plan.cuts)
    curve = Curve(shards, given.limits)
    room = max(plan.before, plan.after, len(shards))
    operations = tuple(
        Operation("split" if split else "merge", at, start, end)
        for split, at, start, end in in_order(curve, now, wanted - now, now - wanted, room)
    )
    closed = len(wanted - now) + 2 * len(now - wanted)
    return replace(
        plan,
        before=len(shards),
        operations=operations,
        closed=closed,
        duration_s=given.timing.operations_s(len(operations)),
        usd_once=given.usd_closed(closed),
        utilisation=utilisation(shards, plan.cuts, given),
    )


def utilisation(shards: ShardMap, cuts: Sequence[int], situation: Situation) -> tuple[float, ...]:
    """What each shard between ``cuts`` is expected to have of the load of ``shards``."""
    curve = Curve(shards, situation.limits)
    places = [curve.place(key) for key in (0, *cuts, KEY_SPACE)]
    return tuple(curve.load(a, b) for a, b in pairwise(places))


#: A shard this much narrower than an even one that is still too full holds one hot key, as far as
#: can be told without a sample: splits have halved everything else away.
_NARROW = 1 / 64


def _without_hot_keys(
    shards: ShardMap, goal: Goal, situation: Situation
) -> tuple[tuple[HotKey, ...], Curve]:
    """The keys that no shard can hold, and the load without them."""
    limits = situation.limits
    found: list[HotKey] = []
    walled_shards: set[int] = set()
    walled_keys: set[int] = set()
    even = 1 / len(shards)
    for number, shard in enumerate(shards.shards):
        full = shard.utilisation(limits)
        if full <= goal.target + SAME:
            continue
        keys = [key for key in _keys(shard, situation) if key.utilisation > goal.target + SAME]
        narrow = shard.width < even * _NARROW or shard.end - shard.start == 1
        if not keys and narrow and not shard.pieces:
            keys = [HotKey(shard.start, shard.id, full, certain=False)]
            walled_shards.add(number)
        elif keys and not goal.isolate_hot_keys:
            walled_shards.add(number)
        walled_keys |= {key.hash_key for key in keys}
        found += keys
    curve = Curve(shards, limits, walled_shards=walled_shards, walled_keys=walled_keys)
    return tuple(found), curve


def _keys(shard: Shard, situation: Situation) -> list[HotKey]:
    """The single keys that a sample shows in a shard."""
    found = []
    for piece in shard.pieces:
        if piece.one_key:
            load = Load(
                shard.load.bytes_per_s * piece.bytes_share,
                shard.load.records_per_s * piece.records_share,
            )
            found.append(HotKey(piece.start, shard.id, load.shards(situation.limits)))
    return found

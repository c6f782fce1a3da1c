"""The ways to a goal side by side, and which of them to take. Pure.

Own splits and merges, in the fewest operations or at the lowest cost; UpdateShardCount; on-demand
mode.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING

from clew.scaling.curve import SAME
from clew.scaling.hot_keys import without_hot_keys
from clew.scaling.model import KEY_SPACE
from clew.scaling.plan import Plan, fewest_operations, utilisation
from clew.scaling.prices import HOURS_A_MONTH
from clew.scaling.situation import Situation
from clew.scaling.uniform import changes, even_cuts, steps
from clew.scaling.words import duration, usd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.scaling.curve import Curve
    from clew.scaling.model import ShardMap
    from clew.scaling.plan import Goal

#: For streams up to this size several numbers of shards are tried, for larger ones the least.
_SMALL = 200


@dataclass(frozen=True, slots=True)
class Options:
    """The plans that there are, and the one to take."""

    fewest: Plan
    cheapest: Plan
    update: Plan | None  # by UpdateShardCount; None where its rules or its budget forbid it
    on_demand: Plan | None  # None where it is not cheaper
    chosen: Plan
    why: str

    def explain(self) -> str:
        """The chosen plan and why, then the others, one to a line."""
        said = [f"{self.chosen.explain()} {self.why}"]
        others = {"Fewest operations": self.fewest, "Cheapest": self.cheapest}
        if self.update is not None:
            others["UpdateShardCount"] = self.update
        if self.on_demand is not None:
            others["On-demand mode"] = self.on_demand
        told = [self.chosen]
        for name, plan in others.items():
            if plan not in told:
                told.append(plan)
                said.append(f"{name}: {plan.explain()}")
        return "\n".join(said)


def weigh(
    shards: ShardMap,
    goal: Goal,
    situation: Situation | None = None,
    *,
    urgent: bool = False,
    thorough: bool = True,
) -> Options:
    """Every way to the goal, and the one to take.

    ``urgent`` (records are refused now) takes the soonest way, else it is the cheapest over
    ``situation.hold_h``, with what the change costs. On-demand mode is only ever offered: it
    changes what the team pays for and watches. Without ``thorough``, own operations are searched
    for the fewest shards and for the fewest operations, not for what lies between, and for the
    former only where UpdateShardCount is out of question.
    """
    given = situation or Situation()
    fewest = fewest_operations(shards, goal, given)
    # A key that no shard can hold is no reason to prefer one way to another.
    curve = without_hot_keys(shards, goal.target, given.limits, isolate=True)[1]
    update = _by_update(shards, goal, given, fewest, curve)
    cheapest = fewest
    if thorough or update is None or given.prices.closed_shard_rate:
        cheapest = _cheapest(shards, goal, given, fewest, thorough=thorough)
    ways = [fewest, cheapest, *([update] if update is not None else [])]
    peaks = [peak_of(curve, way.cuts) for way in ways]
    enough = max(goal.target, min(peaks) * 1.05) + SAME * 10
    good = [way for way, peak in zip(ways, peaks, strict=True) if peak <= enough]
    in_time = [way for way in good if way.duration_s < given.hold_h * 3600]
    good = in_time or good

    def soonest(way: Plan) -> tuple[float, float]:
        return way.relief_s, usd_held(way, given)

    def cheapest_of(way: Plan) -> tuple[float, float]:
        return round(usd_held(way, given), 6), way.duration_s

    if fewest.nothing_to_do:
        chosen, why = fewest, "Every shard is within the target."
    elif urgent:
        chosen = min(good, key=soonest)
        why = _why_soonest(chosen, good)
    else:
        chosen = min(good, key=cheapest_of)
        why = (
            f"Over the next {duration(given.hold_h * 3600)} it is the cheapest way,"
            f" at {usd(usd_held(chosen, given))}."
        )
    return Options(fewest, cheapest, update, _on_demand(shards, given, chosen), chosen, why)


def usd_held(plan: Plan, situation: Situation) -> float:
    """What a plan costs while it is carried out and held: open shards, and those it closes."""
    held_s = max(situation.hold_h * 3600 - plan.duration_s, 0.0)
    hours = (plan.open_shard_s + plan.after * held_s) / 3600
    return situation.prices.shard_hours(hours, situation.retention_h) + plan.usd_once


def _why_soonest(chosen: Plan, ways: list[Plan]) -> str:
    slower = [way.relief_s for way in ways if way.relief_s > chosen.relief_s]
    if not slower:
        return "No way is sooner."
    return f"It is the soonest way: another takes {duration(max(slower))}."


def _cheapest(
    shards: ShardMap, goal: Goal, situation: Situation, fewest: Plan, *, thorough: bool
) -> Plan:
    """The number of shards that costs least while it is held, with what closing shards costs."""
    if fewest.nothing_to_do or not fewest.reaches_target:
        return fewest
    low = max(goal.bounds[0], ceil(shards.load.shards(situation.limits) / goal.target))
    quarters = {ceil(len(shards) * part / 4) for part in range(1, 9)}
    several = thorough and fewest.after <= _SMALL
    counts = sorted({low, low + 1, *quarters} if several else {low})
    counts = [count for count in counts if low <= count < fewest.after]
    found = [fewest]
    for count in counts:
        plan = fewest_operations(shards, replace(goal, at_most=count), situation)
        if plan.after < fewest.after and plan.reaches_target:
            found.append(plan)
    return min(found, key=lambda plan: (usd_held(plan, situation), len(plan.operations)))


def peak_of(curve: Curve, cuts: Sequence[int]) -> float:
    """The load of the hottest shard between such boundaries."""
    places = [curve.place(key) for key in (0, *cuts, KEY_SPACE)]
    return max(curve.load(a, b) for a, b in pairwise(places))


def _by_update(
    shards: ShardMap, goal: Goal, situation: Situation, fewest: Plan, curve: Curve
) -> Plan | None:
    """The fewest shards of even width that keep to the target, by UpdateShardCount."""
    if fewest.nothing_to_do or (fewest.hot_keys and goal.isolate_hot_keys):
        return None  # even shards do not isolate a key
    limits, timing = situation.limits, situation.timing
    low, high = goal.bounds
    high = min(goal.max_shards if goal.at_most is None else max(high, fewest.after), high * 2)
    low = max(low, ceil(shards.load.shards(limits) / goal.target - 1e-9), 1)
    best: tuple[float, int] | None = None
    for count in _even_counts(low, max(low, high), len(shards)):
        peak = peak_of(curve, even_cuts(count))
        if best is None or peak < best[0] - 1e-9:
            best = peak, count
        if peak <= goal.target + 1e-9:
            break
    if best is None or best[1] > goal.max_shards:
        return None
    calls = steps(len(shards), best[1], limits)
    if calls is None or not calls or len(calls) > situation.update_calls_left:
        return None
    if max(calls) > len(shards) + situation.account_shards_left:
        return None
    took, open_shard_s, closed = 0.0, 0.0, 0
    now = list(shards.cuts)
    for count in calls:
        cuts = even_cuts(count)
        splits, merges = changes(now, cuts)
        this_s = timing.update_s(splits, merges)
        took += this_s
        open_shard_s += this_s * max(len(now) + 1, count)
        closed += splits + 2 * merges
        now = cuts
    return Plan(
        method="UpdateShardCount",
        before=len(shards),
        after=best[1],
        operations=(),
        calls=calls,
        cuts=tuple(now),
        closed=closed,
        duration_s=took,
        relief_s=took if best[1] > len(shards) else 0.0,
        open_shard_s=open_shard_s,
        usd_once=situation.usd_closed(closed),
        usd_month_before=situation.usd_month(len(shards), shards.load),
        usd_month=situation.usd_month(best[1], shards.load),
        utilisation=utilisation(shards, now, situation),
        target=goal.target,
        hot_keys=fewest.hot_keys,
    )


def _even_counts(low: int, high: int, before: int) -> list[int]:
    """The counts worth trying, in ascending order: the first few, multiples of 25 %, the last."""
    quarters = {ceil(before * part / 4) for part in range(1, 9)}
    tried = {*range(low, min(low + 8, high + 1)), *quarters, high}
    return sorted(count for count in tried if low <= count <= high)


def _on_demand(shards: ShardMap, situation: Situation, chosen: Plan) -> Plan | None:
    price = situation.usd_month_on_demand(shards.load)
    if price >= min(chosen.usd_month, chosen.usd_month_before):
        return None
    return replace(
        chosen,
        method="on-demand",
        operations=(),
        calls=(),
        closed=0,
        duration_s=0.0,
        relief_s=0.0,
        open_shard_s=0.0,
        usd_once=0.0,
        usd_month=price,
    )


def hours_to_pay_back(plan: Plan) -> float:
    """How long fewer shards have to last until they have saved what closing the others costs."""
    saved = (plan.usd_month_before - plan.usd_month) / HOURS_A_MONTH
    return plan.usd_once / saved if saved > 0 else float("inf")

"""From what was measured to a plan, or to why there is none. Pure.

The policies and the planner decide; here is only what the stream's settings make of their answers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from clew.scaling.managed.settings import REFUSED_COUNTS
from clew.scaling.model import Load, ShardMap
from clew.scaling.options import weigh
from clew.scaling.seen import Seen, Wish
from clew.scaling.words import count, duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.scaling.limits import Limits
    from clew.scaling.managed.alarm_event import AlarmEvent
    from clew.scaling.managed.metrics import Measured
    from clew.scaling.managed.sample import Sample
    from clew.scaling.managed.settings import ManagedStream
    from clew.scaling.plan import Plan
    from clew.scaling.situation import Situation
    from clew.scaling.timetable import Profile

#: Calls of UpdateShardCount in a day that going down leaves for going up.
KEPT_CALLS = 4
_NO_RULE = "no rule asks for another number of shards"
#: Readers this far behind have yet to read what a smaller stream would have to give them.
_BACKLOG_S = 60.0
#: More than this many times what a shard takes is not planned for at once, as in TargetTracking.
_GROWTH = 4.0


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with a stream. ``plan`` is None where it is left as it is."""

    plan: Plan | None
    why: str
    #: Keys that no shard can hold, in words.
    hot_keys: tuple[str, ...] = ()
    #: The fullest shard is fuller than the target though the stream is not: look at its keys.
    uneven: bool = False

    @property
    def up(self) -> bool:
        """Whether it gets more shards, or other boundaries."""
        return self.plan is not None and self.plan.after >= self.plan.before


def seen_of(
    measured: Measured,
    limits: Limits,
    shards: int,
    at_s: float,
    *,
    alarm: str = "",
    last_up_s: float = float("-inf"),
    last_down_s: float = float("-inf"),
) -> Seen:
    """What the policies may see."""
    minutes = len(measured.written)
    hottest = [
        max((loads[-ago].shards(limits) for _, loads in measured.shards if len(loads) >= ago))
        for ago in range(_known_minutes(measured), 0, -1)
    ]
    return Seen(
        at_s=at_s,
        shards=shards,
        written=[load.shards(limits) for load in measured.written],
        refused=[load.shards(limits) for load in measured.refused],
        hottest=[0.0] * (minutes - len(hottest)) + hottest[-minutes:],
        alarm=alarm,
        last_up_s=last_up_s,
        last_down_s=last_down_s,
    )


def decide(
    settings: ManagedStream,
    seen: Seen,
    shards: ShardMap,
    measured: Measured,
    situation: Situation,
    *,
    alarm: AlarmEvent | None = None,
    profile: Profile | None = None,
    sample: Sample | None = None,
) -> Decision:
    """What to do with a stream that has these shards, of which this was measured."""
    wish = _wish(settings, seen, measured, alarm, profile)
    wanted = _wanted(settings, seen, wish)
    now = seen.shards
    why = _sentence("; ".join((*wish.why, *_out_of_bounds(settings, now))) or _NO_RULE)
    if wanted > now + situation.account_shards_left:
        wanted = max(now + situation.account_shards_left, now)
        why = f"{why} The account's quota leaves {count(wanted - now, 'shard')} more."
    if wanted < now and (behind := _behind(settings, measured)):
        return Decision(None, f"{why} {behind}")
    if wanted == now and not wish.uneven:
        return Decision(None, f"{why}{_at_bound(settings, wish, now)}{_puzzle(seen, measured)}")
    over_s = settings.down_over_s if wanted < now else settings.up_over_s
    # No more load than the rule goes by, though its wish may be beyond the maximum.
    most = max(wish.at_least, wanted) if wanted >= now else wanted
    loaded = loaded_map(shards, measured, situation.limits, over_s, most * settings.target)
    if sample is not None:
        loaded = loaded.with_samples(sample.weights)
    goal = settings.goal(
        replace(wish, at_least=wanted, at_most=wanted if wanted < now else wish.at_most)
    )
    if wanted < now:
        left = max(situation.update_calls_left - KEPT_CALLS, 0)
        situation = replace(situation, update_calls_left=left)
    urgent = wanted >= now and any(load.records_per_s for load in measured.refused[-3:])
    options = weigh(loaded, goal, situation, urgent=urgent)
    plan, how = options.chosen, options.why
    if settings.method == "operations" and plan.calls:
        plan, how = options.cheapest, "Its settings ask for own splits and merges."
    elif settings.method == "update-shard-count" and not plan.calls and not plan.nothing_to_do:
        how = "UpdateShardCount cannot do it now, so it is done by own splits and merges."
        if options.update is not None:
            plan, how = options.update, "Its settings ask for UpdateShardCount."
    names = {} if sample is None else sample.names
    hot = tuple(str(replace(key, name=names.get(key.hash_key, ""))) for key in plan.hot_keys)
    if plan.nothing_to_do:
        said = f"{why} {' '.join(hot)}".strip()
        return Decision(None, f"{said}{_at_bound(settings, wish, now)}", hot, wish.uneven)
    return Decision(plan, f"{why} {how}", hot, wish.uneven)


def loaded_map(
    shards: ShardMap, measured: Measured, limits: Limits, over_s: float, most: float
) -> ShardMap:
    """The shards with the load to plan for: the peak of ``over_s``, no more than ``most`` in all.

    Each shard has the share that its metrics show, and no less than its own peak; without them,
    the share of its range.
    """
    minutes = max(1, int(over_s // 60))
    asked = [
        one + more.times(REFUSED_COUNTS)
        for one, more in zip(measured.written[-minutes:], measured.refused[-minutes:], strict=True)
    ]
    peak = max(asked, key=lambda load: load.shards(limits), default=Load())
    whole = peak.shards(limits)
    if whole > most:
        peak = peak.times(most / whole)
    own = dict(measured.shards)
    total = sum((_sum(own.get(shard.id, ())) for shard in shards.shards), Load())
    found = []
    for shard in shards.shards:
        loads = own.get(shard.id, ())
        if total.bytes_per_s <= 0 or total.records_per_s <= 0:
            found.append(replace(shard, load=peak.times(shard.width)))
            continue
        mine = _sum(loads)
        shared = Load(
            peak.bytes_per_s * mine.bytes_per_s / total.bytes_per_s,
            peak.records_per_s * mine.records_per_s / total.records_per_s,
        )
        lately = max(loads[-minutes:], key=lambda load: load.shards(limits), default=Load())
        if lately.shards(limits) > _GROWTH:  # refusals of many attempts
            lately = lately.times(_GROWTH / lately.shards(limits))
        highest = max(shared, lately, key=lambda load: load.shards(limits))
        found.append(replace(shard, load=highest))
    return ShardMap(tuple(found))


def hottest_of(shards: ShardMap, limits: Limits, target: float) -> list[str]:
    """The ids of the shards above the target, the hottest first."""
    full = [(shard.utilisation(limits), shard.id) for shard in shards.shards]
    return [name for utilisation, name in sorted(full, reverse=True) if utilisation > target]


def _wish(
    settings: ManagedStream,
    seen: Seen,
    measured: Measured,
    alarm: AlarmEvent | None,
    profile: Profile | None,
) -> Wish:
    wish = settings.rule(profile).wish(seen)
    if alarm is None or not alarm.of_reading:
        return wish
    if measured.reads_refused <= 0:
        said = (
            f"{alarm} is about those who read: reads are not refused, so that more shards would not"
            " make them quicker; look at the consumers"
        )
        return replace(wish, why=(*wish.why, said))
    more = seen.shards + max(1, seen.shards // 4)
    said = (
        f"reads are refused, and {count(more, 'shard')} give more to read; where more than five"
        " functions poll each shard, enhanced fan-out helps and shards do not"
    )
    return wish | Wish(more, why=(said,))


def _wanted(settings: ManagedStream, seen: Seen, wish: Wish) -> int:
    """How many shards it comes to: no rule's opinion leaves them, but within the bounds."""
    low, high = settings.bounds
    now = min(max(seen.shards, low), high)
    at_least = min(max(wish.at_least, low), high)
    if at_least > now or wish.at_most is None:
        return max(now, at_least)
    return min(max(wish.at_most, at_least), now)


def _out_of_bounds(settings: ManagedStream, now: int) -> tuple[str, ...]:
    low, high = settings.bounds
    if now < low:
        return (f"it has {count(now, 'shard')}, and its minimum is {low}",)
    if now > high:
        return (f"it has {count(now, 'shard')}, and its maximum is {high}",)
    return ()


def _behind(settings: ManagedStream, measured: Measured) -> str:
    age = measured.iterator_age_s
    if age <= (settings.iterator_age_alarm_s or _BACKLOG_S):
        return ""
    return (
        f"But its consumers are {duration(age)} behind: it keeps its shards until they have caught"
        " up."
    )


def _at_bound(settings: ManagedStream, wish: Wish, now: int) -> str:
    low, high = settings.bounds
    if settings.desired is not None:
        return f" Its settings pin it to {count(settings.desired, 'shard')}."
    if wish.at_least > high and now >= high:
        return f" It has its maximum of {count(high, 'shard')}: raise it in streams.yml."
    if wish.at_most is not None and wish.at_most < low and now <= low:
        return f" It has its minimum of {count(low, 'shard')}."
    return ""


def _puzzle(seen: Seen, measured: Measured) -> str:
    """What refusals on a stream with room to spare mean."""
    refused = sum(load.records_per_s * 60 for load in measured.refused[-5:])
    if not refused:
        return ""
    full = seen.demand(300, REFUSED_COUNTS) / seen.shards
    hint = (
        "the load comes in bursts shorter than a minute, or from few keys"
        if measured.shards
        else "the load is uneven, or comes in bursts: set shard_alarms to see its shards"
    )
    return f" {refused:.0f} records were refused in 5 min though it is {full:.0%} full: {hint}."


def _known_minutes(measured: Measured) -> int:
    return min((len(loads) for _, loads in measured.shards), default=0)


def _sum(loads: Sequence[Load]) -> Load:
    return sum(loads, Load())


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."

"""The plan of a change that a person asks for: so many shards, or one shard split."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import uuid4

from clew.errors import ClewError
from clew.scaling.managed.action import situation_of
from clew.scaling.managed.resume import Begun
from clew.scaling.managed.sample import sample_keys
from clew.scaling.options import weigh
from clew.scaling.plan import Goal, Plan, fewest_operations, remaining
from clew.scaling.uniform import even_cuts_near
from clew.scaling.words import count

if TYPE_CHECKING:
    from clew.scaling.managed.desired_now import Now
    from clew.scaling.managed.settings import ManagedStream
    from clew.scaling.managed.tools import Tools
    from clew.scaling.model import Shard, ShardMap
    from clew.scaling.situation import Situation

#: A plan that is older belongs to another day.
_OLD_S = 6 * 3600


@dataclass(frozen=True, slots=True)
class ByHand:
    """What is to be done, before it is."""

    settings: ManagedStream
    shards: ShardMap
    begun: Begun
    left: Plan  # what is still to be done of the plan
    resumed: bool  # whether it was begun before

    @property
    def steps(self) -> int:
        """How many changes there are to make, as far as it is clew that makes them."""
        return len(self.left.calls) or len(self.left.operations)


def prepare(
    tools: Tools,
    now: Now,
    who: str,
    *,
    to: int | None = None,
    split: str | None = None,
    even: bool = False,
) -> ByHand:
    """The plan to ``to`` shards, or of the split of a shard; or the rest of one that was begun.

    With ``even`` all shards have the same width in the end, whatever that takes.

    Raises:
        ClewError: The stream cannot have so many, or there is no such shard.
    """
    settings = now.settings
    if now.state.mode == "on-demand":
        raise ClewError(f"{now.state.arn} is in on-demand mode: AWS changes its shards.")
    low, high = settings.bounds
    begun = None if now.under_way is None else Begun.from_json(now.under_way)
    recent = begun is not None and tools.clock() - begun.began_s <= _OLD_S
    if begun is not None and recent and low <= begun.plan.after <= high:
        left = begun.plan if begun.plan.calls else remaining(begun.plan, now.shards)
        return ByHand(settings, now.shards, begun, left, resumed=True)
    wanted = to if to is not None else len(now.shards) + 1
    if not low <= wanted <= high:
        bounds = f"always {low}" if low == high else f"from {low} to {high}"
        raise ClewError(
            f"{settings.name} may have {bounds} shards, and {wanted} is not that; change it in"
            " streams.yml and apply."
        )
    situation = _situation(tools, settings)
    if split is None:
        make = _plan_even if even else _plan_to
        what = f"asked for {count(wanted, 'shard')}{' of the same width' if even else ''}"
        plan = make(now, wanted, situation)
    else:
        plan, what = _plan_split(tools, now, split, situation), f"asked for a split of {split}"
    begun = Begun(
        id=uuid4().hex[:12],
        plan=plan,
        who=who,
        why=f"By hand: {what}.",
        words=plan.explain(),
        began_s=tools.clock(),
        open_before=now.shards.cuts,
    )
    return ByHand(settings, now.shards, begun, plan, resumed=False)


def _situation(tools: Tools, settings: ManagedStream) -> Situation:
    given = situation_of(settings)
    called = tools.store.update_calls(settings.name, tools.clock())
    return replace(given, update_calls_left=max(given.limits.update_calls_per_24h - called, 0))


def _plan_to(now: Now, wanted: int, situation: Situation) -> Plan:
    settings = now.settings
    goal = Goal(settings.target, wanted, wanted, isolate_hot_keys=settings.isolate_hot_keys)
    options = weigh(now.shards, goal, situation, urgent=True)
    if settings.method == "operations":
        return options.fewest
    if settings.method == "update-shard-count" and options.update is not None:
        return options.update
    return options.chosen


def _plan_split(tools: Tools, now: Now, name: str, situation: Situation) -> Plan:
    full = name if name.startswith("shardId-") else f"shardId-{name.zfill(12)}"
    shard = next((one for one in now.shards.shards if one.id == full), None)
    if shard is None:
        raise ClewError(
            f"{now.settings.name} has no open shard {full}; see clew streams report"
            f" {now.settings.name}."
        )
    if shard.end - shard.start < 2:
        raise ClewError(f"{full} has a single hash key, and cannot be split.")
    seen = sample_keys(tools, now.settings.name, [full]).weights
    sampled = now.shards.with_samples(seen) if seen else now.shards
    (shard,) = (one for one in sampled.shards if one.id == full)
    cuts = tuple(sorted((*sampled.cuts, halves(shard))))
    return _plan_of(cuts, sampled, now.settings, situation)


def _plan_even(now: Now, wanted: int, situation: Situation) -> Plan:
    """By own splits and merges, or by UpdateShardCount, which makes even ones too.

    A stream has ten of those calls a day: one has to save half of the time at least.
    """
    settings = now.settings
    cuts = even_cuts_near(wanted, now.shards.cuts)
    own = _plan_of(cuts, now.shards, settings, situation)
    goal = Goal(settings.target, wanted, wanted)
    update = weigh(now.shards, goal, situation, thorough=False).update
    if update is None or settings.method == "operations":
        return own
    asked = settings.method == "update-shard-count"
    return update if asked or update.duration_s * 2 < own.duration_s else own


def _plan_of(
    cuts: tuple[int, ...], shards: ShardMap, settings: ManagedStream, situation: Situation
) -> Plan:
    """The plan to given boundaries."""
    same = len(shards)
    nothing = fewest_operations(shards, Goal(settings.target, same, same), situation)
    plan = remaining(replace(nothing, cuts=cuts, after=len(cuts) + 1), shards, situation)
    return replace(plan, hot_keys=())


def halves(shard: Shard) -> int:
    """The hash key that has half of a shard's load on each side, as far as it is known."""
    middle = (shard.start + shard.end) // 2
    below = 0.0
    for piece in shard.pieces:
        if below + piece.bytes_share >= 0.5:
            part = (0.5 - below) / piece.bytes_share
            middle = piece.start + int(part * (piece.end - piece.start))
            break
        below += piece.bytes_share
    return min(max(middle, shard.start + 1), shard.end - 1)

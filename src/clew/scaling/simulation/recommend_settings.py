"""Settings that ``streams.yml`` can say, made from a stream's history: what is worth trying. Pure.

They are few and of different kinds, since the best kind differs: a fixed number of shards for load
that is noise, tracking for load that lasts, a schedule or a profile for load that comes back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from clew.scaling.managed.settings import ManagedStream, Minimum
from clew.scaling.model import ScalingError
from clew.scaling.simulation.peers import on_demand
from clew.scaling.simulation.roster import Policy, contender_of, managed, policy
from clew.scaling.simulation.simulate import simulate
from clew.scaling.timetable import Profile
from clew.scaling.words import count, duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.scaling.simulation.outcome import Outcome
    from clew.scaling.simulation.simulate import Conditions
    from clew.scaling.simulation.trace import Trace

#: Targets, and what wakes each.
_HELD = ((0.45, 0.6), (0.6, 0.75), (0.75, 0.85), (0.9, 0.95))
_DOWN_S = (3600.0, 6 * 3600.0, 86_400.0)  # how long it has to be quiet
_ABOVE = 1.2  # how far above it one that follows the load may go
_ROOM = 1.5  # how far above the highest minute so far a fixed number is tried
#: From the simplest to what has most parts that move.
KINDS = ("static", "on-demand", "policy")


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to run a stream. ``settings`` is what to write into ``streams.yml``."""

    kind: str  # of KINDS
    name: str
    settings: ManagedStream
    run: Callable[[Trace, Conditions], Outcome]

    @property
    def policy(self) -> Policy:
        """To be compared with others over all of a history."""
        if self.kind == "on-demand":
            return Policy("on-demand", self.name, _ON_DEMAND, self.run)
        found = managed(self.settings, self.name)
        return replace(found, key=self.kind)


_ON_DEMAND = (
    "AWS changes the shards: room for twice the highest peak of the last 30 days, paid by the"
    " gigabyte. It is taken to have seen the peak of the first half before."
)


def choices(history: Trace, conditions: Conditions, name: str) -> list[Choice]:
    """What may fit a stream with that history, whatever the goal."""
    load = history.shards(conditions.situation.limits)
    peak = float(load.max(initial=0.0))
    base = ManagedStream(
        stream_name(name),
        conditions.min_shards,
        conditions.max_shards,
        retention_h=conditions.situation.retention_h,
        closed_shard_rate=conditions.situation.prices.closed_shard_rate,
    )
    found = [_static(base, shards) for shards in _counts(conditions, peak)]
    found.append(_on_demand(base, peak))
    low, high = conditions.min_shards, conditions.max_shards
    levels = {low} | {
        min(max(ceil(float(np.quantile(load, part))), low), high) for part in (0.5, 0.9)
    }
    found += [
        _following(_tracked(base, held, down_s, least), of=high)
        for least in sorted(levels)
        for held in _HELD
        for down_s in _DOWN_S
    ]
    top = min(max(ceil(_ABOVE * peak), low), high)
    if top < high:
        # Refusals overstate what is missing: not far above the peak, they cannot cost much.
        found += [
            _following(
                replace(_tracked(base, held, 3600.0, min(least, top)), max_shards=top), of=high
            )
            for least in sorted(levels)
            for held in _HELD[1:3]
        ]
    for target in (0.75, 0.9):
        window = busy_hours(load, history.start_s, target)
        if window is None:
            continue
        start, end, outside, inside = window
        least, at_that_time = (min(max(n, low), high) for n in (outside, inside))
        if at_that_time <= least:
            continue
        minimum = Minimum(f"{start:02}:00", f"{end:02}:00", at_that_time)
        scheduled = replace(
            _tracked(base, (target, min(target + 0.1, 0.95)), 3600.0, least), schedule=(minimum,)
        )
        found.append(_following(scheduled, of=high))
    try:
        profile = Profile.learnt(load.tolist(), history.start_s)
    except ScalingError:
        return found  # less than a day of history
    for held in _HELD[1:]:
        for down_s in _DOWN_S[:2]:
            predictive = replace(_tracked(base, held, down_s, low), predictive=True)
            found.append(_following(predictive, profile, of=high))
    return found


def stream_name(name: str) -> str:
    """A name that a stream can have."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", name)[:128] or "stream"


def _counts(conditions: Conditions, peak: float) -> list[int]:
    """Numbers of shards up to well above the peak, closer together where they are small."""
    low, high = conditions.min_shards, conditions.max_shards
    most = min(max(ceil(peak * _ROOM), 1), high)
    found, at = {low, min(max(ceil(peak - 1e-9), low), high)}, low
    while at < most:
        at = min(most, max(at + 1, round(at * 1.12)))
        found.add(at)
    return sorted(found)


def _static(base: ManagedStream, shards: int) -> Choice:
    settings = replace(base, min_shards=shards, max_shards=shards, desired=shards)
    return _of(settings, "static", f"{count(shards, 'shard')}, always")


def _on_demand(base: ManagedStream, known_peak: float) -> Choice:
    def run(trace: Trace, conditions: Conditions) -> Outcome:
        return on_demand(trace, conditions, known_peak)

    return Choice("on-demand", "on-demand mode", replace(base, mode="on-demand"), run)


def _tracked(
    base: ManagedStream, held: tuple[float, float], down_s: float, least: int
) -> ManagedStream:
    target, alarm_at = held
    return replace(
        base,
        min_shards=least,
        target=target,
        alarm_at=alarm_at,
        # Just below where it goes up again: what is needed then is at the target, not at this.
        down_below=round(alarm_at - 0.05, 2),
        down_over_s=down_s,
        down_every_s=down_s,
    )


def _following(settings: ManagedStream, profile: Profile | None = None, *, of: int) -> Choice:
    """Settings that follow the load; ``of`` is the most that are allowed."""
    name = f"hold {settings.target:.0%}, down after {duration(settings.down_over_s)}"
    name += f", from {settings.min_shards}" if settings.min_shards > 1 else ""
    name += f", up to {settings.max_shards}" if settings.max_shards < of else ""
    for one in settings.schedule:
        name += f", {one.minimum} from {one.start} to {one.end}"
    name += ", predictive" if settings.predictive else ""
    return _of(settings, "policy", name, profile)


def _of(settings: ManagedStream, kind: str, name: str, profile: Profile | None = None) -> Choice:
    contender = contender_of(settings, name, settings.rule(profile))

    def run(trace: Trace, conditions: Conditions) -> Outcome:
        return simulate(trace, [contender], conditions)[0]

    return Choice(kind, name, settings, run)


def busy_hours(
    load: np.ndarray[tuple[int], np.dtype[np.float64]], start_s: float, target: float
) -> tuple[int, int, int, int] | None:
    """The hours (UTC) from which to which a higher minimum pays most, and the shards of both.

    None of less than two days, and where no hours differ. Of each hour of the day it takes what
    was needed on nine days of ten.
    """
    if len(load) < 2 * 1440:
        return None
    skip = int(-start_s // 60) % 60  # minutes to the first full hour
    hours = load[skip : skip + (len(load) - skip) // 60 * 60].reshape(-1, 60).max(axis=1)
    first = int((start_s + 60 * skip) // 3600) % 24
    of_day = [hours[(hour - first) % 24 :: 24] for hour in range(24)]
    needed = [max(1, ceil(float(np.quantile(one, 0.9)) / target - 1e-9)) for one in of_day]
    best: tuple[int, int, int, int, int] | None = None
    for start in range(24):
        for length in range(1, 24):
            inside = max(needed[(start + n) % 24] for n in range(length))
            outside = max(needed[(start + n) % 24] for n in range(length, 24))
            cost = inside * length + outside * (24 - length)
            if inside > outside and (best is None or cost < best[0]):
                best = cost, start, (start + length) % 24, outside, inside
    if best is None or best[0] >= 24 * max(needed):
        return None
    return best[1:]


def today_of(text: str, trace: Trace, conditions: Conditions) -> Policy:
    """What runs today: a number of shards, or a policy's name as ``simulate`` takes it."""
    found = policy(f"fixed:{text}" if text.isdigit() else text, trace, conditions)
    return replace(found, name=f"today: {found.name}")

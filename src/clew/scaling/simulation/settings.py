"""Settings worth trying on a stream, made from its history. Pure but for NumPy.

They are few and of different kinds, since the best kind differs: a fixed number of shards for
load that is noise, tracking for load that lasts, a profile for load that comes back every day.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from clew.scaling.model import ScalingError
from clew.scaling.policy import Fixed, ScaleDown, TargetTracking
from clew.scaling.simulation.simulate import Contender
from clew.scaling.timetable import Predictive, Profile

if TYPE_CHECKING:
    from clew.scaling.policy import Rule
    from clew.scaling.simulation.simulate import Conditions
    from clew.scaling.simulation.trace import Trace

_DAY_S = 86_400
_HELD = ((0.45, 0.7), (0.6, 0.8), (0.75, 0.9), (0.95, 1.0))  # targets, and what wakes each
_LEVELS = (0.5, 0.8, 0.9, 0.95, 0.98)
_DOWN_S = (600, 3600, 6 * 3600, _DAY_S)  # how long it has to be quiet


def candidates(history: Trace, conditions: Conditions, peak_shards: int = 0) -> list[Contender]:
    """Contenders for a stream with that history.

    ``peak_shards`` is the most that was ever needed, if more is known than the history shows.
    """
    load = history.shards(conditions.situation.limits)
    highest = max(peak_shards, ceil(float(load.max(initial=1.0))), 1)
    often, seldom = (max(1, ceil(float(np.quantile(load, q)))) for q in (0.9, 0.98))
    found = [_fixed(count) for count in _counts(highest)]
    found += [_level(quantile, over) for quantile in _LEVELS for over in (3, 24)]
    found += [_tracked(held, down) for held in _HELD for down in _DOWN_S]
    found += [_tracked(_HELD[-1], 600, most=most) for most in (2, 3, 4, 6, 9, 14) if most < highest]
    found += [
        _tracked(held, down, least=least)
        for least in sorted({often, seldom} - {1})
        for held in _HELD[2:]
        for down in (600, 3600)
    ]
    try:
        profile = Profile.learnt(load.tolist(), history.start_s)
    except ScalingError:
        return found  # less than a day of history
    found += [
        _predicted(profile, target, quantile, alarmed=alarmed)
        for target in (0.75, 0.9, 1.0)
        for quantile in (0.5, 0.9)
        for alarmed in (True, False)
    ]
    return found


def _counts(highest: int) -> list[int]:
    """Numbers of shards up to the highest, closer together where they are small."""
    found = [1]
    while found[-1] < highest:
        found.append(min(highest, max(found[-1] + 1, round(found[-1] * 1.15))))
    return found


def _fixed(count: int) -> Contender:
    return Contender(
        f"fixed at {count}", Fixed(count), start_shards=count, min_shards=count, max_shards=count
    )


def _level(quantile: float, over_h: int) -> Contender:
    """As many as most minutes of a long time need; what is above them is put up with."""
    over_s = over_h * 3600
    up = TargetTracking(1.0, over_s, quantile=quantile, alarmed=False, every_s=900)
    down = ScaleDown(1.0, over_s, over_s / 4, 1.0, quantile=quantile, least=0.1, every_s=900)
    return Contender(f"level {quantile:.0%} of {over_h} h", up | down, target=1.0)


def _tracked(
    held: tuple[float, float], down_s: float, *, least: int = 1, most: int | None = None
) -> Contender:
    target, alarm_at = held
    rule = _tracking(target, alarm_at) | _down(target, down_s)
    name = f"track {target:.0%}, down after {down_s / 60:.0f} min"
    name += f", from {least}" if least > 1 else ""
    name += f", up to {most}" if most is not None else ""
    return Contender(name, rule, target=target, min_shards=least, max_shards=most)


def _predicted(profile: Profile, target: float, quantile: float, *, alarmed: bool) -> Contender:
    rule: Rule = Predictive(profile, target, quantile=quantile) | _down(target, 900)
    if alarmed:
        rule = rule | _tracking(target, 1.0)  # type: ignore[operator]
    name = f"predict {quantile:.0%} at {target:.0%}{', and track' if alarmed else ''}"
    return Contender(name, rule, target=target)


def _tracking(target: float, alarm_at: float) -> TargetTracking:
    return TargetTracking(target, 300, alarm_at, refused_counts=1 / 3)


def _down(target: float, down_s: float) -> ScaleDown:
    return ScaleDown(1.0, down_s, 0, target, least=0.15)

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
#: Targets, and the utilisation that wakes each. The low ones have room for a burst of its size.
_HELD = ((0.25, 0.5), (0.35, 0.6), (0.45, 0.7), (0.6, 0.8), (0.75, 0.9), (0.95, 1.0))
_LEVELS = (0.5, 0.8, 0.9, 0.95, 0.97, 0.99)
_DOWN_S = (300, 1800)  # how long it has to be quiet
_LONG_S = (6 * 3600, _DAY_S)


def candidates(history: Trace, conditions: Conditions, peak_shards: int = 0) -> list[Contender]:
    """Contenders for a stream with that history.

    ``peak_shards`` is the most that was ever needed, if more is known than the history shows.
    """
    load = history.shards(conditions.situation.limits)
    highest = max(peak_shards, ceil(float(load.max(initial=1.0)) - 1e-9), 1)
    found = [_fixed(count) for count in _counts(highest, 1.1)]
    found += [_level(quantile, over) for quantile in _LEVELS for over in (1, 6, 24)]
    found += [_tracked(held, down, highest) for held in _HELD for down in _DOWN_S]
    found += [_tracked(held, down, highest) for held in _HELD[2::2] for down in _LONG_S]
    found += [_tracked(_HELD[-1], 600, highest, most=most) for most in _counts(highest, 1.2)[1:-1]]
    found += [
        _level(quantile, 1, least)
        for least in _counts(highest, 1.2)[1:-1]
        for quantile in (0.8, 0.95)
        if least > float(np.median(load))
    ]
    found += [
        _tracked(_HELD[-1], 600, highest, least=least, most=min(ceil(1.5 * least), highest))
        for least in _counts(highest, 1.1)[1:-1]
    ]
    # As good as fixed, with room for the boundaries around a hot key.
    found += [
        _tracked(_HELD[-1], _DAY_S, highest, least=least, most=least + 2)
        for least in _counts(highest, 1.1)
        if 2 * least >= highest > 2
    ]
    # A floor from which one call of UpdateShardCount, or two, reaches any number up to the peak.
    found += [
        _tracked(held, down, highest, least=least)
        for least in _counts(highest, 1.35)[1:-1]
        for held, down in ((_HELD[0], 600), (_HELD[-1], 1800))
        if least > held[0] * float(np.median(load))
    ]
    try:
        profile = Profile.learnt(load.tolist(), history.start_s)
    except ScalingError:
        return found  # less than a day of history
    found += [
        _predicted(profile, target, quantile, highest, alarmed=alarmed)
        for target in (0.75, 0.9, 1.0)
        for quantile, alarmed in ((0.5, True), (0.9, True), (0.5, False))
    ]
    return found


def _counts(highest: int, by: float) -> list[int]:
    """Numbers of shards up to the highest, each ``by`` times the one before, or one more."""
    found = [1]
    while found[-1] < highest:
        found.append(min(highest, max(found[-1] + 1, round(found[-1] * by))))
    return found


def _fixed(count: int) -> Contender:
    return Contender(
        f"fixed at {count}", Fixed(count), start_shards=count, min_shards=count, max_shards=count
    )


def _level(quantile: float, over_h: int, least: int = 1) -> Contender:
    """As many as most minutes of a long time need; what is above them is put up with."""
    over_s = over_h * 3600
    up = TargetTracking(1.0, over_s, quantile=quantile, alarmed=False, every_s=900)
    down = ScaleDown(1.0, over_s, over_s / 4, 1.0, quantile=quantile, least=0.1, every_s=900)
    name = f"level {quantile:.0%} of {over_h} h" + (f", from {least}" if least > 1 else "")
    return Contender(name, up | down, target=1.0, min_shards=least)


def _tracked(
    held: tuple[float, float],
    down_s: float,
    enough: int,
    *,
    least: int = 1,
    most: int | None = None,
) -> Contender:
    target, alarm_at = held
    rule = _tracking(target, alarm_at, enough) | _down(target, down_s)
    name = f"track {target:.0%}, down after {down_s / 60:.0f} min"
    name += f", from {least}" if least > 1 else ""
    name += f", up to {most}" if most is not None else ""
    return Contender(name, rule, target=target, min_shards=least, max_shards=most)


def _predicted(
    profile: Profile, target: float, quantile: float, enough: int, *, alarmed: bool
) -> Contender:
    rule: Rule = Predictive(profile, target, quantile=quantile) | _down(target, 900)
    if alarmed:
        rule = rule | _tracking(target, 1.0, enough)  # type: ignore[operator]
    name = f"predict {quantile:.0%} at {target:.0%}{', and track' if alarmed else ''}"
    return Contender(name, rule, target=target)


def _tracking(target: float, alarm_at: float, enough: int) -> TargetTracking:
    return TargetTracking(target, 300, alarm_at, refused_counts=1 / 3, enough=enough)


def _down(target: float, down_s: float) -> ScaleDown:
    return ScaleDown(1.0, down_s, 0, target, least=0.15)

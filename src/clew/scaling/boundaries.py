"""Which boundaries to change: the fewest, and of those changes the one with the coolest shards.

Pure. The hottest shard counts first, since it is the first to be throttled.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from clew.scaling.curve import SAME
from clew.scaling.model import KEY_SPACE, even_cut
from clew.scaling.packing import pack, packs_within

if TYPE_CHECKING:
    from clew.scaling.curve import Curve
    from clew.scaling.packing import Packing, Run

#: How closely the lowest peak is looked for, as a part of it.
_CLOSE = 1e-3
#: Boundaries that are closer to an even one than this part of the key space are put on it, so
#: that a later change finds the same boundary there and not one a hair beside it.
_SNAP = 2**-40


@dataclass(frozen=True, slots=True)
class Change:
    """The boundaries to add and to take away, as hash keys in ascending order."""

    added: tuple[int, ...]
    removed: tuple[int, ...]
    within_cap: bool
    short_of_proof: int = 0


def fewest_changes(curve: Curve, cap: float, at_least: int, at_most: int) -> Change:
    """The fewest changes that leave no shard above ``cap``; then the lowest load of the hottest.

    Where ``at_most`` shards cannot hold the load, it is the fewest changes to within 2 % of the
    lowest peak that they can have.
    """
    best = pack(curve, cap, at_least, at_most)
    within = best is not None
    if best is None:
        cap = _least_cap(curve, at_most) * 1.02
        best = pack(curve, cap, at_least, at_most)
        if best is None:  # a wall or a heavy key for each shard that there may be
            return Change((), (), within_cap=False)
    if not best.operations:
        return Change((), (), within)
    placed = _placed(curve, best, within)
    if best.short_of_proof or _peak_of(curve, placed) <= _lowest(curve, best) * (1 + _CLOSE):
        return placed
    return _placed(curve, _coolest(curve, cap, at_least, at_most, best), within)


def _lowest(curve: Curve, packing: Packing) -> float:
    """What the hottest of so many shards has at least, wherever their boundaries are."""
    return max(curve.load(0, curve.edges[-1]) / packing.shards, curve.heaviest_key())


def _peak_of(curve: Curve, change: Change) -> float:
    cuts = {curve.at[knot] for knot in curve.edges[1:-1]}.union(change.added)
    keys = [0, *sorted(cuts.difference(change.removed)), KEY_SPACE]
    return _peak(curve, [curve.place(key) for key in keys])


def _least_cap(curve: Curve, at_most: int) -> float:
    """The lowest cap that so many shards can keep to."""
    last = curve.edges[-1]
    total = curve.load(0, last)
    low = max(total / at_most, curve.heaviest_key())
    high = max(total, low) + SAME
    while high - low > max(high * _CLOSE, SAME):
        middle = (low + high) / 2
        if curve.need(0, last, middle) <= at_most:
            high = middle
        else:
            low = middle
    return high


def _coolest(curve: Curve, cap: float, at_least: int, at_most: int, best: Packing) -> Packing:
    """The same number of operations under the lowest cap that it does for."""
    low, high = _lowest(curve, best), cap
    while high - low > max(high * _CLOSE, SAME):
        middle = (low + high) / 2
        if packs_within(curve, middle, at_least, at_most, best.operations):
            high = middle
        else:
            low = middle
    return pack(curve, high, at_least, at_most) or best


def _placed(curve: Curve, packing: Packing, within: bool) -> Change:
    """Where the new boundaries go."""
    before = {curve.at[knot] for knot in curve.edges[1:-1]}
    after: set[int] = set()
    count = packing.shards
    for run in packing.runs:
        after |= {_even(curve, key, count) for key in _inner(curve, run)}
        after.add(curve.at[curve.edges[run.end]])
    after -= {0, KEY_SPACE}
    return Change(
        tuple(sorted(after - before)),
        tuple(sorted(before - after)),
        within,
        packing.short_of_proof,
    )


def _inner(curve: Curve, run: Run) -> list[int]:
    """The new boundaries inside a run: the hottest of its shards as cool as can be."""
    a, b = curve.edges[run.first], curve.edges[run.end]
    if run.into == 1:
        return []
    low, high = curve.at[a], curve.at[b]
    if b - a == 1:
        return [low + (high - low) * n // run.into for n in range(1, run.into)]
    parts = [curve.part(a, b, n, run.into) for n in range(1, run.into)]
    lowest = curve.load(a, b) / run.into
    if curve.walls(a, b) or _peak(curve, [a, *parts, b]) > lowest * (1 + _CLOSE) + SAME:
        parts = _least_peak(curve, a, b, run.into) or parts
    keys = {curve.hash_key(place) for place in parts}
    while len(keys) < run.into - 1:  # places that fell on one hash key, or were not needed
        edges = sorted({low, high, *keys})
        wide = max(pairwise(edges), key=lambda pair: pair[1] - pair[0])
        keys.add(sum(wide) // 2)
    return sorted(keys)


def _peak(curve: Curve, places: list[float]) -> float:
    return max(curve.load(a, b) for a, b in pairwise(places))


def _least_peak(curve: Curve, a: int, b: int, into: int) -> list[float]:
    """The boundaries between two places that leave the hottest of so many shards the coolest."""
    low, high = curve.load(a, b) / into, curve.load(a, b) + SAME
    parts: list[float] = []
    while high - low > max(high * _CLOSE, SAME):
        middle = (low + high) / 2
        found: list[float] = []
        place: float = a
        while len(found) < into and (place := curve.reach(place, middle)) < b:
            found.append(place)
        if len(found) < into and _peak(curve, [a, *found, b]) <= middle + SAME:
            high, parts = middle, found
        else:
            low = middle
    return parts


def _even(curve: Curve, key: int, count: int) -> int:
    near = even_cut(round(key * count / KEY_SPACE), count)
    if abs(near - key) >= KEY_SPACE * _SNAP:
        return key
    low, high = sorted((curve.place(near), curve.place(key)))
    return near if curve.load(low, high) <= SAME else key  # there may be a single key between

"""What UpdateShardCount does: even ranges, a few times a day, and at most double or half. Pure."""

from __future__ import annotations

from bisect import bisect_left
from math import ceil
from typing import TYPE_CHECKING

from clew.scaling.model import KEY_SPACE, even_cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.scaling.limits import Limits, Timing

_SAME_KEY = KEY_SPACE >> 40


def even_cuts(count: int) -> list[int]:
    """The boundaries between ``count`` shards of the same width."""
    return [even_cut(number, count) for number in range(1, count)]


def even_cuts_near(count: int, cuts: Sequence[int]) -> tuple[int, ...]:
    """The same, with those of ``cuts``, in ascending order, that differ by rounding alone.

    2^128 is not divisible by every number, and whoever made the shards may have rounded otherwise:
    a boundary that is a few keys away is kept, and not taken out and put in again.
    """
    return tuple(_nearest(cuts, cut) for cut in even_cuts(count))


def steps(before: int, target: int, limits: Limits) -> tuple[int, ...] | None:
    """The counts to ask for, one call after the other; None if the target is not allowed."""
    if not 1 <= target <= limits.update_max_shards:
        return None
    found, now = [], before
    while now != target:
        most = int(now * limits.update_up_factor)
        least = ceil(now * limits.update_down_factor)
        now = min(max(target, least), most)
        found.append(now)
    return tuple(found)


def changes(before: Sequence[int], after: Sequence[int]) -> tuple[int, int]:
    """The splits and the merges between two sets of boundaries, given in ascending order."""
    kept = sum(_has(before, cut) for cut in after)
    return len(after) - kept, len(before) - kept


def call_s(before: Sequence[int], target: int, timing: Timing) -> float:
    """How long one call takes from these boundaries."""
    return timing.update_s(*changes(before, even_cuts(target)))


def _has(cuts: Sequence[int], wanted: int) -> bool:
    at = bisect_left(cuts, wanted - _SAME_KEY)
    return at < len(cuts) and cuts[at] <= wanted + _SAME_KEY


def _nearest(cuts: Sequence[int], wanted: int) -> int:
    """The boundary that is the same as the wanted one but for rounding, or that one."""
    at = bisect_left(cuts, wanted)
    near = min(cuts[max(at - 1, 0) : at + 1], key=lambda cut: abs(cut - wanted), default=wanted)
    return near if abs(near - wanted) <= _SAME_KEY else wanted

"""What a policy may see of a stream, and what it may say. Pure.

Loads are in shards' worth: 3.2 fills three shards and a fifth of a fourth.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

#: Numbers of whole minutes, oldest first: a sequence of floats, or a NumPy array of them.
Minutes = Any


#: From where on a shard has no room for more, and a stream up to which it has, over a minute.
_NO_ROOM, _ROOM = 0.95, 0.85


@dataclass(frozen=True, slots=True)
class Alarm:
    """A CloudWatch alarm on a stream: ``points`` of the last ``of`` periods, in a row or not.

    ``measure`` is ``"utilisation"`` (of the stream, from what it accepted), ``"hottest"`` (of its
    fullest shard; needs shard-level metrics) or ``"refused"`` (records, as a part of a shard).
    """

    name: str
    measure: str
    threshold: float
    points: int = 1
    of: int = 1
    period_s: int = 60
    above: bool = True


@dataclass(frozen=True, slots=True)
class Seen:
    """What may be known of a stream at some time: metrics come late, and not of every second.

    The series are of whole minutes, oldest first, of the same length; NumPy arrays will do.
    """

    at_s: float  # now, in seconds since the epoch
    shards: int
    written: Minutes  # accepted
    refused: Minutes = ()  # in all attempts; a record that is tried thrice counts thrice
    hottest: Minutes = ()  # the utilisation of the fullest shard, if it is measured
    alarm: str = ""  # the name of the alarm that asks, if one does
    last_up_s: float = float("-inf")  # when the stream last got more shards
    last_down_s: float = float("-inf")
    shards_then: Minutes = ()  # how many there were; where that is not known, as many as now

    def concentrated(self, last_s: float) -> bool:
        """Whether refusals of the last minutes are those of single shards in a stream with room.

        Where the fullest shard has no room and all together have, more shards help nothing,
        unless they are put where the load is. Needs shard-level metrics.
        """
        minutes = max(1, int(last_s // 60))
        hottest, written = self.hottest[-minutes:], self.written[-minutes:]
        refused, then = self.refused[-minutes:], self.shards_then[-minutes:]
        found = False
        for at in range(len(hottest)):
            if refused[at] <= 0 or hottest[at] <= 0:  # nothing refused, or not known of shards
                continue
            shards = then[at] if len(then) else self.shards
            if hottest[at] < _NO_ROOM or written[at] > _ROOM * shards:
                return False
            found = True
        return found

    def demand(self, last_s: float, refused_counts: float = 1.0, quantile: float = 1.0) -> float:
        """The most that was asked of the stream in any of the last minutes, or a quantile."""
        minutes = max(1, int(last_s // 60))
        written, refused = self.written[-minutes:], self.refused[-minutes:]
        asked: Any = written
        if len(refused) and refused_counts:
            if hasattr(written, "dtype"):
                asked = written + refused * refused_counts
            else:
                asked = [w + r * refused_counts for w, r in zip(written, refused, strict=True)]
        return most(asked) if quantile >= 1 else quantile_of(asked, quantile)

    def fullest(self, last_s: float, of_s: float) -> float:
        """The highest mean over ``of_s`` that was accepted in the last ``last_s``."""
        each = max(1, int(of_s // 60))
        whole = min(int(last_s // 60), len(self.written)) // each * each
        if not whole:
            return 0.0
        written: Any = self.written[-whole:]
        if hasattr(written, "dtype"):
            return float(written.reshape(-1, each).sum(axis=1).max()) / each
        return float(max(sum(written[at : at + each]) for at in range(0, whole, each))) / each


@dataclass(frozen=True, slots=True)
class Wish:
    """How many shards a rule asks for. ``at_most`` None is no opinion: nothing goes down."""

    at_least: int = 0
    at_most: int | None = None
    why: tuple[str, ...] = ()
    #: A shard is too full though the stream is not: look at the shards one by one.
    uneven: bool = False

    def __or__(self, other: Wish) -> Wish:
        """Both; the larger numbers hold, and the reasons of what holds."""
        known = [n for n in (self.at_most, other.at_most) if n is not None]
        at_least = max(self.at_least, other.at_least)
        return Wish(
            at_least,
            max(known, default=None),
            self.why + other.why,
            self.uneven or other.uneven,
        )


def shards_for(load: float, target: float) -> int:
    """The fewest even shards that hold a load at a target utilisation."""
    return max(1, ceil(load / target - 1e-9))


def most(values: Minutes) -> float:
    """The highest; 0 of none."""
    if not len(values):
        return 0.0
    return float(values.max() if hasattr(values, "max") else max(values))


def at_ago(values: Minutes, ago_s: float) -> float:
    """The value of so many seconds (a negative number) before the end, or the first."""
    return float(values[max(-len(values), int(ago_s // 60))]) if len(values) else 0.0


def quantile_of(values: Minutes, quantile: float) -> float:
    """The value that this part of all does not reach; 0 of none."""
    if not len(values):
        return 0.0
    at = min(int(quantile * len(values)), len(values) - 1)
    if hasattr(values, "dtype"):
        ordered = values.copy()
        ordered.partition(at)
        return float(ordered[at])
    return float(sorted(values)[at])

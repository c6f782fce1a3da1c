"""When to change the number of shards: small rules that say how many a stream should have. Pure.

Each rule looks at what is :class:`Seen` and answers with a :class:`Wish`: at least so many, at
most so many, and why in words. ``a | b`` is both rules; where they differ, the one that asks for
more shards has its way. So the rules that raise (:class:`SimpleRule`, :class:`TargetTracking`;
``Scheduled`` and ``Predictive`` in :mod:`clew.scaling.timetable`) hold against the one that lowers
(:class:`ScaleDown`)::

    policy = TargetTracking(0.7) | Scheduled("07:00", "09:00", 12) | ScaleDown()
    print(policy.explain())

Loads are in shards' worth: 3.2 fills three shards and a fifth of a fourth.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Protocol

from clew.scaling.seen import Alarm, Wish, at_ago, most, shards_for
from clew.scaling.words import count, duration

if TYPE_CHECKING:
    from clew.scaling.seen import Seen


#: Quiet is judged by means over this time.
_MEAN_S = 300
#: How far back metrics may still be missing.
_LATE_S = 60


class Rule(Protocol):
    """One rule, or several joined by ``|``."""

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """The alarms that wake it."""

    @property
    def every_s(self) -> int:
        """How often it looks without an alarm; 0: never."""

    def wish(self, seen: Seen) -> Wish:
        """How many shards the stream should have."""

    def explain(self) -> str:
        """What it does, in words."""


class Joined:
    """What gives every rule its ``|``."""

    __slots__ = ()

    def __or__(self, other: Rule) -> Both:
        """Both rules."""
        return Both(self, other)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Both(Joined):
    """Two rules; where they differ, the one that asks for more shards."""

    first: Rule
    second: Rule

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """Those of both."""
        return tuple(dict.fromkeys(self.first.alarms + self.second.alarms))

    @property
    def every_s(self) -> int:
        """The more frequent of the two."""
        return min((s for s in (self.first.every_s, self.second.every_s) if s), default=0)

    def wish(self, seen: Seen) -> Wish:
        """The wishes of both."""
        return self.first.wish(seen) | self.second.wish(seen)

    def explain(self) -> str:
        """Both in words."""
        return f"{self.first.explain()} {self.second.explain()}"


def _up_alarms(threshold: float) -> tuple[Alarm, ...]:
    return (Alarm("refused", "refused", 0.0), Alarm("full", "utilisation", threshold))


@dataclass(frozen=True, slots=True)
class Fixed(Joined):
    """Always so many shards."""

    shards: int
    every_s: int = 3600
    alarms: tuple[Alarm, ...] = ()

    def wish(self, _: Seen) -> Wish:
        """That number, no more and no fewer."""
        return Wish(self.shards, self.shards, (f"it is to have {count(self.shards, 'shard')}",))

    def explain(self) -> str:
        """In words."""
        return f"The stream always has {count(self.shards, 'shard')}."


@dataclass(frozen=True, slots=True)
class SimpleRule(Joined):
    """One more shard when the stream is this full or refuses records."""

    full: float = 0.8
    every_s: int = 0

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """One on each cause."""
        return _up_alarms(self.full)

    def wish(self, seen: Seen) -> Wish:
        """One more, if an alarm asks or the last minute would have raised one."""
        last = seen.demand(60) / seen.shards
        if not seen.alarm and last < self.full:
            return Wish()
        return Wish(seen.shards + 1, why=(f"it is {last:.0%} full, and {self.full:.0%} is much",))

    def explain(self) -> str:
        """In words."""
        return (
            f"Whenever the stream is {self.full:.0%} full or refuses records, its biggest shard is"
            " split."
        )


@dataclass(frozen=True, slots=True)
class TargetTracking(Joined):
    """As many shards as put the peak of the last minutes at the target.

    Demand is what was accepted and what was refused: a full stream accepts no more than it has
    shards, whatever is sent. ``refused_counts`` is what one refusal counts (1 / attempts, if the
    producers try a record several times in a minute), and no more than ``growth`` times the
    shards are asked for at once because of refusals. Refusals of single shards in a stream with
    room do not count: they call for a look at the shards one by one. ``ahead_s`` carries on the
    rise of the last ``over_s`` that far. ``alarm_at`` is the utilisation that wakes it. Above
    ``enough`` shards (what the highest peak so far has needed, say) no room is kept: they are as
    many as hold the demand.
    """

    target: float = 0.75
    over_s: float = 300
    alarm_at: float | None = None
    ahead_s: float = 0
    refused_counts: float = 1.0
    growth: float = 4.0
    enough: int | None = None
    quantile: float = 1.0
    alarmed: bool = True
    every_s: int = 300

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """On refusals, and on the utilisation at which more shards are due."""
        if not self.alarmed:
            return ()
        return _up_alarms(self.target if self.alarm_at is None else self.alarm_at)

    def wish(self, seen: Seen) -> Wish:
        """Enough for the peak, if the stream is as full as wakes the rule."""
        demand = accepted = seen.demand(self.over_s, 0.0, self.quantile)
        concentrated, counts = False, 0.0
        if most(seen.refused[-max(1, int(self.over_s // 60)) :]) > 0:
            concentrated = seen.concentrated(self.over_s)
            counts = 0.0 if concentrated else self.refused_counts
            demand = seen.demand(self.over_s, counts, self.quantile)
            demand = max(accepted, min(demand, self.growth * seen.shards * self.target))
        said = f"the peak of the last {duration(self.over_s)} was {demand:.1f} shards' worth"
        if self.ahead_s:
            rise = seen.demand(60, counts) - at_ago(seen.written, -self.over_s)
            if rise > 0:
                demand += min(rise * self.ahead_s / self.over_s, demand)
                said += f" and {demand:.1f} is expected in {duration(self.ahead_s)}"
        alarm_at = self.target if self.alarm_at is None else self.alarm_at
        hottest = most(seen.hottest[-max(1, int(self.over_s // 60)) :])
        uneven = concentrated or hottest > max(alarm_at, demand / seen.shards * 1.05)
        if demand <= alarm_at * seen.shards:
            return Wish(shards_for(demand, alarm_at), why=(said,), uneven=uneven)
        needed = shards_for(demand, self.target)
        if self.enough is not None and needed > self.enough:
            needed = max(self.enough, shards_for(demand, 1.0))
        said += f", which {count(needed, 'shard')} would hold at {demand / needed:.0%}"
        return Wish(needed, why=(said,), uneven=uneven)

    def explain(self) -> str:
        """In words."""
        ahead = f", carried on by {duration(self.ahead_s)}" if self.ahead_s else ""
        return (
            f"The stream gets the shards that hold the peak of the last"
            f" {duration(self.over_s)}{ahead} at {self.target:.0%}, records that were refused"
            " counted in, as soon as an alarm tells."
        )


@dataclass(frozen=True, slots=True)
class ScaleDown(Joined):
    """Fewer shards, carefully: when all of a long time was quiet, and not often.

    Only when every mean over five minutes (every minute, if it is less) in the last ``over_s`` was
    ``below`` that utilisation, nothing was refused in that time, and the stream did not get fewer
    shards in the last ``every_s`` (1.5 times a retention of 24 hours, by default). Then to as many
    as put the highest minute of that time at ``target``. Of less than five minutes, one more is
    looked at: the last is only begun, or CloudWatch does not have it yet.

    A merge closes two shards for each that is saved, and a closed shard stays until its records
    expire. If they are billed (``closed_rate`` above 0), it takes twice the retention until a merge
    has paid for itself: nothing goes down unless ``lasts_s``, the time that the quiet is expected
    to last, is longer.
    """

    below: float = 0.5
    over_s: float = 24 * 3600
    every_s_at_most: float = 36 * 3600
    target: float = 0.7
    quantile: float = 1.0  # of the minutes of that time; 1.0 is the highest
    least: float = 0.0  # the part of the shards that must be saved, or it stays as it is
    closed_rate: float = 0.0
    retention_h: float = 24.0
    lasts_s: float = 7 * 24 * 3600
    every_s: int = 300
    alarms: tuple[Alarm, ...] = ()

    def wish(self, seen: Seen) -> Wish:
        """A ceiling, when all is quiet."""
        if not self._may(seen):
            return Wish()
        highest = seen.demand(self._looked_at_s, 1.0, self.quantile)
        each_s = 60 if self._short else _MEAN_S
        fullest = highest if self.quantile < 1 else seen.fullest(self._looked_at_s, each_s)
        if fullest >= self.below * seen.shards:
            return Wish()
        needed = shards_for(highest, self.target)
        if needed > seen.shards * (1 - self.least):
            return Wish()
        no = "no minute" if self._short else "no five minutes"
        said = (
            f"{no} of the last {duration(self.over_s)} {'was' if self._short else 'were'} above"
            f" {fullest / seen.shards:.0%}, and {count(needed, 'shard')} would have held them at"
            f" {self.target:.0%}"
        )
        return Wish(at_most=needed, why=(said,))

    @property
    def _short(self) -> bool:
        return self.over_s < _MEAN_S

    @property
    def _looked_at_s(self) -> float:
        """How far back the metrics have to be quiet: whole minutes, or whole means."""
        if self._short:
            return self.over_s + _LATE_S
        return ceil(self.over_s / _MEAN_S) * _MEAN_S

    def _may(self, seen: Seen) -> bool:
        """Whether enough is known, enough time has passed, and closing shards pays."""
        changed = max(seen.last_down_s, seen.last_up_s)
        minutes = int(self._looked_at_s // 60)
        return (
            seen.at_s - seen.last_down_s >= self.every_s_at_most
            and seen.at_s - changed >= min(self.over_s, self.every_s_at_most)
            and len(seen.written) >= minutes
            and seen.written[-1] < self.below * seen.shards
            and (self.quantile < 1 or most(seen.refused[-minutes:]) <= 0)
            and self.closed_rate * 2 * self.retention_h * 3600 <= self.lasts_s
        )

    def explain(self) -> str:
        """In words."""
        closed = (
            f" Shards that a merge closes are taken to cost {self.closed_rate:.0%} of open ones for"
            f" {duration(self.retention_h * 3600)}."
            if self.closed_rate
            else ""
        )
        every = "every minute" if self._short else "every five minutes"
        was = "was" if self._short else "were"
        return (
            f"It gets fewer shards when {every} of the last {duration(self.over_s)} {was} under"
            f" {self.below:.0%} and nothing was refused, at most once in"
            f" {duration(self.every_s_at_most)}.{closed}"
        )

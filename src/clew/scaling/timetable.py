"""Rules that know the time: minimums on a schedule, and what a day or a week is like. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from clew.scaling.model import ScalingError
from clew.scaling.policy import Joined
from clew.scaling.seen import Alarm, Seen, Wish, shards_for
from clew.scaling.words import count, duration

if TYPE_CHECKING:
    from collections.abc import Sequence

_DAY_S, _WEEK_S = 86_400, 7 * 86_400


@dataclass(frozen=True, slots=True)
class Scheduled(Joined):
    """Never under ``minimum`` between two times of the day, on the given days (0 is Monday).

    ``end`` before ``start`` goes past midnight, and then the day is that of the start.
    """

    start: str
    end: str
    minimum: int
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    timezone: str = "UTC"
    early_s: float = 600  # for the shards to be there in time
    every_s: int = 300
    alarms: tuple[Alarm, ...] = ()
    _times: tuple[int, int] = field(init=False, repr=False, compare=False, default=(0, 0))

    def __post_init__(self) -> None:
        """Refuse times that are none."""
        object.__setattr__(self, "_times", (_minute(self.start), _minute(self.end)))

    def wish(self, seen: Seen) -> Wish:
        """The minimum, if it is time, or nearly."""
        if not (self._holds(seen.at_s) or self._holds(seen.at_s + self.early_s)):
            return Wish()
        said = f"never under {self.minimum} from {self.start} to {self.end}"
        return Wish(self.minimum, why=(said,))

    def _holds(self, at_s: float) -> bool:
        from datetime import datetime
        from zoneinfo import ZoneInfo

        at = datetime.fromtimestamp(at_s, ZoneInfo(self.timezone))
        minute, day = at.hour * 60 + at.minute, at.weekday()
        start, end = self._times
        if start <= end:
            return start <= minute < end and day in self.days
        if minute >= start:
            return day in self.days
        return minute < end and (day - 1) % 7 in self.days

    def explain(self) -> str:
        """In words."""
        names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
        on = "" if len(self.days) == 7 else f" on {', '.join(names[day] for day in self.days)}"
        return (
            f"From {self.start} to {self.end} ({self.timezone}){on} there are never under"
            f" {count(self.minimum, 'shard')}."
        )


def _minute(text: str) -> int:
    hours, _, minutes = text.partition(":")
    if not (hours.isdigit() and minutes.isdigit() and int(hours) <= 24 and int(minutes) < 60):
        raise ScalingError(f"{text!r} is no time of the day; write it as in 07:30.")
    return int(hours) * 60 + int(minutes)


@dataclass(frozen=True, slots=True)
class Profile:
    """What a stream is usually asked for at each time of a day or a week.

    ``usual`` is in shards' worth, one for each ``slot_s`` of the season, which begins on Thursday
    1970-01-01 at 00:00 UTC; ``margins`` are quantiles of what was asked over what is usual.
    """

    usual: tuple[float, ...]
    slot_s: int
    margins: tuple[tuple[float, float], ...]  # (quantile, factor), in ascending order

    @classmethod
    def learnt(
        cls, demand: Sequence[float], start_s: float, *, step_s: int = 60, slot_s: int = 300
    ) -> Profile:
        """From past demand in even steps. A week's profile from two weeks on, else a day's.

        Each slot's is the median of the same slot's peaks, and of its two neighbours', which a
        spike or a holiday among them does not move.
        """
        per_slot = max(1, slot_s // step_s)
        slots = len(demand) // per_slot
        season_s = _WEEK_S if slots * slot_s >= 2 * _WEEK_S else _DAY_S
        season = season_s // slot_s
        if slots < season:
            raise ScalingError(
                f"A profile needs at least a day of history; there are"
                f" {duration(slots * slot_s)} of it."
            )
        peaks = [max(demand[n * per_slot : (n + 1) * per_slot]) for n in range(slots)]
        first = int(start_s // slot_s)
        seen: list[list[float]] = [[] for _ in range(season)]
        for number, peak in enumerate(peaks):
            for beside in (-1, 0, 1):
                seen[(first + number + beside) % season].append(peak)
        usual = [median(values) if values else 0.0 for values in seen]
        over = sorted(
            peak / max(usual[(first + number) % season], 1e-9) for number, peak in enumerate(peaks)
        )
        quantiles = (0.5, 0.75, 0.9, 0.95, 0.99)
        margins = tuple((q, over[min(int(q * len(over)), len(over) - 1)]) for q in quantiles)
        return cls(tuple(usual), slot_s, margins)

    def at(self, at_s: float) -> float:
        """What is usual at that time."""
        return self.usual[int(at_s // self.slot_s) % len(self.usual)]

    def most(self, at_s: float, ahead_s: float) -> float:
        """The most that is usual from then on for so long."""
        slots = range(int(at_s // self.slot_s), int((at_s + ahead_s) // self.slot_s) + 1)
        return max(self.usual[slot % len(self.usual)] for slot in slots)

    def margin(self, quantile: float) -> float:
        """What was asked over what was usual, in that part of the slots or fewer."""
        return next((by for q, by in self.margins if q >= quantile), self.margins[-1][1])


@dataclass(frozen=True, slots=True)
class Predictive(Joined):
    """The shards that what is usual at this time needs, before it comes.

    When the next ``ahead_s`` need more than there are, it asks for what ``cover_s`` need, so that
    a morning's rise takes a few changes and not one every few minutes.
    ``level_s`` is the time over which today is compared with what is usual: if it is half as
    much again as usual, so is what is expected.
    """

    profile: Profile
    target: float = 0.75
    ahead_s: float = 900
    cover_s: float = 7200
    quantile: float = 0.9
    level_s: float = 7200
    every_s: int = 300
    alarms: tuple[Alarm, ...] = ()

    def wish(self, seen: Seen) -> Wish:
        """Enough for what is expected; if there are too few soon, enough for longer."""
        level = self._level(seen) * self.profile.margin(self.quantile)
        expected = self.profile.most(seen.at_s, self.ahead_s) * level
        over_s = self.ahead_s
        if expected > seen.shards * self.target:
            over_s = self.cover_s
            expected = max(expected, self.profile.most(seen.at_s, over_s) * level)
        said = f"{expected:.1f} shards' worth is expected in the next {duration(over_s)}"
        return Wish(shards_for(expected, self.target), why=(said,))

    def _level(self, seen: Seen) -> float:
        minutes = int(self.level_s // 60)
        lately = seen.written[-minutes:]
        if len(lately) < minutes:
            return 1.0
        each = max(1, self.profile.slot_s // 60)
        start = seen.at_s - 60 * minutes
        usual = sum(self.profile.at(start + 60 * n) for n in range(0, minutes, each)) * each
        return min(max(float(sum(lately)) / usual, 0.5), 2.0) if usual > 0 else 1.0

    def explain(self) -> str:
        """In words."""
        season = "week" if len(self.profile.usual) * self.profile.slot_s > _DAY_S else "day"
        next_s = f"{duration(self.ahead_s)} (or, when it gets more, {duration(self.cover_s)})"
        return (
            f"The stream has the shards that the next {next_s} of a usual {season} need at"
            f" {self.target:.0%}, more or less by what the last {duration(self.level_s)} differed,"
            f" in {self.quantile:.0%} of all cases."
        )

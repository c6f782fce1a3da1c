"""Prediction that learns as it goes, from no more than what was seen until then. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clew.scaling.policy import Joined
from clew.scaling.seen import Wish
from clew.scaling.timetable import Predictive, Profile
from clew.scaling.words import duration

if TYPE_CHECKING:
    from clew.scaling.seen import Alarm, Seen

_DAY_S = 86_400


class Relearning(Joined):
    """:class:`~clew.scaling.timetable.Predictive`, learnt anew each day; no opinion on the first.

    One is for one run: it keeps what it has learnt.
    """

    __slots__ = ("_day", "_known", "alarms", "every_s", "learns_s", "quantile", "target")

    def __init__(
        self, target: float = 0.75, quantile: float = 0.9, learns_s: float = 14 * _DAY_S
    ) -> None:
        self.target, self.quantile, self.learns_s = target, quantile, learns_s
        self.alarms: tuple[Alarm, ...] = ()
        self.every_s = 300
        self._day = -1
        self._known: Predictive | None = None

    def wish(self, seen: Seen) -> Wish:
        """That of the prediction, as far as there is one."""
        day = int(seen.at_s // _DAY_S)
        minutes = min(len(seen.written), int(self.learns_s // 60))
        if minutes < _DAY_S // 60:
            self._known = None
        elif day != self._day or self._known is None:
            asked: Any = seen.written[-minutes:]
            if len(seen.refused):
                asked = asked + seen.refused[-minutes:] / 3
            start = seen.at_s - 60 * minutes
            profile = Profile.learnt(asked.tolist(), start)
            self._known = Predictive(profile, self.target, quantile=self.quantile)
            self._day = day
        return Wish() if self._known is None else self._known.wish(seen)

    def explain(self) -> str:
        """In words."""
        return (
            "It also has the shards that the next hours of a usual day need at"
            f" {self.target:.0%}, learnt from up to {duration(self.learns_s)} before."
        )

"""Runs choices on a half, and on halves that are drawn from its days. Pure but for NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clew.scaling.simulation.recommend_goal import Judged, Tried, usd_a_month

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from clew.scaling.simulation.outcome import Outcome
    from clew.scaling.simulation.recommend_goal import Objective
    from clew.scaling.simulation.recommend_settings import Choice
    from clew.scaling.simulation.simulate import Conditions
    from clew.scaling.simulation.trace import Trace

#: How often what is chosen has to have met the goal on drawn halves.
WANTED = 0.9
#: How many days it takes to draw others from.
LEAST_DAYS = 3
_DAY = 1440  # minutes


class Judge:
    """Both halves of a history, what holds for every choice, and what was drawn."""

    def __init__(
        self,
        trace: Trace,
        conditions: Conditions,
        objective: Objective,
        *,
        seed: int,
        drawn: int,
        done: Callable[[str], None],
    ) -> None:
        self.conditions, self.objective = conditions, objective
        self.first, self.second = trace.halves()
        self._done = done
        # Fewer of a long one: it has more days in it, and takes longer.
        drawn = max(min(drawn, 8), min(drawn, round(drawn * 14 * _DAY / len(self.first))))
        self._of_first = draws(self.first, seed, drawn)
        self._of_second = draws(self.second, seed, drawn)

    def run(self, pool: Iterable[Choice], *, second: bool = False) -> list[Tried]:
        """Each of them on a half."""
        found = []
        prices = self.conditions.situation.prices
        for one in pool:
            outcome = one.run(self.second if second else self.first, self.conditions)
            found.append(Tried(one, outcome, usd_a_month(outcome, prices)))
            self._done(one.name)
        return found

    def chance(self, choice: Choice, *, second: bool = False) -> float:
        """How often it meets the goal on what is drawn; not all, once it is clear it will not."""
        halves = self._of_second if second else self._of_first
        missed = met = 0
        for half in halves:
            if self.objective.met(choice.run(half, self.conditions)):
                met += 1
            else:
                missed += 1
                if missed > (1 - WANTED) * len(halves):
                    break
        self._done(choice.name)
        return met / (met + missed)

    def judged(self, one: Tried, *, closely: bool = True) -> Judged:
        """A choice on the second half and, ``closely``, on what is drawn from that."""
        prices = self.conditions.situation.prices
        second = one.choice.run(self.second, self.conditions)
        outcomes: list[Outcome] = []
        if closely:
            outcomes = [one.choice.run(half, self.conditions) for half in self._of_second]
        usd = [usd_a_month(outcome, prices) for outcome in outcomes or [second]]
        low, middle, high = (float(np.quantile(usd, part)) for part in (0.1, 0.5, 0.9))
        met = sum(map(self.objective.met, outcomes))
        self._done(one.choice.name)
        return Judged(one.choice, one.outcome, second, met, len(outcomes), middle, low, high)


def draws(half: Trace, seed: int, number: int) -> list[Trace]:
    """Loads of days drawn from this one, several times; of fewer than three days, itself.

    Days are cut at the quietest hour: where two are joined that did not follow each other, a busy
    hour would show a jump that never was.
    """
    first = _quietest(half)
    days = (len(half) - first) // _DAY
    if days < LEAST_DAYS:
        return [half]
    whole = half.part(first, first + days * _DAY)
    return [whole.resampled(seed * 1000 + n, 1.0) for n in range(number)]


def _quietest(half: Trace) -> int:
    """The first minute of the hour of the day that is quietest on the whole."""
    load = half.shards()
    hours = len(load) // 60
    if hours < 24:
        return 0
    of_hour = load[: hours * 60].reshape(hours, 60).mean(axis=1)
    of_day = [float(of_hour[hour::24].mean()) for hour in range(24)]
    return 60 * of_day.index(min(of_day))

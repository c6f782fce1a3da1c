"""What a stream has to do for its team, and how a way to run it did at that. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from clew.scaling.prices import HOURS_A_MONTH
from clew.scaling.words import duration

if TYPE_CHECKING:
    from clew.scaling.prices import Prices
    from clew.scaling.simulation.outcome import Outcome
    from clew.scaling.simulation.recommend_settings import Choice


@dataclass(frozen=True, slots=True)
class Objective:
    """What the stream has to do. The simulator's steps are minutes, and so is the time here."""

    refused: float = 0.0001  # at most this part of the records, when they come first
    catch_up_s: float = 60.0  # and never longer until all that was refused is in

    def met(self, outcome: Outcome) -> bool:
        """Whether it was. What producers gave up never came in."""
        return (
            outcome.throttled <= self.refused + 1e-12
            and 60 * outcome.waited_minutes <= self.catch_up_s
            and outcome.lost <= 1e-9
        )

    def short(self, outcome: Outcome) -> float:
        """How far it was missed: 1 or less is met, 10 is ten times too much."""
        missed = max(
            outcome.throttled / max(self.refused, 1e-6),
            60 * outcome.waited_minutes / max(self.catch_up_s, 60.0),
        )
        return min(missed, 1.0) if self.met(outcome) else max(missed, 1.001)

    def __str__(self) -> str:
        """In words."""
        from clew.scaling.simulation.report import part

        if self.refused < 5e-7 or self.catch_up_s < 60:
            return "nothing refused"
        wait = duration(self.catch_up_s)
        return f"at most {part(self.refused)} refused, and never more than {wait} until all is in"


@dataclass(frozen=True, slots=True)
class Tried:
    """A choice on one half."""

    choice: Choice
    outcome: Outcome
    usd_month: float


@dataclass(frozen=True, slots=True)
class Judged:
    """A choice on both halves, and on halves that are drawn from their days."""

    choice: Choice
    first: Outcome
    second: Outcome
    met: int  # of the halves drawn from the second
    of: int  # 0 where none were drawn
    usd_month: float  # on what was drawn from the second, in the middle
    usd_low: float
    usd_high: float

    @property
    def interval(self) -> tuple[float, float]:
        """Between which parts the goal is met, nine times in ten (Wilson's score interval)."""
        return wilson(self.met, self.of)


def usd_a_month(outcome: Outcome, prices: Prices) -> float:
    """What it costs in a month."""
    return outcome.usd(prices) / (len(outcome.trace) / 60) * HOURS_A_MONTH


def wilson(met: int, of: int, z: float = 1.645) -> tuple[float, float]:
    """Between which parts a chance is that came out ``met`` times ``of`` (90 %, by default)."""
    if not of:
        return 0.0, 1.0
    part, n = met / of, float(of)
    middle = (part + z * z / (2 * n)) / (1 + z * z / n)
    off = z / (1 + z * z / n) * sqrt(part * (1 - part) / n + z * z / (4 * n * n))
    return max(0.0, middle - off), min(1.0, middle + off)

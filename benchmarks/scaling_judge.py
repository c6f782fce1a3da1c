"""Judge policies on a load: settings are chosen on its first half and judged on its second."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.scaling_shapes import PEAK
from clew.scaling.prices import Prices
from clew.scaling.simulation.optimum import clairvoyant
from clew.scaling.simulation.peers import on_demand, peers
from clew.scaling.simulation.settings import candidates
from clew.scaling.simulation.simulate import Conditions, simulate
from clew.scaling.situation import Situation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from clew.scaling.simulation.optimum import Optimum
    from clew.scaling.simulation.outcome import Outcome
    from clew.scaling.simulation.trace import Trace

#: The most of each half that is used, next to the middle; and what comes before it to warm up.
_LEARNT_DAYS, _JUDGED_DAYS, _WARM = 21, 7, 1440
#: A choice has to keep to its goal in each of so many parts of what is learnt from.
_PARTS = 3
_SITUATION = Situation(hold_h=2)
CONDITIONS = Conditions(max_shards=2 * PEAK, warm_up_minutes=_WARM, situation=_SITUATION)
#: A setting stays in the choice unless another is this much better in both on the first half.
_CHEAPER, _SAFER = 0.97, 0.9
#: Refused shares that a team may want to keep to. The first is what one setting is chosen for.
GOALS = (0.01, 0.001, 0.0001)
_NONE = 1e-7  # a refused share that counts as none
ON_DEMAND = "on-demand mode"


@dataclass(frozen=True)
class Point:
    """One policy on the second half of a load."""

    name: str
    throttled: float
    usd: float  # shards, closed ones at the rate, and what is put in
    usd_shards: float
    lost: float
    closed: int
    changes: int
    relief_minutes: float
    open_shards: NDArray[np.float32]
    over_optimum: float  # its bill over that of the clairvoyant at the same refused share
    shards_over_optimum: float  # likewise, without what is put in

    def beats(self, other: Point) -> bool:
        """Neither more expensive nor throttled more."""
        return self.usd <= other.usd * (1 + 1e-9) and self.throttled <= other.throttled + _NONE

    def beats_clearly(self, other: Point) -> bool:
        """Cheaper and throttled less, or the one and as good in the other."""
        return self.beats(other) and not other.beats(self)


@dataclass(frozen=True)
class Judged:
    """All of them on one load, at one rate for closed shards."""

    load: Trace
    closed_rate: float
    ours: tuple[Point, ...]
    others: tuple[Point, ...]
    choices: tuple[str, ...]  # for each goal, what the first half says is the cheapest for it
    own: str  # likewise for the first goal, on-demand mode left out
    best: Optimum
    sudden: float  # the part of the load that no reaction can be in time for

    def answer(self, other: Point) -> Point | None:
        """Our setting that beats another's: that which is throttled least."""
        better = [one for one in self.ours if one.beats(other)]
        return min(better, key=lambda one: (one.throttled, one.usd), default=None)

    @property
    def held(self) -> list[Point]:
        """The others that one of ours beats."""
        return [one for one in self.others if self.answer(one) is not None]

    def choice(self, goal: int) -> Point:
        """What was chosen for a goal on the first half, on the second."""
        every = {one.name: one for one in (*self.others, *self.ours)}
        return every[self.choices[goal]]

    @property
    def own_choice(self) -> Point:
        """Our own choice for the first goal, on-demand mode left out."""
        return next(one for one in self.ours if one.name == self.own)

    def better(self, point: Point) -> list[Point]:
        """The others that are clearly better than one of ours."""
        return [one for one in self.others if one.beats_clearly(point)]

    def nearest_optimum(self) -> Point:
        """Ours with the least bill over the optimum's, of those that refuse under 5 %."""
        few = [one for one in self.ours if one.throttled <= 0.05] or list(self.ours)
        return min(few, key=lambda one: one.over_optimum)


def judge(load: Trace, rates: Iterable[float] = (0.0, 1.0)) -> list[Judged]:
    """The load's second half, with each rate for closed shards."""
    middle = len(load) // 2
    learnt_from = min(middle - _WARM, _LEARNT_DAYS * 1440)
    minutes = min(middle - _WARM, _JUDGED_DAYS * 1440)
    before = load.part(middle - learnt_from - _WARM, middle)
    after = load.part(middle - _WARM, middle + minutes)
    judged = after.part(_WARM, len(after))
    tried = {one.name: one for one in candidates(load.part(0, middle), CONDITIONS, PEAK)}
    learnt = simulate(before, tried.values(), CONDITIONS)
    theirs = simulate(before, peers(PEAK), CONDITIONS)
    highest = float(load.part(0, middle).shards().max())
    managed = on_demand(before.part(_WARM, len(before)), CONDITIONS, highest)
    worst = max(one.throttled for one in theirs) * 1.2 + 0.002
    fronts = {rate: _front(learnt, worst, rate) for rate in rates}
    choices = {
        rate: tuple(_cheapest([*learnt, managed], goal, rate) for goal in GOALS) for rate in rates
    }
    own = {rate: _cheapest(learnt, GOALS[0], rate) for rate in rates}
    chosen = {rate: {*fronts[rate], *choices[rate], own[rate]} - {ON_DEMAND} for rate in rates}
    wanted = {name for names in chosen.values() for name in names}
    outcomes = {name: simulate(after, [tried[name]], CONDITIONS)[0] for name in sorted(wanted)}
    others = simulate(after, peers(PEAK), CONDITIONS)
    others.append(on_demand(judged, CONDITIONS, highest))
    found = []
    for rate in rates:
        prices = Prices().with_closed_shards_at(rate)
        best = clairvoyant(
            judged, replace(CONDITIONS, situation=replace(_SITUATION, prices=prices))
        )
        found.append(
            Judged(
                judged,
                rate,
                tuple(_point(outcomes[name], prices, best) for name in sorted(chosen[rate])),
                tuple(_point(one, prices, best) for one in others),
                choices[rate],
                own[rate],
                best,
                sudden(judged),
            )
        )
    return found


def _front(learnt: list[Outcome], worst: float, rate: float) -> list[str]:
    """Those that none of the others beats clearly, where any peer comes near."""
    prices = Prices().with_closed_shards_at(rate)
    points = [(one.name, one.throttled, one.usd(prices)) for one in learnt]
    return [
        name
        for name, throttled, usd in points
        if name == f"fixed at {PEAK}"  # known to be enough, as the one that is static
        or (
            throttled <= worst
            and not any(
                usd2 <= usd * _CHEAPER and throttled2 <= throttled * _SAFER + _NONE
                for _, throttled2, usd2 in points
            )
        )
    ]


def _cheapest(learnt: list[Outcome], goal: float, rate: float) -> str:
    """What would have kept to a goal on the first half at the lowest bill."""
    prices = Prices().with_closed_shards_at(rate)
    keep = [one for one in learnt if _worst_part(one) <= goal]
    if not keep:
        return min(learnt, key=_worst_part).name
    return min(keep, key=lambda one: one.usd(prices)).name


def _worst_part(outcome: Outcome) -> float:
    """The refused share of the part of the time in which it was the highest."""
    parts = zip(
        np.array_split(outcome.refused_new, _PARTS),
        np.array_split(outcome.demand, _PARTS),
        strict=True,
    )
    return max(float(refused.sum() / max(asked.sum(), 1e-9)) for refused, asked in parts)


def _point(outcome: Outcome, prices: Prices, best: Optimum) -> Point:
    shards = prices.shard_hours(best.shard_hours_at(outcome.throttled))
    payload = prices.payload(outcome.trace.records, outcome.trace.record_bytes)
    usd = outcome.usd(prices)
    return Point(
        outcome.name,
        outcome.throttled,
        usd,
        outcome.usd_shards(prices),
        outcome.lost_share,
        outcome.closed,
        len(outcome.changes),
        outcome.relief_minutes,
        outcome.open_shards.astype(np.float32),
        usd / (shards + payload),
        outcome.usd_shards(prices) / shards,
    )


def sudden(load: Trace, reaction: int = 4, memory: int = 30) -> float:
    """The part of a load above all that was seen in the half hour before the last four minutes.

    Whoever reacts in four minutes, and keeps for half an hour what was needed, refuses that much.
    """
    asked = load.shards()
    if len(asked) <= reaction + memory:
        return 0.0
    seen = np.lib.stride_tricks.sliding_window_view(asked, memory).max(axis=1)
    seen = np.ceil(seen[: len(asked) - reaction - memory])
    over = np.maximum(asked[reaction + memory :] - seen, 0.0)
    return float(over.sum() / asked.sum())

"""Which way to run a stream, and how sure that is: chosen on one half of its past, judged on the
other. Pure but for NumPy.

Of what would have met the goal on the first half, and on nearly all of the halves that are drawn
from its days, the cheapest is chosen. Then it has to meet the goal on the second half, which had no
part in the choice, and on what is drawn from that. If it fails there, both halves choose, and
nothing is left to judge by: which is said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from clew.scaling.model import ScalingError
from clew.scaling.simulation.recommend_goal import usd_a_month
from clew.scaling.simulation.recommend_judge import WANTED, Judge
from clew.scaling.simulation.recommend_settings import KINDS, choices
from clew.scaling.words import duration

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clew.scaling.simulation.recommend_goal import Judged, Objective, Tried
    from clew.scaling.simulation.recommend_settings import Choice
    from clew.scaling.simulation.simulate import Conditions
    from clew.scaling.simulation.trace import Trace

#: What is simpler may cost so much more.
_SIMPLER = 1.03
#: How many of each kind are looked at closely, from the cheapest on.
_CLOSELY = 4
_DRAWN = 24
_LEAST_MINUTES = 240


@dataclass(frozen=True)
class Recommendation:
    """What to do, and what is known of it."""

    objective: Objective
    trace: Trace
    conditions: Conditions
    chosen: Judged
    runner_up: Judged | None  # the best of another kind, or the next of the same
    meets: bool  # whether the choice met the goal on both halves
    independent: bool  # whether the second half had no part in the choice
    tried: int
    able: int  # of them met the goal on the half or halves that chose
    best_of_kind: dict[str, Judged]  # those above, and else the nearest to the goal
    failed: Judged | None = None  # what was chosen on the first half, and failed on the second
    #: A rate of closed shards at which another kind would be cheaper, what, and its price.
    otherwise: tuple[float, Choice, float] | None = None


@dataclass(frozen=True, slots=True)
class _Able:
    """What meets the goal on the halves that choose; ``tried`` is it on the first."""

    tried: Tried
    usd_month: float

    @property
    def kind(self) -> str:
        return self.tried.choice.kind


def recommend(
    trace: Trace,
    conditions: Conditions,
    objective: Objective,
    *,
    seed: int = 7,
    drawn: int = _DRAWN,
    done: Callable[[str], None] = lambda _: None,
) -> Recommendation:
    """The cheapest way to meet the goal, or the nearest to it.

    Raises:
        ScalingError: There is too little history.
    """
    if len(trace) < _LEAST_MINUTES:
        raise ScalingError(
            f"{trace.name or 'The trace'} has {duration(60 * len(trace))} of load, which is too"
            " little to choose on one half and judge on the other: give four hours at least,"
            " better two weeks."
        )
    # Each starts as the load asks, not as the stream happens to be today.
    conditions = replace(conditions, start_shards=None)
    judge = Judge(trace, conditions, objective, seed=seed, drawn=drawn, done=done)
    pool = judge.run(choices(judge.first, conditions, trace.name))
    able = [_Able(one, one.usd_month) for one in pool if objective.met(one.outcome)]
    best, runner = _best(able, judge.chance)
    failed = None
    if best is not None:
        chosen = judge.judged(best.tried)
        if objective.met(chosen.second):
            return _told(
                judge, trace, pool, able=able, chosen=chosen, runner=runner, independent=True
            )
        failed = chosen
    return _by_both(judge, trace, pool, failed)


def _by_both(
    judge: Judge, trace: Trace, pool: list[Tried], failed: Judged | None
) -> Recommendation:
    """What meets the goal on both halves; if nothing does, what comes nearest."""
    objective = judge.objective
    known = {one.choice.name for one in pool if one.choice.kind != "on-demand"}
    pool = [one for one in pool if one.choice.name in known]
    of_all = choices(trace, judge.conditions, trace.name)
    pool += judge.run([one for one in of_all if one.name not in known])
    seconds = judge.run([one.choice for one in pool], second=True)
    pairs = list(zip(pool, seconds, strict=True))
    able = [
        _Able(first, (first.usd_month + second.usd_month) / 2)
        for first, second in pairs
        if objective.met(first.outcome) and objective.met(second.outcome)
    ]
    best, runner = _best(able, lambda choice: _least_chance(judge, choice))
    if best is not None:
        chosen = judge.judged(best.tried)
        return _told(
            judge,
            trace,
            pool,
            able=able,
            chosen=chosen,
            runner=runner,
            independent=False,
            failed=failed,
        )
    nearest = min(
        pairs,
        key=lambda pair: (
            round(max(objective.short(one.outcome) for one in pair), 6),
            pair[0].usd_month,
        ),
    )
    chosen = judge.judged(nearest[0])
    return _told(
        judge,
        trace,
        pool,
        able=[],
        chosen=chosen,
        runner=None,
        independent=False,
        meets=False,
        failed=failed,
    )


def _least_chance(judge: Judge, choice: Choice) -> float:
    first = judge.chance(choice)
    return first if first < WANTED else min(first, judge.chance(choice, second=True))


def _best(
    able: Sequence[_Able], chance: Callable[[Choice], float]
) -> tuple[_Able | None, _Able | None]:
    """The one to take and the next: the best of another kind, if there is any.

    From the cheapest on, until one of a second kind is found: what is dearer need not be run.
    """
    order = sorted(able, key=lambda one: (one.usd_month, KINDS.index(one.kind)))
    sure: list[_Able] = []
    unsure: list[tuple[float, _Able]] = []
    looked = dict.fromkeys(KINDS, 0)
    for one in order:
        if looked[one.kind] >= _CLOSELY or any(one.kind == found.kind for found in sure):
            continue
        if len(sure) > 1:
            break
        looked[one.kind] += 1
        met = chance(one.tried.choice)
        if met >= WANTED:
            sure.append(one)
        else:
            unsure.append((met, one))
    if sure:
        bound = sure[0].usd_month * _SIMPLER
        near = [one for one in sure if one.usd_month <= bound]
        best = min(near, key=lambda one: KINDS.index(one.kind))
        rest = [one for one in sure if one is not best]
        rest += [one for _, one in unsure if one.kind != best.kind]
    elif unsure:
        unsure.sort(key=lambda pair: (-pair[0], pair[1].usd_month))
        best = unsure[0][1]
        rest = [one for _, one in unsure if one.kind != best.kind]
    else:
        return None, None
    rest += [one for one in order if one is not best and one not in rest]
    return best, next(iter(rest), None)


def _told(
    judge: Judge,
    trace: Trace,
    pool: list[Tried],
    *,
    able: list[_Able],
    chosen: Judged,
    runner: _Able | None,
    independent: bool,
    meets: bool = True,
    failed: Judged | None = None,
) -> Recommendation:
    second = None if runner is None else judge.judged(runner.tried)
    kinds = {one.choice.kind: one for one in (second, chosen) if one is not None}
    for kind in KINDS:
        of_kind = [one for one in pool if one.choice.kind == kind]
        if kind not in kinds and of_kind:
            nearest = min(
                of_kind, key=lambda one: (judge.objective.short(one.outcome), one.usd_month)
            )
            kinds[kind] = judge.judged(nearest, closely=False)
    return Recommendation(
        judge.objective, trace, judge.conditions, chosen, second, meets, independent,
        len(pool), len(able), kinds, failed, _otherwise(judge, able, chosen),
    )  # fmt: skip


def _otherwise(
    judge: Judge, able: list[_Able], chosen: Judged
) -> tuple[float, Choice, float] | None:
    """Whether another kind would be clearly cheaper if closed shards were billed otherwise."""
    prices = judge.conditions.situation.prices
    rate = 1.0 if prices.closed_shard_rate < 0.5 else 0.0
    there = prices.with_closed_shards_at(rate)
    priced = [(usd_a_month(one.tried.outcome, there), one.tried.choice) for one in able]
    mine = usd_a_month(chosen.first, there)
    other = min((one for one in priced if one[1].kind != chosen.choice.kind),
                key=lambda one: one[0], default=None)  # fmt: skip
    if other is None or other[0] * _SIMPLER >= mine:
        return None
    return rate, other[1], other[0]

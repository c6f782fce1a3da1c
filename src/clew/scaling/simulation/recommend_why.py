"""How sure a recommendation is, why not surer, and what stands in the way of the goal. Pure."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from clew.scaling.simulation.report import part
from clew.scaling.words import count, duration, usd

if TYPE_CHECKING:
    from clew.scaling.simulation.history import History
    from clew.scaling.simulation.outcome import Outcome
    from clew.scaling.simulation.recommend import Recommendation
    from clew.scaling.simulation.recommend_goal import Judged
    from clew.scaling.simulation.report import Line
    from clew.scaling.simulation.trace import Trace

#: The lower ends of the interval from which on it is called so.
_QUITE, _FAIRLY = 0.85, 0.7
_WEEK_DAYS = 7
_DIFFERENT = 1.2


def confidence(of: Recommendation) -> str:
    """``quite sure``, ``fairly sure``, ``not sure`` or ``no``: nothing meets the goal."""
    if not of.meets:
        return "no"
    low = of.chosen.interval[0]
    days = of.trace.days / 2
    if of.independent and low >= _QUITE and days >= 5:
        return "quite sure"
    if of.independent and low >= _FAIRLY and days >= 2:
        return "fairly sure"
    return "not sure"


def how_sure(of: Recommendation) -> str:
    """That in a sentence, with what it rests on."""
    one = of.chosen
    if not of.meets:
        return "No setting that was tried meets the goal on both halves of this history."
    low, high = one.interval
    drawn = (
        f", and in {one.met} of {one.of} that were drawn from its days (so between {low:.0%} and"
        f" {high:.0%} of such times, nine times in ten)"
        if one.of > 1
        else ""
    )
    word = confidence(of).capitalize()
    if of.independent:
        return (
            f"{word}: chosen on the first half, it met the goal on the second, which had no part"
            f" in the choice{drawn}."
        )
    said = f"{word}: "
    if of.failed is not None:
        second = of.failed.second
        said += (
            f"what was chosen on the first half ({of.failed.choice.name}) failed on the second"
            f" ({_did(second)}). "
        )
    else:
        said += "nothing met the goal on the first half alone. "
    return (
        f"{said}This one met it on both{drawn}; but both had their part in the choice, so nothing"
        " independent is left to judge it by."
    )


def billing(of: Recommendation, mine: Line, runner_up: Line | None) -> list[str]:
    """What would be cheaper if closed shards were billed otherwise than is assumed."""
    if of.otherwise is None:
        return []
    rate, choice, price = of.otherwise
    if runner_up is not None and of.runner_up is not None and of.runner_up.choice is choice:
        price = runner_up.usd_month_closed if rate else runner_up.usd_month_open
    costs = mine.usd_month_closed if rate else mine.usd_month_open
    how = "bills" if rate else "does not bill"
    return [
        f"If AWS {how} closed shards until their records expire, which its pages do not say, this"
        f" costs {usd(costs)} a month, and {choice.name} would be cheaper, at {usd(price)}: see"
        f" your bill before you decide, and say it with --closed-rate {rate:g}."
    ]


def doubts(of: Recommendation, history: History) -> list[str]:
    """Why it is not surer, the weightiest first."""
    first, second = of.trace.halves()
    limits = of.conditions.situation.limits
    one, two = first.shards(limits), second.shards(limits)
    found = []
    days = of.trace.days / 2
    if days < _WEEK_DAYS:
        few = "" if of.chosen.of > 1 else ", and there are too few days to draw others from"
        found.append(
            f"Each half has {_days(days)}: of what a whole week does, little or nothing is"
            f" known{few}."
        )
    if two.mean() > _DIFFERENT * one.mean() or one.mean() > _DIFFERENT * two.mean():
        found.append(
            f"The load changes: {one.mean():.2g} shards' worth on average in the first half,"
            f" {two.mean():.2g} in the second."
        )
    if two.max() > _DIFFERENT * one.max():
        found.append(
            f"The second half has a higher peak ({two.max():.1f} shards' worth) than the first"
            f" ({one.max():.1f}): there may be higher ones still."
        )
    found += _about_choice(of, two)
    if history.step_s > 60:
        found.append(
            f"The history is of steps of {duration(history.step_s)}, and the minutes inside are"
            " made up: real ones have bursts that it has not. Give CloudWatch's sums of minutes."
        )
    if history.refused:
        found.append(
            "Records were refused in it, and how often each was tried is not known: the demand is"
            " rather too high."
        )
    return found


def _about_choice(
    of: Recommendation, second_load: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> list[str]:
    found = []
    chosen, kind = of.chosen, of.chosen.choice.kind
    shards = chosen.second.open_shards
    fullest = float((second_load / np.maximum(shards, 1)).max())
    if of.meets and 0.9 < fullest <= 1:
        found.append(
            f"Its fullest minute would have been {fullest:.0%} full, and a minute's sum hides what"
            " happens within its seconds: a burst of seconds would be refused."
        )
    if of.meets and kind == "policy":
        timing = of.conditions.situation.timing
        slow = replace(
            timing, operation_s=2 * timing.operation_s, update_least_s=2 * timing.update_least_s
        )
        situation = replace(of.conditions.situation, timing=slow)
        outcome = chosen.choice.run(second_half(of), replace(of.conditions, situation=situation))
        if not of.objective.met(outcome):
            found.append(
                f"It rests on splits and merges that take {duration(timing.operation_s)}, for"
                f" which AWS gives no number; at {duration(slow.operation_s)} it would have"
                f" missed the goal ({_did(outcome)})."
            )
    if kind == "on-demand":
        found.append(
            "On-demand mode is taken to have room for twice the peak of the first half when the"
            " second begins; just switched on, it may have less."
        )
    return found


def second_half(of: Recommendation) -> Trace:
    """What it was judged on."""
    return of.trace.halves()[1]


def obstacles(of: Recommendation) -> list[str]:
    """What stands in the way of the goal: for everything, or for all that follows the load."""
    limits = of.conditions.situation.limits
    load = of.trace.shards(limits)
    found = []
    if of.trace.hot_key is not None:
        of_key = of.trace.hot_key * load
        if of_key.max() > 1:
            minutes = int((of_key > 1).sum())
            found.append(
                f"One partition key alone needs up to {of_key.max():.1f} shards' worth, above what"
                f" a shard takes in {count(minutes, 'minute')}: no number of shards and no mode"
                " helps. Spread it over several keys where it is written."
            )
    most = of.conditions.max_shards
    if load.max() > most:
        needed = count(ceil(load.max() - 1e-9), "shard")
        found.append(
            f"A number of shards will not do: the fullest minute needs {needed}, and --max allows"
            f" {most}."
            if of.meets
            else f"The fullest minute needs {needed}, and at most {most} are allowed: raise --max,"
            " or bear with a higher --throttle."
        )
    policy = of.best_of_kind.get("policy")
    if policy is not None and not found:
        found += _too_late(of, policy)
    return found


def _too_late(of: Recommendation, policy: Judged) -> list[str]:
    """Why nothing that follows the load meets the goal, if that is so."""
    missed = [one for one in (policy.first, policy.second) if not of.objective.met(one)]
    if not missed:
        return []
    given = of.conditions
    half = of.trace.halves()[0 if missed[0] is policy.first else 1]
    load = half.shards(given.situation.limits)
    after = 2 + ceil((given.metric_lag_s + given.alarm_delay_s) / 60)
    rise = float((load[after:] - load[:-after]).max(initial=0.0))
    said = (
        f"No settings that follow the load meet it; the nearest, {policy.choice.name},"
        f" {_did(missed[0])}. What comes in a minute is known {duration(given.metric_lag_s)} after"
        f" its end, an alarm acts {duration(given.alarm_delay_s)} later, and a split takes"
        f" {duration(given.situation.timing.operation_s)}; the load rises by up to"
        f" {rise:.1f} shards' worth in {after} minutes."
    )
    at_once = replace(given, metric_lag_s=0, alarm_delay_s=0)
    outcome = policy.choice.run(half, at_once)
    if of.objective.met(outcome):
        said += " If metrics and alarms came at once, it would have met it."
    else:
        said += f" Even if metrics and alarms came at once, it would have {_did(outcome)}."
    return [said]


def _did(outcome: Outcome) -> str:
    said = f"refused {part(outcome.throttled)} in {count(outcome.throttled_minutes, 'minute')}"
    if outcome.waited_minutes:
        said += f", with {duration(60 * outcome.waited_minutes)} until all was in"
    return said


def _days(days: float) -> str:
    return count(round(days), "day") if days >= 1.5 else duration(days * 86_400)

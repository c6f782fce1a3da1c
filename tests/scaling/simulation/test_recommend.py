"""Recommendations that can be worked out by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from io import StringIO
from typing import TYPE_CHECKING

import numpy as np
import pytest
from rich.console import Console

from clew.scaling import ScalingError
from clew.scaling.simulation import Conditions, Trace
from clew.scaling.simulation.history import History
from clew.scaling.simulation.recommend import Recommendation, recommend
from clew.scaling.simulation.recommend_goal import Objective, wilson
from clew.scaling.simulation.recommend_judge import draws
from clew.scaling.simulation.recommend_settings import today_of
from clew.scaling.simulation.recommend_text import Advice, advice, advice_json, print_advice
from clew.scaling.simulation.recommend_why import confidence, doubts, obstacles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Series = NDArray[np.float64]

MIB = 1_048_576
DAY = 1440
GOAL = Objective(0.0001, 60)


def trace_of(load: Series, record_bytes: int = 2048, name: str = "orders") -> Trace:
    """So many shards' worth in each minute, by bytes: records of 2 KiB fill no shard by number."""
    size = load * MIB
    return Trace(size, size / record_bytes, start_s=1767225600.0, name=name)


def of(trace: Trace, goal: Objective = GOAL, **conditions: int) -> Recommendation:
    given = replace(Conditions(max_shards=40), **conditions)  # type: ignore[arg-type]
    return recommend(trace, given, goal, drawn=4)


def told(found: Recommendation, today: str = "") -> Advice:
    history = History(found.trace, "orders.csv")
    now = today_of(today, found.trace, found.conditions) if today else None
    return advice(found, history, now)


@cache
def constant(load: float = 2.5) -> Recommendation:
    return of(trace_of(np.full(4 * DAY, load)))


@cache
def bursts() -> Recommendation:
    """Next to nothing, but for ten minutes of 30 shards' worth, twice a day."""
    load = np.full(4 * DAY, 0.001)
    for minute in range(300, len(load), DAY // 2):
        load[minute : minute + 10] = 30.0
    return of(trace_of(load, 100 * 1024))


def test_constant_load_is_best_held_by_a_fixed_number_of_shards() -> None:
    found = constant()
    assert found.chosen.choice.kind == "static"
    assert found.chosen.choice.settings.desired == 3  # 2.5 shards' worth
    assert found.meets
    assert found.independent
    records = 2.5 * MIB / 2048 * 3600 * 730
    price = 3 * 730 * 0.015 + records / 1e6 * 0.014
    assert found.chosen.usd_month == pytest.approx(price)
    assert (found.chosen.met, found.chosen.of) == (1, 1)
    assert told(found).said[0] == f"Take 3 shards, always: ${price:.2f} a month."


def test_tiny_load_takes_one_shard_since_a_stream_on_demand_costs_more_by_the_hour() -> None:
    found = of(trace_of(np.full(2 * DAY, 0.0001)))
    assert found.chosen.choice.settings.desired == 1
    assert 730 * 0.015 < found.chosen.usd_month < 730 * 0.04


def test_rare_bursts_that_nothing_can_follow_are_cheapest_on_demand() -> None:
    found = bursts()
    assert found.chosen.choice.kind == "on-demand"
    assert found.meets
    # Twenty minutes of 30 MiB/s a day are 35.2 GB, in at $0.08 and once out at $0.04.
    gb = (20 * 60 * 30 + 86_400 * 0.001) / 1024 * 730 / 24
    price = told(found).report.lines[0].usd_month
    assert price == pytest.approx(0.04 * 730 + 0.12 * gb, rel=1e-3)
    runner = found.runner_up
    assert runner is not None
    assert runner.choice.settings.desired == 30
    assert runner.usd_month == pytest.approx(30 * 730 * 0.015, rel=0.02)
    assert "mode: on-demand" in told(found).snippet
    assert any("just switched on, it may have less" in one for one in doubts_of(found))


def test_it_is_said_why_nothing_that_follows_the_load_will_do() -> None:
    [said] = obstacles(bursts())
    assert said.startswith("No settings that follow the load meet it; the nearest, hold ")
    assert "known 60 s after its end, an alarm acts 30 s later, and a split takes 30 s" in said
    assert "rises by up to 30.0 shards' worth in 4 minutes" in said
    assert "Even if metrics and alarms came at once, it would have refused" in said


def doubts_of(found: Recommendation) -> list[str]:
    return doubts(found, History(found.trace, "orders.csv"))


def test_a_load_that_comes_slowly_is_followed() -> None:
    # From 1 to 9 shards' worth and back, over each day.
    load = 5 - 4 * np.cos(np.arange(4 * DAY) * 2 * np.pi / DAY)
    found = of(trace_of(load))
    assert found.chosen.choice.kind == "policy"
    assert found.meets
    assert found.runner_up is not None
    assert found.runner_up.choice.kind == "static"
    assert found.chosen.usd_month < 0.9 * found.runner_up.usd_month
    # If closed shards are billed, following a load that falls each day does not pay.
    assert found.otherwise is not None
    rate, other, _ = found.otherwise
    assert (rate, other.kind) == (1.0, "static")
    given = told(found)
    [said] = [one for one in given.said if "say it with --closed-rate 1" in one]
    assert said.startswith("If AWS bills closed shards until their records expire, which its pages")
    assert f"this costs ${given.report.lines[0].usd_month_closed:,.0f} a month" in said
    assert not any("--closed-rate" in one for one in told(constant()).said)


def test_a_hot_key_is_beyond_any_setting() -> None:
    trace = replace(trace_of(np.full(DAY // 3, 4.0)), hot_key=np.full(DAY // 3, 0.5))
    found = of(trace)
    assert not found.meets
    assert confidence(found) == "no"
    assert "One partition key alone needs up to 2.0 shards' worth" in obstacles(found)[0]
    assert "above what a shard takes in 480 minutes" in obstacles(found)[0]
    given = told(found)
    assert given.said[0].startswith("Nothing meets the goal; the nearest is ")
    assert "which it does not meet" in given.snippet.replace("\n  # ", " ")


def test_too_few_shards_allowed() -> None:
    load = np.full(DAY // 3, 2.0)
    load[::120] = 9.0  # of which one key has too much for on-demand mode, too
    trace = replace(trace_of(load), hot_key=np.full(DAY // 3, 0.2))
    found = of(trace, max_shards=5)
    assert not found.meets
    said = obstacles(found)
    assert "alone needs up to 1.8 shards' worth" in said[0]
    assert "The fullest minute needs 9 shards, and at most 5 are allowed: raise --max" in said[1]


def test_on_demand_mode_where_the_shards_that_are_allowed_will_not_do() -> None:
    load = np.full(DAY // 3, 0.5)
    load[::60] = 5.0
    found = of(trace_of(load), max_shards=3)
    assert found.chosen.choice.kind == "on-demand"
    assert obstacles(found) == [
        "A number of shards will not do: the fullest minute needs 5 shards, and --max allows 3."
    ]


def test_what_fails_on_the_other_half_is_not_recommended() -> None:
    load = np.full(DAY, 2.5)
    load[3 * DAY // 4 :] = 7.5
    found = of(trace_of(load))
    assert found.failed is not None
    assert found.failed.choice.settings.desired == 3
    assert found.meets
    assert not found.independent
    assert not any(outcome.throttled for outcome in (found.chosen.first, found.chosen.second))
    assert confidence(found) == "not sure"
    given = told(found)
    said = " ".join(given.said)
    assert "3 shards, always) failed on the second (refused" in said
    assert "nothing independent is left to judge it by" in said
    assert "The load changes: 2.5 shards' worth on average in the first half, 5 in" in " ".join(
        given.why_not_surer
    )


def test_how_sure_it_is_grows_with_the_history() -> None:
    assert confidence(constant()) == "not sure"  # two days that met it may be luck
    many = replace(constant().chosen, met=24, of=24)
    assert confidence(replace(constant(), chosen=many)) == "fairly sure"
    long = trace_of(np.full(14 * DAY, 2.5))
    assert confidence(replace(constant(), chosen=many, trace=long)) == "quite sure"
    assert "of what a whole week does, little or nothing is known" in doubts_of(constant())[0]


def test_a_full_shard_and_minutes_that_are_made_up_are_doubted() -> None:
    found = of(trace_of(np.full(2 * DAY, 2.95)))
    said = " ".join(doubts(found, History(found.trace, "x.csv", step_s=300, refused=5)))
    assert "Its fullest minute would have been 98% full" in said
    assert "steps of 5 min, and the minutes inside are made up" in said
    assert "Records were refused in it" in said


def test_what_runs_today_is_compared() -> None:
    given = told(constant(), today="10")
    assert given.today is not None
    # Seven shards more.
    assert given.today.usd_month - given.report.lines[0].usd_month == pytest.approx(7 * 730 * 0.015)
    assert "Today's (10 shards, always) costs" in given.said[-1]
    assert "$76.65 more, and it meets the goal" in given.said[-1]
    assert "does not meet" in told(constant(), today="2").said[-1]


def test_the_same_seed_says_the_same() -> None:
    random = np.random.default_rng(3)
    load = np.clip(random.gamma(2.0, 0.6, 2 * DAY), 0, 6)
    first, again = (json.dumps(advice_json(told(of(trace_of(load))))) for _ in range(2))
    assert first == again
    assert json.loads(first)["goal"] == {"refused": 0.0001, "catch_up_s": 60}


def test_what_is_to_be_pasted_is_not_folded() -> None:
    out = StringIO()
    given = told(constant())
    print_advice(given, Console(file=out, width=50, highlight=False))
    assert given.snippet in out.getvalue()
    assert max(map(len, given.snippet.splitlines())) < 100


def test_too_little_history() -> None:
    with pytest.raises(ScalingError, match="orders has 2 h of load, which is too little"):
        of(trace_of(np.full(120, 1.0)))


def test_the_goal_is_met_up_to_its_numbers() -> None:
    outcome = constant().chosen.second
    total = float(outcome.demand.sum())
    refused = np.zeros(len(outcome.refused_new))
    refused[5] = 0.0001 * total
    at_it = replace(outcome, refused_new=refused, waited_minutes=1)
    assert GOAL.met(at_it)
    assert GOAL.short(at_it) == pytest.approx(1)
    assert not GOAL.met(replace(at_it, refused_new=refused * 1.01))
    assert not GOAL.met(replace(at_it, waited_minutes=2))
    assert GOAL.short(replace(at_it, waited_minutes=2)) == pytest.approx(2)
    assert not GOAL.met(replace(at_it, lost=0.1))
    assert str(GOAL) == "at most 0.01 % refused, and never more than 60 s until all is in"
    assert str(Objective(0, 60)) == "nothing refused"


def test_wilsons_interval() -> None:
    # 24 of 24, as n / (n + z^2); and half of 100, from tables.
    low, high = wilson(24, 24)
    assert low == pytest.approx(24 / (24 + 1.645**2))
    assert high == 1.0
    assert wilson(50, 100) == pytest.approx((0.419, 0.581), abs=1e-3)
    assert wilson(0, 0) == (0.0, 1.0)


def test_days_are_drawn_whole_and_joined_at_the_quietest_hour() -> None:
    # Each day is one number high, but for the hour from five to six, when all are quiet.
    load = np.repeat(np.arange(1.0, 6.0), DAY)
    hour = np.arange(5 * DAY) // 60 % 24
    load[hour == 5] = 0.25
    found = draws(trace_of(load), 7, 6)
    assert len(found) == 6
    for one in found:
        shards = one.shards()
        assert len(shards) == 4 * DAY  # what is before the first five o'clock is in none
        edges = shards.reshape(4, DAY)
        assert (edges[:, :60] == 0.25).all()
        # Of each block: 18 hours of one day, five of the next.
        for day in edges:
            assert len(set(day[60 : 19 * 60].tolist())) == 1
            assert day[-1] == day[60] + 1
    again = draws(trace_of(load), 7, 6)
    assert all((a.bytes_per_s == b.bytes_per_s).all() for a, b in zip(found, again, strict=True))
    assert any((a.bytes_per_s != found[0].bytes_per_s).any() for a in found)

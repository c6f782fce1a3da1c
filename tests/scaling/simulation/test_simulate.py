"""Traces that can be worked out by hand, and what holds for all of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clew.scaling import Situation
from clew.scaling.policy import Fixed, ScaleDown, SimpleRule, TargetTracking
from clew.scaling.seen import Alarm, Seen, Wish
from clew.scaling.simulation import Conditions, Contender, Outcome, Trace, simulate
from clew.scaling.simulation.optimum import clairvoyant
from clew.scaling.simulation.peers import on_demand, peers
from clew.scaling.timetable import Scheduled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.scaling.policy import Rule


@dataclass(frozen=True)
class Once:
    """Asks for one number when its alarm is on, and notes what it was shown."""

    wanted: int
    noted: list[Seen]
    alarms: tuple[Alarm, ...] = (Alarm("full", "utilisation", 0.9),)
    every_s: int = 0

    def wish(self, seen: Seen) -> Wish:
        self.noted.append(replace(seen, written=seen.written.copy()))
        if seen.shards > self.wanted:
            return Wish(at_most=self.wanted)
        return Wish(self.wanted, why=("it is full",))

    def explain(self) -> str:
        return "Once."


def run(trace: Trace, rule: Rule, method: str = "update", **given: object) -> Outcome:
    conditions = Conditions(max_shards=50, **given)  # type: ignore[arg-type]
    return simulate(trace, [Contender("it", rule, method)], conditions)[0]


def made(shards: Sequence[float], hot_key: Sequence[float] | None = None) -> Trace:
    load = np.asarray(shards, dtype=np.float64)
    hot = None if hot_key is None else np.asarray(hot_key, dtype=np.float64)
    return Trace(load * 1_048_576, load * 900, hot_key=hot)


def test_a_step_is_answered_after_lag_delay_and_the_change() -> None:
    noted: list[Seen] = []
    outcome = run(made([0.5] * 5 + [2.0] * 15), Once(2, noted), start_shards=1)
    # Minute 5 is over at 6:00 and known at 7:00; the alarm acts at 7:30, UpdateShardCount takes
    # a minute, so that minute 9 is the first whole one with two shards.
    assert noted[0].at_s == 7 * 60
    assert list(noted[0].written) == [0.5] * 5 + [1.0]
    assert list(outcome.open_shards) == [1.0] * 9 + [2.0] * 11
    [change] = outcome.changes
    assert (change.minute, change.done_minute, change.before, change.after) == (7, 9, 1, 2)
    assert change.why == "it is full"
    assert outcome.update_calls == 1
    assert outcome.closed == 1
    assert outcome.shard_hours == pytest.approx((9 + 22) / 60)
    assert outcome.refused_new[5] == pytest.approx(1.0)
    # The backlog of the four minutes is what still fills the stream after the change.
    assert outcome.refused_new[9] > 0


def test_a_slower_metric_is_answered_later() -> None:
    trace = made([0.5] * 5 + [2.0] * 20)
    first = run(trace, Once(2, []), start_shards=1).changes[0].minute
    late = run(trace, Once(2, []), start_shards=1, metric_lag_s=180).changes[0].minute
    assert (first, late) == (7, 9)
    slow = run(trace, Once(2, []), start_shards=1, alarm_delay_s=150).changes[0]
    assert (slow.minute, slow.done_minute) == (7, 11)


def test_own_splits_come_one_after_the_other() -> None:
    trace = made([0.5] * 5 + [1.0] * 20)
    outcome = run(trace, Once(5, []), "split", start_shards=1)
    # Decided at 7:30, and one each 30 s: done at 8:00, 8:30, 9:00 and 9:30.
    assert list(outcome.open_shards[6:12]) == [1, 1, 2, 4, 5, 5]
    assert (outcome.operations, outcome.closed, outcome.update_calls) == (4, 4, 0)


def test_a_merge_closes_two() -> None:
    low = Alarm("low", "utilisation", 0.3, above=False)
    outcome = run(made([0.2] * 10), Once(1, [], (low,)), "split", start_shards=2)
    assert outcome.open_shards[-1] == 1
    assert outcome.closed == 2
    assert outcome.closed_shard_hours == 48


def test_what_is_under_way_at_the_end_is_not_counted() -> None:
    outcome = run(made([0.5] * 5 + [2.0] * 3), Once(2, []), start_shards=1)
    assert len(outcome.changes) == 1
    assert (outcome.update_calls, outcome.closed) == (0, 0)


def test_refusals_wake_an_alarm_of_their_own() -> None:
    trace = made([0.5] * 3 + [3.0] * 20)
    outcome = run(trace, TargetTracking(1.0, alarm_at=1.0, refused_counts=1 / 3), start_shards=1)
    assert outcome.open_shards.max() >= 3
    assert outcome.refused_new[-1] == 0


def test_a_schedule_holds_by_the_clock_of_the_trace() -> None:
    trace = replace(made([0.5] * 120), start_s=8 * 3600.0)
    outcome = run(trace, Scheduled("09:00", "09:30", 4) | ScaleDown(1.0, 600, 0, 1.0))
    assert outcome.open_shards[40] == 1  # 08:40
    assert outcome.open_shards[60] == 4  # 09:00
    assert outcome.open_shards[119] == 1


def test_a_warm_up_counts_for_nothing() -> None:
    trace = made([0.5] * 5 + [2.0] * 15 + [1.0] * 40)
    whole = run(trace, Once(2, []), start_shards=1)
    after = run(trace, Once(2, []), start_shards=1, warm_up_minutes=30)
    assert whole.throttled > 0
    assert after.throttled == 0
    assert (after.update_calls, after.closed, after.changes) == (0, 0, ())
    assert after.shard_hours == pytest.approx(1.0)
    assert len(after.trace) == 30


def test_bounds_hold_whatever_is_asked() -> None:
    trace = made([3.0] * 60)
    [outcome] = simulate(
        trace,
        [Contender("it", Once(40, []), "update", min_shards=2, max_shards=3)],
        Conditions(start_shards=1),
    )
    assert outcome.open_shards.min() == 2
    assert outcome.open_shards.max() == 3


def test_the_simple_rule_splits_one_shard_at_a_time() -> None:
    outcome = run(made([1.7] * 60), SimpleRule(0.8), "split", start_shards=2)
    assert {change.after - change.before for change in outcome.changes} == {1}
    assert outcome.open_shards[-1] == 3


def test_a_key_that_no_shard_holds_is_not_followed() -> None:
    trace = made([6.0] * 240, hot_key=[0.0] * 60 + [0.4] * 180)
    tracked = TargetTracking(0.75, 300, 0.9, refused_counts=1 / 3)
    seen, unseen = (
        simulate(
            trace,
            [Contender("it", tracked, target=0.75)],
            Conditions(
                max_shards=200, start_shards=8, samples=samples, situation=Situation(hold_h=2)
            ),
        )[0]
        for samples in (True, False)
    )
    # A sample shows the key: there are boundaries around it and not one shard more.
    assert seen.open_shards.max() == 10
    # The key asks for 2.4 shards and has one, for three of four hours.
    assert seen.throttled >= 0.75 * 1.4 / 6
    # Without a sample halving goes on towards the key, and its neighbours are refused meanwhile.
    assert 10 < unseen.open_shards.max() <= 24
    assert unseen.throttled > seen.throttled


small = st.lists(st.floats(0, 9), min_size=3, max_size=90)


def contenders() -> list[Contender]:
    return [
        Contender("tracked", TargetTracking(0.75, refused_counts=1 / 3) | ScaleDown(1.0, 600, 0)),
        Contender("fixed", Fixed(3), start_shards=3),
        *peers(9),
    ]


@settings(max_examples=25)
@given(small, st.floats(0, 0.6), st.integers(0, 360))
def test_what_was_sent_is_written_lost_or_waiting(
    loads: list[float], hot: float, give_up_s: int
) -> None:
    trace = made(loads, [hot] * len(loads))
    given = Conditions(max_shards=20, give_up_s=give_up_s)
    for outcome in [*simulate(trace, contenders(), given), on_demand(trace, given)]:
        sent = float(outcome.demand.sum())
        kept = float(outcome.accepted.sum()) + outcome.lost + outcome.waiting
        assert sent == pytest.approx(kept, abs=1e-6), outcome.name
        assert (outcome.accepted <= outcome.open_shards + 1e-9).all(), outcome.name
        assert outcome.lost <= float(outcome.refused_new.sum()) + 1e-9


@settings(max_examples=25)
@given(small, st.booleans(), st.sampled_from([0.0, 1.0]))
def test_no_policy_is_below_the_optimum(loads: list[float], hot: bool, rate: float) -> None:
    trace = made(loads, [0.3] * len(loads) if hot else None)
    given = Conditions(max_shards=20)
    prices = given.situation.prices.with_closed_shards_at(rate)
    given = replace(given, situation=replace(given.situation, prices=prices))
    best = clairvoyant(trace, given)
    for outcome in simulate(trace, contenders(), given):
        spent = outcome.shard_hours + rate * outcome.closed_shard_hours
        assert spent >= best.shard_hours_at(outcome.throttled) - 1e-6, outcome.name


@given(small)
def test_a_static_stream_at_the_peak_refuses_nothing(loads: list[float]) -> None:
    trace = made([*loads, 1.0])
    peak = int(np.ceil(trace.shards().max()))
    at_peak = Contender("static", Fixed(peak), start_shards=peak)
    outcome = simulate(trace, [at_peak], Conditions(max_shards=20))[0]
    assert outcome.throttled == 0
    assert outcome.lost == 0
    assert not outcome.changes
    assert outcome.shard_hours == pytest.approx(peak * len(trace) / 60)


@given(small)
def test_contenders_do_not_touch_each_other(loads: list[float]) -> None:
    trace, given = made(loads), Conditions(max_shards=20)
    together = simulate(trace, contenders(), given)
    for outcome, one in zip(together, contenders(), strict=True):
        assert outcome.shard_hours == simulate(trace, [one], given)[0].shard_hours

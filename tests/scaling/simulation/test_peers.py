"""What others do, as their documentation and code say it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clew.scaling import Limits, Situation
from clew.scaling.seen import Seen
from clew.scaling.simulation import Conditions, Contender, Trace, simulate
from clew.scaling.simulation.peers import (
    AppAutoScaling,
    Awslabs,
    AwsSample,
    Epsagon,
    OneLess,
    Substation,
    on_demand,
    peers,
)

NOW = 1_000_000.0


def seen(written: list[float], shards: int, alarm: str = "", **more: float) -> Seen:
    found = Seen(NOW, shards, written, [0.0] * len(written), alarm=alarm)
    return replace(found, **more)  # type: ignore[arg-type]


def trace(shards: list[float], **more: object) -> Trace:
    load = np.asarray(shards, dtype=np.float64)
    return Trace(load * 1_048_576, load * 900, **more)  # type: ignore[arg-type]


def test_awslabs_adds_one_when_five_of_fifteen_minutes_were_above_75_percent() -> None:
    rule = Awslabs()
    assert rule.wish(seen([3.1] * 5 + [1.1] * 10, 4)).at_least == 5
    assert rule.wish(seen([3.1] * 4 + [1.1] * 11, 4)).at_least == 0
    assert rule.wish(seen([3.0] * 15, 4)).at_least == 0  # 75 % is not above 75 %
    assert Awslabs(1.5).wish(seen([3.1] * 15, 4)).at_least == 10


def test_awslabs_takes_one_away_when_fifteen_minutes_were_below_25_percent() -> None:
    rule = Awslabs()
    assert rule.wish(seen([0.9] * 15, 4)).at_most == 3
    assert rule.wish(seen([1.0] + [0.9] * 14, 4)).at_most is None
    assert rule.wish(seen([0.1] * 15, 1)).at_most is None
    assert Awslabs(1.5).wish(seen([0.9] * 15, 10)).at_most == 8


def test_awslabs_cools_off() -> None:
    up, down = seen([3.5] * 15, 4), seen([0.5] * 15, 4)
    assert Awslabs().wish(replace(up, last_up_s=NOW - 899)).at_least == 0
    assert Awslabs().wish(replace(up, last_up_s=NOW - 900)).at_least == 5
    assert Awslabs().wish(replace(down, last_down_s=NOW - 3599)).at_most is None
    assert Awslabs().wish(replace(down, last_down_s=NOW - 3600)).at_most == 3


def test_the_aws_sample_doubles_and_halves_and_drifts() -> None:
    assert AwsSample().wish(seen([], 5, "up")).at_least == 10
    assert AwsSample().wish(seen([], 5, "down")).at_most == 2  # 5 -> 2 -> 4: a known defect
    assert AwsSample().wish(seen([], 1, "down")).at_most == 1


@pytest.mark.parametrize(
    ("shards", "up", "down"), [(4, 8, 2), (5, 8, 3), (12, 21, 7), (13, 19, 9), (33, 41, 27)]
)
def test_substation_takes_smaller_steps_when_it_is_larger(shards: int, up: int, down: int) -> None:
    assert Substation().wish(seen([], shards, "up")).at_least == up
    assert Substation().wish(seen([], shards, "down")).at_most == down


def test_substation_waits_3_minutes_up_and_30_down() -> None:
    rule = Substation()
    assert rule.wish(seen([], 4, "up", last_down_s=NOW - 179)).at_least == 0
    assert rule.wish(seen([], 4, "up", last_up_s=NOW - 180)).at_least == 8
    assert rule.wish(seen([], 4, "down", last_up_s=NOW - 1799)).at_most is None
    assert rule.wish(seen([], 4, "down", last_up_s=NOW - 1800)).at_most == 2


def test_epsagon_goes_down_to_twice_what_the_day_needed() -> None:
    rule = Epsagon()
    assert [rule.wish(seen([], n, "up")).at_least for n in (3, 4, 50, 51)] == [6, 6, 75, 64]
    assert rule.wish(seen([0.1] * 1435 + [1.1] * 5, 10, "down")).at_most == 5
    assert rule.wish(seen([0.1] * 1435 + [2.9] * 5, 10, "down")).at_most == 6


def test_application_auto_scaling_oscillates_at_its_one_line() -> None:
    conditions = Conditions(start_shards=4, max_shards=20)
    [outcome] = simulate(
        trace([3.0] * 240), [Contender("it", AppAutoScaling(), "update")], conditions
    )
    counts = [change.after for change in outcome.changes]
    # 3.0 is 75 % of 4 and 100 % of 3: down, up, down, up, for as long as the calls of a day last.
    assert counts[:4] == [3, 4, 3, 4]
    assert outcome.update_calls == 10
    assert outcome.throttled == 0


def test_the_simple_way_down_takes_one() -> None:
    assert OneLess().wish(seen([1.0] * 1440, 8)).at_most == 7
    assert OneLess().wish(seen([1.0] * 1439, 8)).at_most is None


def test_every_peer_has_a_name_of_its_own() -> None:
    names = [one.name for one in peers(40)]
    assert len(set(names)) == len(names)
    assert all(one.rule.explain() for one in peers(40))


def test_on_demand_starts_at_4_and_holds_twice_its_peak_15_minutes_later() -> None:
    outcome = on_demand(trace([4.0] * 20 + [8.0] * 20), Conditions())
    assert list(outcome.open_shards[:15]) == [4.0] * 15
    assert list(outcome.open_shards[16:20]) == [8.0] * 4
    assert outcome.throttled == 0
    early = on_demand(trace([4.0] * 10 + [8.0] * 20), Conditions())
    assert early.refused_new[10] == pytest.approx(4.0)
    assert early.throttled > 0


def test_on_demand_remembers_a_peak_and_has_a_ceiling() -> None:
    assert on_demand(trace([30.0] * 5), Conditions(), known_peak=15.0).throttled == 0
    low = Limits(on_demand_max_bytes_per_s=10 * 1_048_576)
    outcome = on_demand(trace([30.0] * 5), Conditions(situation=Situation(low)), known_peak=15.0)
    assert outcome.open_shards.max() == 10


def test_on_demand_does_not_help_a_hot_key() -> None:
    hot = trace([3.0] * 10, hot_key=np.full(10, 0.5))
    outcome = on_demand(hot, Conditions(), known_peak=20.0)
    assert outcome.refused_new[0] == pytest.approx(1.5 + 1.5 / 40 - 1.0)


def test_on_demand_is_paid_by_volume() -> None:
    outcome = on_demand(trace([1.0] * 60), Conditions())
    prices = Conditions().situation.prices
    written = outcome.trace.records * 2048 / 1024**3  # 1,165 bytes, rounded up to 2 KB
    read = outcome.trace.records * outcome.trace.record_bytes / 1024**3
    assert outcome.usd(prices) == pytest.approx(0.04 + written * 0.08 + read * 0.04)

"""Rules: what each asks for, what they ask for together, and what they say of it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.scaling import ScalingError
from clew.scaling.policy import Fixed, ScaleDown, SimpleRule, TargetTracking
from clew.scaling.seen import Seen, Wish
from clew.scaling.timetable import Predictive, Profile, Scheduled

DAY = 1440


def at(text: str) -> float:
    """Seconds of a time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def seen(written: list[float], shards: int, **more: object) -> Seen:
    found = Seen(at_s=at("2026-01-05 12:00"), shards=shards, written=written)
    return replace(found, **({"refused": [0.0] * len(written)} | more))  # type: ignore[arg-type]


def test_the_simple_rule_asks_for_one_more_when_the_stream_is_full() -> None:
    rule = SimpleRule(0.8)
    assert rule.wish(seen([1.0, 1.5], 2)).at_least == 0
    assert rule.wish(seen([1.0, 1.7], 2)).at_least == 3
    assert rule.wish(seen([0.1], 2, alarm="refused")).at_least == 3


def test_tracking_asks_for_what_holds_the_peak_at_the_target() -> None:
    rule = TargetTracking(0.75, over_s=300, alarm_at=0.9)
    assert rule.wish(seen([9.0, 1, 1, 1, 1, 1.9], 2)).at_least == 3  # 9.0 is too long ago
    wish = rule.wish(seen([1, 1, 1, 3.0, 1], 2))
    assert wish.at_least == 4
    assert wish.why == (
        "the peak of the last 5 min was 3.0 shards' worth, which 4 shards would hold at 75%",
    )


def test_tracking_does_not_let_go_of_what_it_needs() -> None:
    assert TargetTracking(0.75, alarm_at=0.9).wish(seen([2.0] * 5, 4)).at_least == 3


def test_what_was_refused_counts_as_demand_but_not_without_end() -> None:
    rule = TargetTracking(0.75, refused_counts=0.5, growth=4)
    assert rule.wish(seen([2.0], 2, refused=[2.0])).at_least == 4
    assert rule.wish(seen([2.0], 2, refused=[1000.0])).at_least == 8
    # What was accepted is no estimate, and is always counted.
    assert rule.wish(seen([20.0], 2, refused=[0.0])).at_least == 27


def test_a_rise_is_carried_on() -> None:
    steady = TargetTracking(0.75, over_s=300, ahead_s=0)
    ahead = replace(steady, ahead_s=600)
    rising = seen([1.0, 1.2, 1.4, 1.6, 1.8, 2.0], 2)
    assert steady.wish(rising).at_least == 3
    assert ahead.wish(rising).at_least == 5  # 2.0, and 0.8 in 5 minutes twice
    assert ahead.wish(seen([2.0, 1.8, 1.6, 1.4, 1.2, 1.0], 2)).at_least < 4


def test_a_quantile_leaves_rare_peaks_out() -> None:
    minutes = [1.0] * 95 + [30.0] * 5
    assert TargetTracking(1.0, over_s=6000, quantile=0.9).wish(seen(minutes, 1)).at_least == 1
    assert TargetTracking(1.0, over_s=6000).wish(seen(minutes, 1)).at_least == 30


def test_a_shard_that_is_fuller_than_the_stream_is_noticed() -> None:
    rule = TargetTracking(0.75)
    assert rule.wish(seen([1.0] * 5, 4, hottest=[0.95] * 5)).uneven
    assert not rule.wish(seen([1.0] * 5, 4, hottest=[0.26] * 5)).uneven
    assert not rule.wish(seen([3.2] * 5, 4, hottest=[0.81] * 5)).uneven


def test_it_goes_down_only_after_a_quiet_day() -> None:
    rule = ScaleDown()
    quiet = [1.9] * DAY
    assert rule.wish(seen(quiet, 4)).at_most == 3
    assert rule.wish(seen(quiet[1:], 4)).at_most is None  # not a whole day
    assert rule.wish(seen([2.1] * 5 + quiet[5:], 4)).at_most is None  # five minutes at 52 %
    # One minute at 57 %, in five minutes under 50 %: it may go down, but not below that minute.
    assert replace(rule, target=0.6).wish(seen([2.3, *quiet[1:]], 5)).at_most == 4
    assert rule.wish(seen(quiet, 4, refused=[0.1] + [0.0] * (DAY - 1))).at_most is None


def test_a_short_quiet_time_is_not_made_of_minutes_that_are_not_known_yet() -> None:
    rule = ScaleDown(over_s=60, every_s_at_most=3600)
    assert rule.wish(seen([3.0, 0.1], 4)).at_most is None  # the last minute is only begun
    assert rule.wish(seen([3.0, 0.0], 4)).at_most is None  # or comes late
    assert rule.wish(seen([3.0, 1.0, 1.0], 4)).at_most == 2
    assert rule.wish(seen([3.0, 1.0, 0.0], 4)).at_most == 2
    assert rule.wish(seen([1.0, 1.0], 4, refused=[0.1, 0.0])).at_most is None
    assert rule.wish(seen([1.0], 4)).at_most is None  # so short a time is not known

    rule = ScaleDown(over_s=240, every_s_at_most=3600)
    quiet = [1.0] * 5
    assert rule.wish(seen(quiet, 4)).at_most == 2
    for at in range(5):  # one minute at 75 % is not quiet, wherever it is
        assert rule.wish(seen([*quiet[:at], 3.0, *quiet[at + 1 :]], 4)).at_most is None
    assert "no minute of the last 4 min was above 25%" in rule.wish(seen(quiet, 4)).why[0]
    assert "when every minute of the last 4 min was under 50%" in rule.explain()


def test_a_quiet_time_is_quiet_from_its_very_beginning() -> None:
    rule = ScaleDown(over_s=7 * 60, every_s_at_most=3600)
    assert rule.wish(seen([3.0, 3.0, 3.0, 3.0, 3.0, *[1.0] * 5], 8)).at_most == 5
    assert rule.wish(seen([5.0, 5.0, 5.0, 5.0, 5.0, *[1.0] * 5], 8)).at_most is None


def test_it_goes_down_seldom() -> None:
    rule = ScaleDown()
    now = at("2026-01-05 12:00")
    quiet = [1.0] * DAY
    assert rule.wish(seen(quiet, 4, last_down_s=now - 35 * 3600)).at_most is None
    assert rule.wish(seen(quiet, 4, last_down_s=now - 36 * 3600)).at_most == 2
    assert rule.wish(seen(quiet, 4, last_up_s=now - 23 * 3600)).at_most is None


def test_it_does_not_go_down_where_closed_shards_cost_more_than_is_saved() -> None:
    quiet = seen([1.0] * DAY, 4)
    billed = ScaleDown(closed_rate=1.0)
    assert billed.wish(quiet).at_most == 2
    assert replace(billed, lasts_s=47 * 3600).wish(quiet).at_most is None
    assert replace(billed, retention_h=168).wish(quiet).at_most is None
    assert "100% of open ones for 24 h" in billed.explain()


def test_a_schedule_holds_at_its_time_and_a_little_before() -> None:
    rule = Scheduled("07:00", "09:00", 12, days=(0, 1, 2, 3, 4))

    def asked(text: str) -> int:
        return rule.wish(replace(seen([1.0], 3), at_s=at(text))).at_least

    assert asked("2026-01-05 06:49") == 0  # a Monday
    assert asked("2026-01-05 06:50") == 12
    assert asked("2026-01-05 08:59") == 12
    assert asked("2026-01-05 09:00") == 0
    assert asked("2026-01-04 08:00") == 0


def test_a_schedule_goes_past_midnight_and_knows_time_zones() -> None:
    night = Scheduled("22:00", "02:00", 5, days=(4,), early_s=0)  # from Friday

    def asked(rule: Scheduled, text: str) -> int:
        return rule.wish(replace(seen([1.0], 3), at_s=at(text))).at_least

    assert asked(night, "2026-01-09 23:00") == 5
    assert asked(night, "2026-01-10 01:59") == 5
    assert asked(night, "2026-01-10 02:00") == 0
    assert asked(night, "2026-01-10 23:00") == 0
    tokyo = Scheduled("09:00", "10:00", 5, timezone="Asia/Tokyo", early_s=0)
    assert asked(tokyo, "2026-01-05 00:30") == 5
    assert asked(tokyo, "2026-01-05 09:30") == 0


@pytest.mark.parametrize("text", ["7", "07:60", "25:00", "seven", "-1:00"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ScalingError, match="write it as in 07:30"):
        Scheduled(text, "09:00", 2)


def wave(days: int, high: float = 10.0) -> list[float]:
    """High from 08:00 to 16:00, low otherwise."""
    return [high if 480 <= minute % DAY < 960 else 1.0 for minute in range(days * DAY)]


def test_a_prediction_is_there_before_the_load() -> None:
    rule = Predictive(Profile.learnt(wave(3), at("2026-01-01 00:00")), target=1.0, quantile=0.5)

    def asked(text: str, shards: int = 1) -> int:
        lately = seen([float(shards)] * 120, shards)
        return rule.wish(replace(lately, at_s=at(text))).at_least

    assert asked("2026-01-05 06:00") == 1
    assert asked("2026-01-05 07:50") == 10
    assert asked("2026-01-05 12:00", shards=10) == 10
    assert asked("2026-01-05 17:59", shards=1) == 1


def test_a_prediction_follows_the_level_of_today() -> None:
    rule = Predictive(Profile.learnt(wave(3), at("2026-01-01 00:00")), target=1.0, quantile=0.5)
    busy = replace(seen([1.5] * 120, 1), at_s=at("2026-01-05 07:50"))
    assert rule.wish(busy).at_least == 15


def test_a_week_is_learnt_from_two_weeks_on() -> None:
    history = [wave(1)[m % DAY] if (m // DAY) % 7 < 5 else 1.0 for m in range(14 * DAY)]
    monday = at("2026-01-05 00:00")
    profile = Profile.learnt(history, monday)
    assert profile.at(at("2026-01-19 12:00")) == 10.0
    assert profile.at(at("2026-01-24 12:00")) == 1.0  # a Saturday


def test_one_odd_day_does_not_move_a_profile() -> None:
    history = wave(5)
    history[2 * DAY : 3 * DAY] = [50.0] * DAY
    assert Profile.learnt(history, 0.0).at(3600.0) == 1.0


def test_a_profile_needs_a_day() -> None:
    with pytest.raises(ScalingError, match="at least a day"):
        Profile.learnt([1.0] * 100, 0.0)


wishes = st.builds(
    Wish, st.integers(0, 50), st.none() | st.integers(1, 50), st.just(()), st.booleans()
)


@given(wishes, wishes, wishes)
def test_wishes_add_up_in_any_order_to_the_larger(a: Wish, b: Wish, c: Wish) -> None:
    assert (a | b) | c == a | (b | c)
    assert a | b == b | a
    assert (a | b).at_least == max(a.at_least, b.at_least)
    assert (a | Wish()).at_most == a.at_most


def test_joined_rules_look_when_either_does_and_explain_both() -> None:
    both = TargetTracking(0.7) | Scheduled("07:00", "09:00", 12) | ScaleDown(every_s=3600)
    assert both.every_s == 300
    assert [alarm.name for alarm in both.alarms] == ["refused", "full"]
    assert both.explain() == (
        "The stream gets the shards that hold the peak of the last 5 min at 70%, records that were"
        " refused counted in, as soon as an alarm tells."
        " From 07:00 to 09:00 (UTC) there are never under 12 shards."
        " It gets fewer shards when every five minutes of the last 24 h were under 50% and nothing"
        " was refused, at most once in 36 h."
    )
    wish = both.wish(replace(seen([0.5] * DAY, 20), at_s=at("2026-01-05 08:00")))
    assert (wish.at_least, wish.at_most) == (12, 1)


def test_fixed_is_fixed() -> None:
    assert Fixed(3).wish(seen([9.0], 1)) == Wish(3, 3, ("it is to have 3 shards",))
    assert Fixed(1).explain() == "The stream always has 1 shard."


def test_refusals_of_one_hot_shard_are_no_reason_for_more_shards() -> None:
    rule = TargetTracking(0.75, refused_counts=0.5)
    hot = seen([4.2] * 5, 8, refused=[9.0] * 5, hottest=[1.0] * 5)
    assert hot.concentrated(300)
    assert rule.wish(hot).at_least <= 8
    assert rule.wish(hot).uneven
    # The stream as a whole is full, or was when it refused: then they count.
    full = replace(hot, written=[8.0] * 5)
    assert rule.wish(full).at_least == 17
    grown = replace(hot, written=[4.0] * 5, shards_then=[4] * 5)
    assert rule.wish(grown).at_least == 12
    assert not replace(hot, hottest=()).concentrated(300)
    assert not replace(hot, hottest=[0.0] * 5).concentrated(300)
    assert replace(hot, hottest=[0.0] * 3 + [1.0] * 2).concentrated(300)
    assert not replace(hot, refused=[0.0] * 5).concentrated(300)


def test_a_function_that_decides_and_plans_does_not_load_numpy() -> None:
    rooms = "policy, timetable, seen, plan, options, situation, uniform, words"
    code = f"from clew.scaling import {rooms}; import sys; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

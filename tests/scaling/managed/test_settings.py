"""Settings of a stream: exact as text, and no nonsense."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.scaling import ScalingError
from clew.scaling.managed.settings import ManagedStream, Minimum
from clew.scaling.seen import Wish

PLAIN = ManagedStream("orders", 2, 12)

texts = st.text(max_size=20)
parts = st.floats(0.05, 1.0)
minimums = st.builds(
    Minimum,
    st.sampled_from(["00:00", "07:30"]),
    st.sampled_from(["09:00", "24:00"]),
    st.integers(2, 9),
    st.sets(st.integers(0, 6)).map(lambda days: tuple(sorted(days))),
)


@given(
    st.integers(1, 2),
    st.integers(9, 10_000),
    st.fixed_dictionaries(
        {},
        optional={
            "desired": st.none() | st.integers(2, 9),
            "target": parts,
            "alarm_at": st.floats(0.55, 1.0),
            "down_below": st.floats(0.01, 0.49),
            "up_over_s": st.floats(60, 1e6),
            "down_every_s": st.none() | st.floats(0, 1e6),
            "schedule": st.lists(minimums, max_size=3).map(tuple),
            "predictive": st.booleans(),
            "retention_h": st.integers(24, 8760),
            "closed_shard_rate": st.floats(0, 1),
            "mode": st.sampled_from(["provisioned", "on-demand"]),
            "method": st.sampled_from(["auto", "operations", "update-shard-count"]),
            "notify_webhook": texts,
            "iterator_age_alarm_s": st.none() | st.floats(0.1, 1e6),
            "tags": st.dictionaries(texts, texts, max_size=3),
            "env": texts,
        },
    ),
)
def test_the_text_holds_everything(low: int, high: int, more: dict[str, Any]) -> None:
    stream = ManagedStream("orders", low, high, **more)
    assert ManagedStream.from_json(stream.to_json()) == stream


def test_what_a_newer_command_line_wrote_is_read() -> None:
    text = json.dumps({**json.loads(PLAIN.to_json()), "something_new": 1})
    assert ManagedStream.from_json(text) == PLAIN


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"name": "a/b"}, "letters, digits and _.- only"),
        ({"min_shards": 0}, "the minimum of 0 shards is less than 1"),
        ({"min_shards": 13}, "the minimum of 13 shards is more than the maximum of 12"),
        ({"max_shards": 20_000}, "more than 10000"),
        ({"min_shards": 1.5}, "whole numbers"),
        ({"desired": 1}, "1 desired shards are not between"),
        ({"target": 0.0}, "not above 0 and up to 1"),
        ({"alarm_at": 1.2}, "not above 0 and up to 1"),
        ({"down_below": 0.8}, "put the first number below the second"),
        ({"up_over_s": 5}, "less than a minute"),
        ({"down_over_s": 30}, "to scale down over are less than a minute"),
        ({"retention_h": 12}, "not between 24 and 8760"),
        ({"closed_shard_rate": 2}, "0 to 1"),
        ({"mode": "serverless"}, "is none of provisioned, on-demand"),
        ({"method": "magic"}, "is none of auto, operations, update-shard-count"),
        ({"schedule": (Minimum("07:00", "09:00", 20),)}, "not between 2 and 12"),
        ({"schedule": (Minimum("07:00", "09:00", 3, (7,)),)}, "between 0 (Monday) and 6"),
        ({"schedule": (Minimum("7 o'clock", "09:00", 3),)}, "is no time of the day"),
        ({"iterator_age_alarm_s": 0}, "above 0 s"),
    ],
)
def test_nonsense_is_refused_in_a_sentence(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(ScalingError) as refused:
        replace(PLAIN, **wrong)
    assert why in str(refused.value)


@pytest.mark.parametrize("text", ["", "[]", "null", '{"name": "a"}', '{"name": 5, "x": {}}'])
def test_text_that_is_no_settings_is_refused(text: str) -> None:
    with pytest.raises(ScalingError, match="no settings of a stream"):
        ManagedStream.from_json(text)


def test_the_rule_says_what_the_settings_mean() -> None:
    said = replace(PLAIN, schedule=(Minimum("07:00", "09:00", 4, (0, 1)),)).rule().explain()
    assert "at 75%" in said
    assert "From 07:00 to 09:00 (UTC) on Mon, Tue there are never under 4 shards." in said
    assert "at most once in 36 h" in said
    assert replace(PLAIN, desired=3).rule().explain() == "The stream always has 3 shards."


def test_the_goal_keeps_to_the_bounds() -> None:
    assert PLAIN.goal(Wish(20)).bounds == (12, 12)
    assert PLAIN.goal(Wish(1, 1)).bounds == (2, 2)
    assert replace(PLAIN, desired=3).goal(Wish(9)).bounds == (3, 3)


def test_going_down_waits_for_the_retention() -> None:
    assert PLAIN.between_downs_s == 36 * 3600
    assert replace(PLAIN, down_every_s=60.0).between_downs_s == 60

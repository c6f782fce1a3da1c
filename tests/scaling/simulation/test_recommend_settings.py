"""What is tried, and how it is written down."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clew.scaling import Prices
from clew.scaling.managed.config import parse_config
from clew.scaling.managed.config_resolve import resolve
from clew.scaling.managed.settings import ManagedStream, Minimum
from clew.scaling.simulation import Conditions, Trace
from clew.scaling.simulation.recommend_settings import (
    KINDS,
    busy_hours,
    choices,
    stream_name,
)
from clew.scaling.simulation.recommend_yaml import streams_yml
from clew.scaling.situation import Situation

DAY = 1440


def read(text: str, name: str) -> ManagedStream:
    """The settings that a streams.yml comes to."""
    [wanted] = resolve(parse_config(text), "", [name]).streams
    return wanted.settings


def office_days(days: int = 3, start_s: float = 0.0) -> Trace:
    """Six shards' worth from eight to eighteen o'clock, one else."""
    hour = (np.arange(days * DAY) + start_s / 60) // 60 % 24
    load = np.where((hour >= 8) & (hour < 18), 6.0, 1.0) * 1_048_576
    return Trace(load, load / 2048, start_s=start_s, name="orders")


def test_everything_that_is_tried_can_be_written_down_and_read_again() -> None:
    situation = Situation(retention_h=48, prices=Prices(closed_shard_rate=0.5))
    conditions = Conditions(situation, min_shards=2, max_shards=20)
    found = choices(office_days(), conditions, "orders")
    assert {one.kind for one in found} == set(KINDS)
    assert any(one.settings.schedule for one in found)
    assert any(one.settings.predictive for one in found)
    assert len({one.name for one in found}) == len(found)
    for one in found:
        back = read(streams_yml(one.settings, "Said before.\nOn two lines."), "orders")
        if one.kind == "on-demand":
            assert back.mode == "on-demand"
            continue
        assert back == one.settings


@pytest.mark.parametrize("name", ["123", "1.5", "-x", "true", "null", "a.b_c-d", ".5"])
def test_a_name_stays_a_name(name: str) -> None:
    settings = ManagedStream(name, 2, 5, target=0.333, down_every_s=90.0)
    assert read(streams_yml(settings), name) == settings


def test_a_minimum_on_some_days_of_some_place() -> None:
    minimum = Minimum("22:30", "04:00", 4, (0, 1, 2, 3, 4), "Europe/London")
    settings = ManagedStream("orders", 2, 5, schedule=(minimum,))
    assert read(streams_yml(settings), "orders") == settings


def test_the_hours_in_which_more_is_needed() -> None:
    load = office_days().shards()
    assert busy_hours(load, 0.0, 0.75) == (8, 18, 2, 8)
    # A trace that begins in the middle of an hour of the day has the same ones.
    later = office_days(start_s=5 * 3600 + 1200)
    assert busy_hours(later.shards(), later.start_s, 1.0) == (8, 18, 1, 6)
    assert busy_hours(np.ones(3 * DAY), 0.0, 0.75) is None
    assert busy_hours(load[:DAY], 0.0, 0.75) is None


def test_hours_past_midnight() -> None:
    hour = np.arange(3 * DAY) // 60 % 24
    assert busy_hours(np.where((hour >= 22) | (hour < 3), 4.0, 1.0), 0.0, 1.0) == (22, 3, 1, 4)


def test_numbers_of_shards_keep_to_the_bounds() -> None:
    conditions = Conditions(min_shards=3, max_shards=5)
    for one in choices(office_days(), conditions, "orders"):
        low, high = one.settings.bounds
        assert 3 <= low <= high <= 5


def test_less_than_a_day_has_no_profile() -> None:
    found = choices(office_days().part(0, 600), Conditions(max_shards=9), "orders")
    assert not any(one.settings.predictive for one in found)


def test_a_choice_is_run_as_its_settings_say() -> None:
    trace = office_days().part(0, 2 * DAY)
    conditions = replace(Conditions(max_shards=12), start_shards=None)
    for one in choices(trace, conditions, "orders"):
        outcome = one.run(trace, conditions)
        if one.kind == "on-demand":
            assert outcome.on_demand
            continue
        low, high = one.settings.bounds
        assert low <= outcome.open_shards.min()
        assert outcome.open_shards.max() <= high


def test_names_that_no_stream_can_have() -> None:
    assert stream_name("last month (1)") == "last-month--1-"
    assert stream_name("") == "stream"
    assert len(stream_name("x" * 500)) == 128

"""Policies by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from clew.errors import ClewError
from clew.scaling.seen import Seen
from clew.scaling.simulation import Conditions, Trace
from clew.scaling.simulation.relearn import Relearning
from clew.scaling.simulation.roster import policy

if TYPE_CHECKING:
    from pathlib import Path

CONDITIONS = Conditions(max_shards=8)
DAY = 1440


def trace(minutes: int = 300, load: float = 1.5) -> Trace:
    values = np.full(minutes, load)
    return Trace(values * 1_048_576, values, name="orders")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("clew", "clew, as it comes"),
        ("track:80%:30m", "track 80%, down after 30 min"),
        ("predict:0.5", "predict at 50%, and track"),
        ("level:90%:6h", "level 90% of 6 h"),
        ("simple", "one more, one less"),
        ("fixed:3", "3 shards, always"),
        ("static", "2 shards, always (the peak)"),
        ("awslabs", "awslabs utility"),
        ("awslabs-fast", "awslabs utility, +150/-25 %"),
        ("aws-sample", "AWS sample, x2 and /2"),
        ("epsagon", "Epsagon"),
        ("app-auto-scaling", "Application Auto Scaling"),
        ("substation", "Substation"),
        ("on-demand", "on-demand mode"),
        ("optimum", "the optimum"),
    ],
)
def test_each_runs_and_says_what_it_does(text: str, name: str) -> None:
    found = policy(text, trace(), CONDITIONS)
    assert (found.key, found.name) == (text, name)
    assert len(found.words) > 20
    outcome = found.run(trace(), CONDITIONS)
    assert len(outcome.open_shards) == 300
    # One line for more and for fewer: even traffic makes it go up and down all the time.
    assert outcome.throttled <= (0.2 if text == "app-auto-scaling" else 1e-9)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tracking", "There is no policy 'tracking'; there are clew, track"),
        ("fixed", "written? as in fixed:6|write it as in fixed:6"),
        ("fixed:0", "write it as in fixed:6"),
        ("fixed:many", "write it as in fixed:6"),
        ("fixed:99999", "write it as in fixed:6"),
        ("track:150%", "write it as in track, track:80% or track:80%:30m"),
        ("track:80%:soon", "write it as in track"),
        ("substation:80%", "write it as in substation"),
        ("none.yml", "There is no none.yml"),
    ],
)
def test_what_is_no_policy(text: str, said: str) -> None:
    with pytest.raises(ClewError, match=said):
        policy(text, trace(), CONDITIONS)


FILE = """\
version: 1
streams:
  orders: {min: 2, max: 6, target: 60%}
  pinned: {desired: 5}
  aws: {mode: on-demand}
"""


def test_the_settings_of_a_streams_yml(tmp_path: Path) -> None:
    path = tmp_path / "streams.yml"
    path.write_text(FILE)
    orders = policy(f"{path}:orders", trace(), CONDITIONS)
    assert orders.name == f"orders as in {path}"
    assert "at 60%" in orders.words
    assert orders.run(trace(load=0.1), CONDITIONS).open_shards[-1] == 2
    assert orders.run(trace(load=9.0), CONDITIONS).open_shards[-1] == 6
    pinned = policy(f"{path}:pinned", trace(), CONDITIONS)
    assert set(pinned.run(trace(), CONDITIONS).open_shards.tolist()) == {5}
    assert policy(f"{path}:aws", trace(), CONDITIONS).run(trace(), CONDITIONS).on_demand
    with pytest.raises(ClewError, match="has no stream nobody; it has aws, orders, pinned"):
        policy(f"{path}:nobody", trace(), CONDITIONS)
    with pytest.raises(ClewError, match=r"has 3 streams by name; say which .*:aws"):
        policy(str(path), trace(), CONDITIONS)


def test_the_environment_of_a_streams_yml(tmp_path: Path) -> None:
    path = tmp_path / "streams.yml"
    path.write_text(
        "version: 1\nstreams: {'orders-{env}': {desired: 2}}\n"
        "environments: {prod: {streams: {'orders-{env}': {desired: 7}}}, dev: {}}\n"
    )
    found = policy(f"{path}:orders-prod@prod", trace(), CONDITIONS)
    assert found.run(trace(), CONDITIONS).open_shards[0] == 7


def test_prediction_is_learnt_from_what_was_seen_and_no_more() -> None:
    rule = Relearning(0.5)
    day = np.full(DAY, 1.0)
    day[600:660] = 4.0  # from 10:00 to 11:00
    nothing = np.zeros(DAY)
    early = Seen(at_s=86_400 - 60, shards=2, written=day[:-1], refused=nothing[:-1])
    assert rule.wish(early).at_least == 0
    next_day = Seen(
        at_s=86_400 + 590 * 60, shards=2, written=np.concatenate([day, day[:590]]),
        refused=np.concatenate([nothing, nothing[:590]]),
    )  # fmt: skip
    assert rule.wish(next_day).at_least == 8
    assert rule.alarms == ()

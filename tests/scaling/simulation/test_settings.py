"""Settings worth trying."""

from __future__ import annotations

import numpy as np

from clew.scaling.simulation import Conditions, Trace, simulate
from clew.scaling.simulation.settings import candidates


def load(days: float, peak: float = 9.0) -> Trace:
    minutes = np.arange(int(days * 1440))
    wave = (1.1 - np.cos(2 * np.pi * minutes / 1440)) / 2.1 * peak
    return Trace(wave * 1_048_576, wave * 900)


def test_there_is_one_of_each_kind_and_each_has_a_name_of_its_own() -> None:
    found = candidates(load(2), Conditions(), peak_shards=12)
    names = [one.name for one in found]
    assert len(set(names)) == len(names)
    assert {name.split()[0] for name in names} == {"fixed", "level", "track", "predict"}
    assert "fixed at 12" in names
    assert all(one.rule.explain() for one in found)


def test_without_a_day_nothing_is_predicted() -> None:
    names = [one.name for one in candidates(load(0.5), Conditions())]
    assert not any(name.startswith("predict") for name in names)
    assert "fixed at 9" in names


def test_all_of_them_run_within_their_bounds() -> None:
    history = load(1)
    for one in candidates(history, Conditions(), 9)[::7]:
        [outcome] = simulate(history, [one], Conditions(max_shards=30))
        assert outcome.open_shards.min() >= one.min_shards
        assert outcome.open_shards.max() <= (one.max_shards or 30)


def test_room_is_kept_only_up_to_the_highest_peak() -> None:
    history = load(1)
    low = next(one for one in candidates(history, Conditions(), 12) if "track 25%" in one.name)
    [outcome] = simulate(history, [low], Conditions(max_shards=50))
    # 9 shards' worth at 25 % would be 36.
    assert outcome.open_shards.max() <= 24
    assert outcome.throttled == 0

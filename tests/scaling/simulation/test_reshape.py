"""What a change comes to: which boundaries, when, and how many shards it closes."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.scaling import Goal, Situation
from clew.scaling.model import KEY_SPACE
from clew.scaling.simulation.reshape import Reshaper, Step
from clew.scaling.simulation.stream import Stream
from clew.scaling.uniform import even_cuts

CUTS = {count: tuple(even_cuts(count)) for count in range(1, 20)}


def reshaper(method: str, calls_at: tuple[float, ...] = ()) -> Reshaper:
    return Reshaper(method, Situation(), Goal(0.75), samples=True, calls_at=deque(calls_at))


def change(by: Reshaper, before: int, wanted: int, at_s: float = 0.0) -> list[Step]:
    return by.change(at_s, Stream(CUTS[before], 0.37, 5), wanted)


def test_update_shard_count_takes_its_time_and_closes_what_it_changes() -> None:
    [step] = change(reshaper("update"), 4, 5, at_s=90.0)
    assert step.cuts == CUTS[5]
    assert step.done_s == 90 + 60  # 4 splits side by side, then 3 merges
    assert (step.operations, step.closed) == (0, 4 + 2 * 3)


def test_one_call_does_not_more_than_double_or_halve() -> None:
    assert change(reshaper("update"), 2, 9)[0].cuts == CUTS[4]
    assert change(reshaper("update"), 9, 1)[0].cuts == CUTS[5]


def test_the_eleventh_call_of_a_day_is_refused() -> None:
    by = reshaper("update")
    for number in range(10):
        assert change(by, 4, 5, at_s=3600.0 * number)
    assert not change(by, 4, 5, at_s=86_399.0)
    assert change(by, 4, 5, at_s=86_400.0)
    assert not change(by, 4, 5, at_s=86_401.0)


def test_what_is_not_begun_costs_no_call() -> None:
    by = reshaper("plan")
    steps = by.change(0.0, Stream(CUTS[2], 0.37, 5), 8, urgent=True)
    assert [len(step.cuts) + 1 for step in steps] == [4, 8]
    assert list(by.calls_at) == [0.0, 60.0]
    by.give_up(steps[1:])
    assert list(by.calls_at) == [0.0]


def test_a_sweep_goes_upwards_one_operation_at_a_time() -> None:
    steps = change(reshaper("update or sweep", (0.0,) * 10), 4, 5, at_s=100.0)
    assert len(steps) == 7
    assert [step.done_s for step in steps] == [130.0 + 30 * n for n in range(7)]
    assert sum(step.closed for step in steps) == 4 + 2 * 3
    assert steps[-1].cuts == CUTS[5]
    # Never more than one shard above where it goes, though every old boundary gives way.
    assert [len(step.cuts) + 1 for step in steps] == [5, 6, 5, 6, 5, 6, 5]


def test_what_update_shard_count_refuses_is_swept() -> None:
    steps = change(reshaper("update or sweep"), 4, 10)  # more than double
    assert steps[-1].cuts == CUTS[10]
    assert all(step.operations == 1 for step in steps)


def test_splits_halve_the_widest_and_merges_join_the_narrowest() -> None:
    half, quarter = KEY_SPACE // 2, KEY_SPACE // 4
    assert change(reshaper("split"), 2, 3)[-1].cuts == (quarter, half)
    by = reshaper("split")
    assert by.change(0.0, Stream((quarter, half), 0.37, 5), 2)[-1].cuts == (half,)


@given(
    st.integers(1, 19), st.integers(1, 19), st.sampled_from(["plan", "update or sweep", "split"])
)
def test_every_step_is_one_split_or_one_merge(before: int, wanted: int, method: str) -> None:
    spent = (0.0,) * 10  # so that all is done by own operations
    steps = change(reshaper(method, spent), before, wanted)
    if before == wanted:
        assert not steps or method == "plan"
        return
    assert len(steps[-1].cuts) + 1 >= wanted if wanted > before else True
    for one, other in pairwise([Step(0.0, CUTS[before], 0, 0), *steps]):
        added, gone = set(other.cuts) - set(one.cuts), set(one.cuts) - set(other.cuts)
        assert len(added) + len(gone) == 1
        assert other.closed == len(added) + 2 * len(gone)
        assert other.done_s == pytest.approx(one.done_s + 30)

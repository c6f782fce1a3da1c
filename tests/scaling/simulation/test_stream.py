"""Shards that take what they can, and records that come again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.scaling.model import KEY_SPACE
from clew.scaling.simulation.stream import Stream
from clew.scaling.uniform import even_cuts


def test_one_shard_takes_one_shards_worth_and_the_rest_waits() -> None:
    stream = Stream((), 0.5, give_up_minutes=2)
    assert stream.fullest(1.5) == 1.5
    assert stream.take(1.5) == (1.0, 0.5, 0.5, 0.0)
    assert stream.backlog == pytest.approx(0.5)
    # 1.0 new and 0.5 old have the same chance: two thirds of each.
    accepted, refused, of_new, lost = stream.take(1.0)
    assert accepted == pytest.approx(1.0)
    assert refused == pytest.approx(0.5)
    assert of_new == pytest.approx(1 / 3)
    assert lost == 0
    stream.take(0.0)
    assert not stream.waiting


def test_a_record_is_given_up_after_its_time() -> None:
    stream = Stream((), 0.5, give_up_minutes=2)
    assert stream.take(3.0)[3] == 0.0  # 2.0 wait, of which a minute later a half comes in
    assert stream.take(0.0)[3] == 0.0
    assert stream.backlog == pytest.approx(1.0)
    assert stream.take(2.0)[3] == pytest.approx(1.0 * 2 / 3)  # tried twice: it is lost
    assert stream.backlog == pytest.approx(2.0 * 2 / 3)


def test_who_does_not_try_again_loses_at_once() -> None:
    stream = Stream((), 0.5, give_up_minutes=0)
    assert stream.take(4.0) == (1.0, 3.0, 3.0, 3.0)
    assert not stream.waiting


def test_a_wide_shard_is_full_before_the_others() -> None:
    stream = Stream((KEY_SPACE // 2, KEY_SPACE * 3 // 4), 0.5, 5)
    assert stream.fullest(2.4) == pytest.approx(1.2)
    accepted, _, of_new, _ = stream.take(2.4)
    assert accepted == pytest.approx(1.0 + 0.6 + 0.6)
    assert of_new == pytest.approx(0.2)


def test_a_hot_key_fills_its_shard_alone() -> None:
    stream = Stream(even_cuts(4), 0.6, 5)
    assert stream.hot == 2
    assert list(stream.shares(0.5)) == [0.125, 0.125, 0.625, 0.125]
    assert stream.fullest(3.0, 0.5) == pytest.approx(3.0 * 0.625)
    assert stream.take(3.0, 0.5)[2] == pytest.approx(0.875)


def test_a_key_with_a_shard_of_its_own_is_in_that_shard() -> None:
    key = KEY_SPACE * 3 // 8
    stream = Stream((KEY_SPACE // 4, key, key + 1, KEY_SPACE // 2), 0.375, 5)
    assert stream.hot == 2
    assert list(stream.shares(0.5)) == [0.125, 0.0625, 0.5, 0.0625, 0.25]


def test_what_waits_for_a_key_that_is_quiet_now_stays_with_it() -> None:
    key = KEY_SPACE * 3 // 8
    stream = Stream((key, key + 1), 0.375, 5)
    stream.take(4.0, 0.5)
    assert stream.backlog == pytest.approx(1.25 - 1.0 + 2.0 - 1.0)
    stream.change((), 0.0)
    assert stream.backlog == pytest.approx(1.25)


def test_what_waits_moves_with_its_keys() -> None:
    stream = Stream((), 0.3, 5)
    stream.take(3.0, 0.5)  # 2.0 wait: 1.0 of them the hot key's
    stream.change(tuple(even_cuts(2)), 0.5)
    assert stream.backlog == pytest.approx(2.0)
    accepted, *_ = stream.take(0.0)  # 1.5 wait in the lower half, 0.5 in the upper one
    assert accepted == pytest.approx(1.5)
    assert stream.backlog == pytest.approx(0.5)


loads = st.lists(
    st.tuples(st.floats(0, 12), st.floats(0, 0.9), st.none() | st.integers(1, 9)), max_size=30
)


@given(loads, st.integers(0, 4))
def test_nothing_comes_from_nowhere_or_goes_there(
    minutes: list[tuple[float, float, int | None]], give_up: int
) -> None:
    stream = Stream(even_cuts(2), 0.37, give_up)
    came = went = 0.0
    for load, hot, shards in minutes:
        if shards is not None:
            stream.change(tuple(even_cuts(shards)), hot)
        accepted, _, of_new, lost = stream.take(load, hot)
        assert accepted <= stream.shards + 1e-9
        assert -1e-9 <= of_new <= load + 1e-9
        came, went = came + load, went + accepted + lost
    assert came == pytest.approx(went + stream.backlog, abs=1e-6)

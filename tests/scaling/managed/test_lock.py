"""One holder at a time, by clocks that differ, and nothing answered twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clew.scaling.managed.lock import GRACE_S, LEASE_S, Busy, Held, Lock, LostError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .stage import Stage

    Make = Callable[..., Stage]


def held(found: Held | Busy) -> Held:
    assert isinstance(found, Held), found
    return found


def busy(found: Held | Busy) -> str:
    assert isinstance(found, Busy), found
    return found.reason


def test_one_holder_at_a_time(stage: Make) -> None:
    on = stage()
    lock = Lock(on.store, on.clock)
    first = held(lock.take("s", "one"))
    assert busy(lock.take("s", "two")) == "held"
    assert isinstance(lock.take("another", "two"), Held)
    lock.free(first)
    second = held(lock.take("s", "two"))
    assert second.fence > first.fence
    with pytest.raises(LostError):
        lock.renew(first)
    lock.free(first)  # nothing happens
    lock.renew(second)


def test_the_same_invocation_may_take_it_again_and_its_old_self_is_out(stage: Make) -> None:
    on = stage()
    lock = Lock(on.store, on.clock)
    first = held(lock.take("s", "one"))
    again = held(lock.take("s", "one"))
    with pytest.raises(LostError):
        lock.renew(first)
    lock.renew(again)


def test_the_first_to_come_takes_over_from_the_dead_and_no_other(stage: Make) -> None:
    on = stage()
    lock = Lock(on.store, on.clock)
    dead = held(lock.take("s", "dead"))
    first = held(lock.take("s", "one", ended="dead"))
    assert first.owner == "one"
    assert busy(lock.take("s", "two", ended="dead")) == "held"
    lock.renew(first)
    with pytest.raises(LostError):
        lock.renew(dead)


@pytest.mark.parametrize("ahead_s", [-GRACE_S + 1, 0, GRACE_S - 1])
def test_a_clock_that_is_wrong_within_the_grace_steals_nothing(stage: Make, ahead_s: float) -> None:
    on = stage()
    mine = Lock(on.store, on.clock)
    other = Lock(on.store, lambda: on.clock.now + ahead_s)
    held(mine.take("s", "one"))
    on.clock.now += LEASE_S - 1
    assert busy(other.take("s", "two")) == "held"
    on.clock.now += 2 * GRACE_S + 2
    held(other.take("s", "two"))


def test_it_is_held_as_long_as_it_is_renewed(stage: Make) -> None:
    on = stage()
    lock = Lock(on.store, on.clock)
    mine = held(lock.take("s", "one"))
    for _ in range(5):
        on.clock.now += LEASE_S + GRACE_S - 1
        lock.renew(mine)
        assert busy(lock.take("s", "two")) == "held"


def test_a_cool_down_keeps_out_all_but_those_who_finish(stage: Make) -> None:
    on = stage()
    lock = Lock(on.store, on.clock)
    lock.free(held(lock.take("s", "one")), cool_s=60, went_up=True)
    found = lock.take("s", "two")
    assert busy(found) == "cooling"
    assert isinstance(found, Busy)
    assert found.until_s == pytest.approx(on.clock.now + 60)
    finisher = held(lock.take("s", "two", cooled=False))
    assert finisher.last_up_s == pytest.approx(on.clock.now)
    assert finisher.last_down_s == float("-inf")
    lock.free(finisher)
    on.clock.now += 61
    held(lock.take("s", "two"))


def test_an_alarm_is_answered_once_and_many_are_remembered(stage: Make) -> None:
    on = stage()
    lock = Lock(on.store, on.clock)
    for number in range(45):
        lock.free(held(lock.take("s", "one", event=f"alarm {number}")), event=f"alarm {number}")
    assert busy(lock.take("s", "one", event="alarm 44")) == "repeated"
    assert busy(lock.take("s", "one", event="alarm 6")) == "repeated"
    held(lock.take("s", "one", event="alarm 45"))
    assert busy(lock.take("s", "two", event="alarm 44")) == "repeated"

"""The clock of the stream, on a machine whose own clock is wrong or set."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from clew.streams.worker.clock import Clock


def test_it_begins_with_this_machines_time() -> None:
    assert abs(Clock().now().wall - time.time()) < 1


def test_it_does_not_jump_when_this_machines_clock_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    before = clock.now()
    monkeypatch.setattr(time, "time", lambda: before.wall + 86_400)
    after = clock.now()
    assert after.wall - before.wall == pytest.approx(after.steady - before.steady, abs=0.001)
    assert after.wall - before.wall < 10


@pytest.mark.parametrize("ahead_s", [-86_400, 3_600])
def test_it_goes_by_the_service(ahead_s: float) -> None:
    clock = Clock()
    told = time.time() + ahead_s
    clock.saw(formatdate(told, usegmt=True))
    assert abs(clock.now().wall - told) < 2


def test_a_date_of_whole_seconds_does_not_make_it_jitter() -> None:
    clock = Clock()
    offset = clock.now().wall - clock.now().steady
    clock.saw(formatdate(clock.now().wall, usegmt=True))
    assert clock.now().wall - clock.now().steady == pytest.approx(offset, abs=0.001)


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Foo 2026 00:00:00 GMT"])
def test_a_date_that_is_none_says_nothing(date: str) -> None:
    clock = Clock()
    clock.saw(date)
    assert abs(clock.now().wall - time.time()) < 1

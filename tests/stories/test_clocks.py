"""Clocks that contradict each other are corrected by no more than has to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .runtime import Run, http, story_of

if TYPE_CHECKING:
    from clew.stories.model import Story


def story(fast_ms: float) -> Story:
    """An edge that calls a function, whose clock is fast, which calls the edge's other helper."""
    edge = Run("edge", source="aws:apigateway")
    received = edge.receive(ms=2_000)
    first = http(edge, received, at=10)
    second = http(edge, received, at=1_000)
    edge.end(took_ms=2_000)
    middle = Run("middle", at=20 + fast_ms, source="aws:apigateway")
    got = middle.receive(answers=first, ms=500)
    middle.log(got, "asking", at=30 + fast_ms)
    third = http(middle, got, at=100 + fast_ms)
    middle.end(took_ms=500)
    helper = Run("helper", at=110, source="aws:apigateway")
    helper.receive(answers=third, ms=5)
    helper.end()
    again = Run("helper", at=1_010, source="aws:apigateway")
    again.receive(answers=second, ms=5)
    again.end()
    return story_of(edge, middle, helper, again)


@pytest.mark.parametrize("fast_ms", [300_000, -300_000, 5_000])
def test_a_clock_that_is_wrong_is_found_and_its_times_are_set(fast_ms: int) -> None:
    told = story(fast_ms)
    assert [hop.function for hop in told.hops] == ["edge", "middle", "helper", "helper"]
    offsets = {hop.function: hop.at_ms - told.at_ms for hop in told.hops[:2]}
    assert offsets["edge"] == 0
    assert 0 <= offsets["middle"] <= 1_500
    assert told.duration_ms == 2_000
    (note,) = told.notes
    assert note.startswith("The clock of middle is about ")
    assert ("fast" in note) == (fast_ms > 0)
    middle = told.hops[1]
    assert middle.lines[0].at_ms - middle.at_ms == 10
    assert middle.sends[0].at_ms - middle.at_ms == 80
    assert told.breaks == ()


@pytest.mark.parametrize("fast_ms", [0, 100, -100, 240])
def test_what_may_be_right_is_left_as_it_is(fast_ms: int) -> None:
    told = story(fast_ms)
    assert told.notes == ()
    assert told.hops[1].lines[0].at_ms - told.hops[0].at_ms == 30 + fast_ms


def test_a_message_that_came_late_came_late() -> None:
    edge = Run("edge")
    publish = edge.send(edge.receive())
    edge.end()
    late = Run("late", at=3_600_000)
    late.receive(answers=publish)
    late.end()
    assert story_of(edge, late).notes == ()
    assert story_of(edge, late).duration_ms >= 3_600_000


def test_times_that_nothing_explains_are_left_as_they_are() -> None:
    """Two hops each of which begins before the other, in two hosts of one and the same function."""
    one, other = Run("one", at=10_000), Run("other", at=5_000)
    first = one.send(one.receive(), at=10_000)
    got = other.receive(answers=first)
    second = other.send(got, at=5_000)
    third = Run("one", at=0)
    third.receive(answers=second)
    for run in (one, other, third):
        run.end()
    told = story_of(one, other, third)
    assert [hop.function for hop in told.hops] == ["one", "other", "one"]

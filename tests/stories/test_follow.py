"""A story is followed until nothing of it is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clew.stories.follow import events, follow

from .runtime import Run, http, story_of
from .test_find import FULL, Log, sent_and_received

if TYPE_CHECKING:
    from clew.stories.model import Story


def nothing(_seconds: float) -> None:
    pass


def followed(log: Log, **given: float) -> list[Story | None]:
    return list(follow(log, FULL, quiet_s=0, sleep=nothing, **given))  # type: ignore[arg-type]


def test_it_is_told_whenever_there_is_more_and_ends_when_it_is_whole() -> None:
    edge, receiver = sent_and_received()
    log = Log([], [], edge, [], receiver)
    told = followed(log)
    assert [None if one is None else len(one.hops) for one in told] == [None, 1, 2]
    last = told[-1]
    assert last is not None
    assert last.awaited_since_ms() is None
    assert log.readings == 5


def test_it_is_not_whole_before_it_was_quiet_for_a_while() -> None:
    edge, receiver = sent_and_received()
    log = Log(edge + receiver)
    waits: list[float] = []
    told = list(follow(log, FULL, poll_s=7, quiet_s=0.001, sleep=waits.append))
    assert len(told) == 1
    assert waits
    assert set(waits) == {7}


@pytest.mark.parametrize("there", [True, False])
def test_it_ends_after_a_time_in_any_case(there: bool) -> None:
    edge, _ = sent_and_received()
    told = followed(Log(edge if there else []), for_s=0)
    assert len(told) == 1
    assert (told[0] is not None) == there


def test_events_are_what_happened_in_the_order_of_time() -> None:
    edge = Run("edge", source="aws:apigateway")
    got = edge.receive()
    edge.log(got, "hello\nthere")
    http(edge, got, 503, at=4, outcome="error", error="Service Unavailable")
    first = events(story_of(edge))
    edge.end(took_ms=20)
    mail = Run("mail", at=40)
    mail.receive(outcome="failed", error="ValueError: no")
    mail.end()
    told = events(story_of(edge, mail))
    assert [one.said for one in told] == [
        "began (API Gateway)",
        "INFO hello there",
        "-> GET 127.0.0.1:4566/b answered 503 failed: Service Unavailable",
        "done after 5 ms",
        "began (SNS)",
        "failed after 5 ms: ValueError: no",
    ]
    known = {one.what for one in first}
    assert len(known & {one.what for one in told}) == len(known) > 0
    assert len({one.what for one in told}) == len(told)

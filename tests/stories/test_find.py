"""Finding a story: waiting for lines that come late, ids in part, ids that nobody has."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from clew.stories import StoryError, find_story

from .runtime import START_S, Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clew.stories.lines import RawLine

FULL = "4f0c1f0e-0d7a-4f3e-9d53-0a3a5b1f6f5e"


class Log:
    """A source whose lines come one set after the other: the next with every reading."""

    name = "2 log groups of a test"

    def __init__(self, *sets: Iterable[RawLine], finds_parts_of_words: bool = True) -> None:
        self.sets = [list(one) for one in sets]
        self.readings = 0
        self.asked: list[str | None] = []
        self.finds_parts_of_words = finds_parts_of_words

    def lines(
        self, text: str | None, since: datetime | None = None, until: datetime | None = None
    ) -> list[RawLine]:
        self.asked.append(text)
        self.readings += 1
        there = [line for one in self.sets[: self.readings] for line in one]
        if text is None:
            return there
        if not self.finds_parts_of_words and text != FULL:
            return []
        return [line for line in there if text in line.message]


def sent_and_received(request: str = FULL, at: float = 0) -> tuple[list[RawLine], list[RawLine]]:
    edge = Run("edge", at=at)
    publish = edge.send(edge.receive(request))
    receiver = Run("receiver", at=at + 9)
    receiver.receive(request, answers=publish)
    return edge.end(), receiver.end()


def now_ms() -> float:
    return time.time() * 1000 - START_S * 1000


def test_a_story_that_misses_nothing_is_there_at_once() -> None:
    log = Log([*sent_and_received()[0], *sent_and_received()[1]])
    edge, receiver = sent_and_received()
    log = Log([*edge, *receiver])
    story = find_story(log, FULL)
    assert (len(story.hops), story.breaks, log.readings) == (2, (), 1)


def test_a_young_story_is_waited_for_while_a_send_is_not_received() -> None:
    edge, receiver = sent_and_received(at=now_ms())
    log = Log(edge, [], receiver)
    story = find_story(log, FULL)
    assert (len(story.hops), log.readings) == (2, 3)


def test_an_old_story_is_not_waited_for_unless_one_says_so() -> None:
    edge, receiver = sent_and_received()
    log = Log(edge, [], receiver)
    assert len(find_story(log, FULL).breaks) == 1
    assert log.asked == [FULL, "Runtime."]  # once, and for a function that could not be loaded
    log = Log(edge, [], receiver)
    assert find_story(log, FULL, wait_s=20).breaks == ()


def test_waiting_ends_when_nothing_more_comes() -> None:
    edge, receiver = sent_and_received()
    late = Run("receiver", at=9)
    late.log(late.correlation(FULL), "late")
    log = Log([], edge, receiver, late.lines)
    story = find_story(log, FULL, wait_s=0.8)
    assert len(story.hops) == 3
    assert story.hops[-1].outcome == "unfinished"


def test_waiting_is_bounded() -> None:
    edge, _ = sent_and_received(at=now_ms())
    assert len(find_story(Log(edge), FULL, wait_s=0.3).breaks) == 1
    with pytest.raises(StoryError):
        find_story(Log([]), FULL, wait_s=0.3)


@pytest.mark.parametrize("finds_parts_of_words", [True, False])
def test_the_beginning_of_an_id_is_enough(finds_parts_of_words: bool) -> None:
    edge, receiver = sent_and_received()
    log = Log([*edge, *receiver], finds_parts_of_words=finds_parts_of_words)
    story = find_story(log, FULL[:8])
    assert (story.id, len(story.hops)) == (FULL, 2)


def test_the_beginning_of_several_ids_is_not() -> None:
    lines = [line for n in range(5) for line in sent_and_received(f"{FULL}-{n}", at=n)[0]]
    with pytest.raises(StoryError, match=r"5 requests have ids that begin with 4f0c1f0e \(.*, …\)"):
        find_story(Log(lines), FULL[:8])
    # But an id of its own is no beginning, also where others begin with it.
    assert find_story(Log([*lines, *sent_and_received()[0]]), FULL).id == FULL


def test_an_id_that_nobody_has_is_said_with_its_neighbours() -> None:
    lines = [line for name in ("order-17", "user-5") for line in sent_and_received(name)[0]]
    with pytest.raises(StoryError) as raised:
        find_story(Log(lines), "order-71")
    assert str(raised.value) == (
        "No log line has the id order-71 in 2 log groups of a test; "
        "the nearest recent ids are order-17, user-5; search by what it logged, with clew story "
        "--search."
    )
    with pytest.raises(StoryError, match="no line there has an id at all"):
        find_story(Log([]), "order-71")
    with pytest.raises(StoryError, match="No log line has the id order"):
        find_story(Log(lines), "order")  # too short to be a beginning
    with pytest.raises(StoryError, match="needs the id"):
        find_story(Log(lines), "")


def test_hostile_ids_are_shown_as_they_are() -> None:
    lines, _ = sent_and_received("\x1b[31mred")
    with pytest.raises(StoryError) as raised:
        find_story(Log(lines), "\x1b[32m" + "x" * 10_000)
    message = str(raised.value)
    assert "\x1b" not in message
    assert "\\x1b[32mxxx" in message
    assert "\\x1b[31mred" in message
    assert len(message) < 500


def test_what_lambda_said_of_a_stopped_invocation_is_looked_up_by_its_request_id() -> None:
    run = Run("slow", request_id="8c7ad3a2-6c3a-4a4e-8f5f-5d8a3e0b7a11")
    run.log(run.correlation(FULL), "starting")
    run.text(f"{run.request_id} Task timed out after 3.00 seconds", at=3000)
    log = Log(run.lines)
    story = find_story(log, FULL)
    assert "was stopped" in story.breaks[0].sentence
    assert log.asked == [FULL, run.request_id]


def test_the_part_of_an_invocation_line_that_tells_of_its_failure_is_looked_up_too() -> None:
    run = Run("fan", source="aws:kinesis")
    for number in range(2000):
        run.receive(f"{FULL}-{number}", outcome="failed" if number == 1999 else "done")
    lines = run.end(ValueError("no"))
    assert len(lines) == 2
    story = find_story(Log(lines), f"{FULL}-1999")
    assert story.notes == ()
    assert "ValueError: no" in story.breaks[0].sentence


class Billed(Log):
    """A source that is asked for several texts at once, within a time."""

    finds_beginnings = True
    hint = "say more"

    def __init__(self, *sets: Iterable[RawLine]) -> None:
        super().__init__(*sets)
        self.times: list[tuple[datetime | None, datetime | None]] = []

    def any_of(
        self, texts: Sequence[str], since: datetime | None = None, until: datetime | None = None
    ) -> list[RawLine]:
        self.times.append((since, until))
        self.asked.append("|".join(texts))
        return [line for line in self.sets[0] if any(text in line.message for text in texts)]


def test_what_is_looked_up_later_is_looked_up_at_once_and_around_the_story() -> None:
    runs = [Run(f"slow-{number}", request_id=f"invocation-{number}") for number in range(3)]
    for run in runs:
        run.log(run.correlation(FULL), "starting")
        run.text(f"RequestId: {run.request_id} Error: Runtime exited", at=3000)
    log = Billed([line for run in runs for line in run.lines])
    story = find_story(log, FULL)
    assert len(story.hops) == 3
    assert log.asked[:2] == [FULL, "invocation-0|invocation-1|invocation-2"]
    first, last = log.times[0]
    assert first is not None
    assert last is not None
    assert first.timestamp() < START_S < last.timestamp() < START_S + 17 * 60


def test_where_every_look_costs_not_every_line_is_read() -> None:
    log = Billed([])
    with pytest.raises(StoryError) as raised:
        find_story(log, FULL, since=datetime(2026, 1, 2, tzinfo=UTC))
    said = str(raised.value)
    assert said.startswith(
        f"No log line has the id {FULL} in 2 log groups of a test from 2026-01-02 00:00:00 to 20"
    )
    assert said.endswith(" UTC; say more.")
    assert log.asked == [FULL]

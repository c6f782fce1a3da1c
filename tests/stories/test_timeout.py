"""The story of a function that Lambda stopped, or nearly: it is whole all the same."""

from __future__ import annotations

import contextlib
import io
from threading import get_ident
from typing import TYPE_CHECKING

import pytest

from clew.capture.delivery import Delivery
from clew.log.timeout import write_timeout
from clew.stories.parse import read

from .runtime import Run, story_of

if TYPE_CHECKING:
    from clew.correlation import Correlation
    from clew.stories.lines import RawLine

UUID = "4f0c1f0e-0d7a-4f3e-9d53-0a3a5b1f6f5e"


def about_to_time_out(run: Run, own: Correlation, *, at: float) -> None:
    """What is written of an invocation shortly before its end."""
    delivery = Delivery(
        source="aws:sns", event={}, correlation=own, records=[], invocation=run.invocation
    )
    with contextlib.redirect_stdout(io.StringIO()) as written:
        write_timeout(delivery, get_ident(), 0.2)
    for line in written.getvalue().splitlines():
        run.text(line, at=at)


@pytest.mark.parametrize("stopped", [True, False])
def test_one_that_was_stopped(stopped: bool) -> None:
    edge = Run("edge")
    publish = edge.send(edge.receive())
    edge.end()
    slow = Run("slow", at=20, request_id=UUID)
    own = slow.receive(answers=publish, outcome="pending", attempts=1)
    slow.log(own, "starting", at=25)
    later = slow.send(own, "sqs", "https://queue", "SendMessage", at=30)
    about_to_time_out(slow, own, at=2_800)
    if stopped:
        slow.text(f"{UUID} Task timed out after 3.00 seconds", at=3_000)
    story = story_of(edge, slow)
    hop = story.hop(2)
    assert (hop.function, hop.outcome, hop.above) == ("slow", "unfinished", 1)
    assert [send.span for send in hop.sends] == [later.span_id]
    assert [line.message for line in hop.lines] == [
        "starting",
        "the function is about to time out",
        "the event of the failed invocation",
    ]
    sentence = next(one.sentence for one in story.breaks if one.kind == "timed out")
    assert "slow began to handle what edge sent to" in sentence
    assert "out of time at File" in sentence
    assert sentence.endswith("Task timed out after 3.00 seconds.") is stopped
    assert story.awaited_since_ms() is not None  # what it sent


@pytest.mark.parametrize("order", ["as written", "the other way round"])
def test_one_that_came_to_its_end_all_the_same(order: str) -> None:
    slow = Run("slow", request_id=UUID)
    own = slow.receive(outcome="pending", attempts=1)
    for number in range(3_000):
        slow.send(own, target=f"arn:aws:sns:us-east-1:000000000000:{number}", at=5)
    about_to_time_out(slow, own, at=2_800)
    chunks = [line for line in slow.lines if '"timeout"' in line.message]
    assert len(chunks) > 2
    slow.send(own, target="arn:aws:sns:us-east-1:000000000000:last", at=2_900)
    slow.invocation.received[0].outcome = "done"
    lines: list[RawLine] = slow.end(took_ms=2_950)
    if order != "as written":
        lines = lines[::-1]
    (invocation,) = read(lines).invocations
    assert invocation.outcome == "ok"
    assert invocation.complete
    story = story_of(lines)
    (hop,) = story.hops
    assert hop.outcome == "done"
    assert len(hop.sends) == 3_001
    assert not [one for one in story.breaks if one.kind == "unfinished"]


def test_a_batch_that_was_stopped() -> None:
    run = Run("fan", source="aws:kinesis", request_id=UUID)
    run.receive("request-1", outcome="done")
    run.receive("request-2", outcome="pending", attempts=1)
    run.receive("request-3", outcome="pending", attempts=0)
    about_to_time_out(run, run.correlation("a-batch"), at=2_800)
    outcomes = [story_of(run, request=f"request-{number}").hops[0].outcome for number in (1, 2, 3)]
    assert outcomes == ["done", "unfinished", "pending"]


@pytest.mark.parametrize("words", ["Task timed out after 2.00 seconds", "Worker process died"])
def test_what_ended_it_is_found_by_its_place_in_the_stream(words: str) -> None:
    """The local cloud does not name the invocation when it says so."""
    other = UUID.replace("4", "5")
    slow = Run("slow", request_id=UUID)
    slow.log(slow.receive(), "starting", at=1)
    for request_id, at in ((other, 0), (UUID, 2_000)):
        slow.text(f"START RequestId: {request_id} Version: $LATEST", at=at)
        slow.text(f"END RequestId: {request_id}", at=at)
    slow.text(words, at=2_000)
    slow.text("Worker process died of laughter", at=2_000)  # a print
    (broken,) = story_of(slow).breaks
    assert broken.sentence.endswith(f": {words}.")
    assert broken.kind == ("timed out" if "timed out" in words else "crashed")
    elsewhere = [line._replace(stream=line.message[:5]) for line in slow.lines]
    (broken,) = story_of(elsewhere).breaks
    assert broken.sentence.endswith("never logged its end: it still runs, or it was stopped.")

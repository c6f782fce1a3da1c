"""A record that was dead-lettered, and what became of it after that, is one story."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .runtime import Run, story_of

if TYPE_CHECKING:
    from clew.invocation import Sent

QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/dead"
LETTER = "7f0c6b3e9ad14b0f8d7b8a2f5a3c1e90"


def published() -> tuple[Run, Sent]:
    run = Run("publish", source="aws:apigateway")
    sent = run.send(run.receive(), "kinesis", "posts", "PutRecord")
    run.end()
    return run, sent


def gives_up(
    function: str, answers: Sent, *, at: int = 100, source: str = "aws:kinesis", error: str = ""
) -> tuple[Run, Sent]:
    """A function that dead-letters what it got; ``error`` is that of a first try to write it."""
    run = Run(function, at=at, source=source)
    got = run.receive(
        answers=answers, outcome="dead-lettered", attempts=3, error="KeyError: 'text'"
    )
    position = {"deadLetter": LETTER}
    if error:
        run.send(
            got, "sqs", QUEUE, "SendMessageBatch", outcome="error", error=error, position=position
        )
    letter = run.send(got, "sqs", QUEUE, "SendMessageBatch", position=position)
    run.end()
    return run, letter


def takes(function: str, letter: Sent, outcome: str, *, at: int, source: str = "aws:sqs") -> Run:
    run = Run(function, at=at, source=source)
    run.receive(answers=letter, outcome=outcome, attempts=1)
    run.end()
    return run


def test_while_the_letter_waits_that_it_was_given_up_is_the_one_break() -> None:
    edge, sent = published()
    dead, _ = gives_up("distribute", sent)
    story = story_of(edge, dead)
    (broken,) = story.breaks
    assert (broken.kind, broken.function) == ("dead-lettered", "distribute")
    assert story.hops[1].sends[0].note == f"dead letter {LETTER}"
    assert story.awaited_since_ms() is None, "nobody has to take it"


def test_a_letter_that_was_at_first_not_taken_is_no_break_of_its_own() -> None:
    edge, sent = published()
    dead, _ = gives_up("distribute", sent, error="InternalError: again")
    story = story_of(edge, dead)
    assert [one.kind for one in story.breaks] == ["dead-lettered"]
    assert "at first not taken: InternalError" in story.hops[1].sends[0].note


def test_a_letter_that_could_not_be_written_is_one() -> None:
    edge, sent = published()
    run = Run("distribute", at=100, source="aws:kinesis")
    got = run.receive(answers=sent, outcome="returned")
    run.send(got, "sqs", QUEUE, outcome="error", error="X: y", position={"deadLetter": LETTER})
    run.end()
    assert {one.kind for one in story_of(edge, run).breaks} == {"returned", "send failed"}


def test_what_was_redriven_and_delivered_broke_nothing() -> None:
    edge, sent = published()
    dead, letter = gives_up("distribute", sent)
    story = story_of(edge, dead, takes("distribute", letter, "done", at=900, source="aws:kinesis"))
    assert not story.breaks
    first, second = story.hops[1:]
    assert (first.outcome, first.note) == (
        "dead-lettered",
        "its dead letter was taken up again (hop 3)",
    )
    assert (second.outcome, second.above, second.joined) == ("done", first.number, True)


@pytest.mark.parametrize("redriven", [False, True])
def test_of_several_lives_the_last_one_counts(*, redriven: bool) -> None:
    edge, sent = published()
    dead, letter = gives_up("distribute", sent)
    again = takes("second-chance", letter, "returned", at=200)
    given_up, last = gives_up("second-chance", letter, at=300, source="aws:sqs")
    more = [takes("distribute", last, "done", at=900, source="aws:kinesis")] if redriven else []
    story = story_of(edge, dead, again, given_up, *more)
    assert [hop.outcome for hop in story.hops[1:]] == [
        "dead-lettered",
        "returned",
        "dead-lettered",
        *(["done"] if redriven else []),
    ]
    assert [one.function for one in story.breaks] == ([] if redriven else ["second-chance"])


def test_a_letter_that_another_function_delivered_broke_nothing() -> None:
    edge, sent = published()
    dead, letter = gives_up("distribute", sent)
    again = takes("second-chance", letter, "returned", at=200)
    other = takes("distribute", letter, "done", at=900, source="aws:kinesis")
    story = story_of(edge, dead, again, other)
    assert not story.breaks
    assert story.hops[2].note == "its dead letter was delivered elsewhere (hop 4)"


def test_a_message_of_the_users_own_is_still_missed() -> None:
    edge, sent = published()
    run = Run("distribute", at=100, source="aws:kinesis")
    run.send(run.receive(answers=sent), "sqs", QUEUE, "SendMessage")
    run.end()
    assert [one.kind for one in story_of(edge, run).breaks] == ["still in a queue"]

"""A refused send that was sent again broke nothing; one that was lost did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .runtime import Run, http, story_of

if TYPE_CHECKING:
    from clew.stories.model import Story

REFUSED: dict[str, Any] = {
    "outcome": "error",
    "error": "ProvisionedThroughputExceededException: slow down",
}


def story(*fates: str, service: str = "kinesis", same_call: bool = False) -> Story:
    """A hop that sends so often to one stream, each with its fate, 10 ms apart or all at once."""
    run = Run("shop")
    received = run.receive()
    receiver = Run("reader", at=900, source=f"aws:{service}")
    for number, fate in enumerate(fates):
        at = 2 if same_call and fate != "again" else 10 * (number + 1)
        refused: dict[str, Any] = REFUSED if fate == "refused" else {}
        operation = "PutRecords" if same_call else "PutRecord"
        sent = run.send(received, service, "clicks", operation, at=at, **refused)
        if not refused:
            receiver.receive(answers=sent)
    run.end()
    receiver.end()
    return story_of(run, receiver)


@pytest.mark.parametrize(
    ("fates", "breaks"),
    [
        (["refused", "taken"], 0),
        (["refused", "refused", "taken"], 0),
        (["taken", "refused", "taken"], 0),
        (["refused"], 1),
        (["refused", "refused"], 1),
        (["taken", "refused"], 1),
        # Were these ten, with one lost? Nothing says that the first of the others is that one.
        (["taken", "refused", "taken", "taken"], 1),
    ],
)
def test_what_was_sent_again(fates: list[str], breaks: int) -> None:
    told = story(*fates)
    assert [one.kind for one in told.breaks] == ["throttled"] * breaks
    refused = [send for send in told.hops[0].sends if send.outcome == "error"]
    assert all("throttled" in send.note for send in refused if send.broken is None)


@pytest.mark.parametrize(("again", "breaks"), [(2, 0), (1, 1), (3, 1)])
def test_of_one_call_all_that_failed_have_to_come_again(again: int, breaks: int) -> None:
    told = story("taken", "refused", "refused", *["again"] * again, same_call=True)
    assert len(told.breaks) == breaks


def test_failures_of_one_hop_towards_one_target_are_one_break() -> None:
    told = story("refused", "refused", "refused")
    (broken,) = told.breaks
    assert "(3 times, the first at 03:04:05.010 UTC), and was throttled" in broken.sentence
    assert broken.at_ms - told.at_ms == 30


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("TooManyRequestsException: x", "throttled"),
        ("RequestThrottled: x", "throttled"),
        ("SlowDown: x", "throttled"),
        ("AccessDenied: x", "send failed"),
        ("ReadTimeoutError: x", "send failed"),  # nobody waits for a stream
    ],
)
def test_what_is_too_much_is_told_from_what_is_wrong(error: str, kind: str) -> None:
    run = Run("shop")
    run.send(run.receive(), outcome="error", error=error)
    run.end()
    (broken,) = story_of(run).breaks
    assert broken.kind == kind


def test_who_was_asked_and_could_not_be_loaded_is_told_for_what() -> None:
    run = Run("shop")
    run.send(run.receive(), "lambda", "price", "Invoke", outcome="error", error="ReadTimeout: 1 s")
    run.end()
    other, price = Run("other", at=30), Run("price", at=40)
    why = "Runtime.ImportModuleError: Unable to import module 'price': No module named 'x'"
    for broken in (other, price):
        broken.text(f"[ERROR] {why}")
    (told,) = story_of(run, price).breaks
    assert told.kind == "could not start"
    assert told.sentence.endswith(f", which could not start: {why}.")
    (told,) = story_of(run, other).breaks
    assert told.kind == "no answer"


def test_who_gave_up_waiting_is_told_how_long_it_took() -> None:
    run = Run("shop")
    call = http(run, run.receive(), outcome="error", error="ReadTimeout: 1 s", status=0)
    run.end()
    slow = Run("stock", at=5, source="aws:apigateway")
    slow.receive(answers=call, ms=3_000)
    slow.end(took_ms=3_000)
    (broken,) = story_of(run, slow).breaks
    assert broken.kind == "no answer"
    assert "no answer came in time (stock took 3000 ms): ReadTimeout: 1 s" in broken.sentence

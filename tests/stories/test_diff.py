"""Two stories are laid on each other, and where they part is named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.stories.diff import compare, comparison_json

from .runtime import Run, http, story_of

if TYPE_CHECKING:
    from clew.stories.model import Story

TOPIC = "arn:aws:sns:us-east-1:000000000000:"


def shop(
    *,
    request: str = "request-1",
    path: str = "http://127.0.0.1:4566/orders/17",
    mail: str = "done",
    published: bool = True,
    heard: bool = True,
    status: int = 200,
    took_ms: float = 10,
    error: BaseException | None = None,
) -> Story:
    edge = Run("edge", source="aws:apigateway")
    got = edge.receive(request, outcome="failed" if error else "done")
    edge.send(got, "http", path, "GET", status=status, at=3)
    publish = edge.send(got, target=f"{TOPIC}orders", at=5) if published else None
    runs = [edge]
    if publish is not None and heard:
        receiver = Run("mail", at=20, cold_start=took_ms > 100)
        receiver.receive(request, answers=publish, outcome=mail, ms=took_ms)
        receiver.end(ValueError("no card") if mail == "failed" else None, took_ms=took_ms)
        runs.append(receiver)
    edge.end(error)
    return story_of(*runs, request=request)


def test_stories_that_do_not_part() -> None:
    compared = compare(shop(), shop(request="r-2", path="http://127.0.0.1:4566/orders/23"))
    assert (compared.parting, compared.differences, compared.slower) == ("", (), ())
    assert [(row.depth, row.name) for row in compared.rows] == [
        (0, "edge"),
        (1, "GET 127.0.0.1:4566/orders/*"),
        (1, "SNS topic orders"),
        (2, "mail"),
    ]


@pytest.mark.parametrize(
    ("change", "parting"),
    [
        (
            {"mail": "failed"},
            "In the first, mail was done; in the second it failed (ValueError: no card).",
        ),
        ({"published": False}, "Only in the first, edge sent to the SNS topic orders."),
        (
            {"heard": False},
            "What edge sent to the SNS topic orders was received in the first, not in ",
        ),
        ({"status": 503}, "GET 127.0.0.1:4566/orders/* answered 200 in the first and answered 503"),
        (
            {"published": False, "error": KeyError("cart")},
            "In the first, edge was done; in the second it failed (KeyError: 'cart').",
        ),
    ],
)
def test_the_first_difference_is_named(change: dict[str, object], parting: str) -> None:
    compared = compare(shop(), shop(**change))  # type: ignore[arg-type]
    assert compared.parting.startswith(parting)
    other = compare(shop(**change), shop())  # type: ignore[arg-type]
    assert other.parting != compared.parting
    assert other.parting


def test_the_cause_is_named_and_not_what_passed_it_on() -> None:
    def chain(status: int, outcome: str) -> Story:
        edge = Run("edge", source="aws:apigateway")
        call = http(edge, edge.receive(outcome="done"), status=status, at=2)
        inner = Run("stock", source="aws:apigateway", at=4)
        inner.receive(answers=call, outcome=outcome, ms=3)
        inner.end(OSError("disk") if outcome == "failed" else None, took_ms=3)
        edge.end(took_ms=20)
        return story_of(edge, inner)

    compared = compare(chain(200, "done"), chain(500, "failed"))
    assert len(compared.differences) == 2
    assert compared.parting.startswith("In the first, stock was done; in the second it failed")


def test_what_is_below_a_difference_is_not_said_again() -> None:
    compared = compare(shop(), shop(published=False))
    assert compared.differences == ("Only in the first, edge sent to the SNS topic orders.",)
    assert [(row.name, bool(row.second)) for row in compared.rows[-2:]] == [
        ("SNS topic orders", False),
        ("mail", False),
    ]
    compared = compare(shop(), shop(heard=False))
    assert len(compared.differences) == 1


def test_where_another_function_begins_and_an_error_is_logged() -> None:
    first, second = Run("a"), Run("b")
    first.receive()
    second.receive()
    first.end()
    second.end()
    compared = compare(story_of(first), story_of(second))
    assert compared.parting == "The first began at a, the second at b."
    assert [(bool(row.first), bool(row.second)) for row in compared.rows] == [
        (True, False),
        (False, True),
    ]
    quiet, loud = Run("a"), Run("a")
    quiet.receive()
    loud.log(loud.receive(), "order 17 is odd", level="ERROR")
    quiet.log(quiet.invocation.received[0].correlation, "fine")
    quiet.end()
    loud.end()
    compared = compare(story_of(quiet), story_of(loud))
    assert compared.parting == "Only in the second, a logged an ERROR: order 17 is odd."


def test_a_function_that_ran_out_of_time_is_said_to_have() -> None:
    def slow(*, stopped: bool) -> Story:
        run = Run("slow", request_id="8c7ad3a2-6c3a-4a4e-8f5f-5d8a3e0b7a11")
        run.log(run.receive(), "starting")
        if stopped:
            run.text(f"{run.request_id} Task timed out after 3.00 seconds", at=3000)
        else:
            run.end()
        return story_of(run)

    compared = compare(slow(stopped=False), slow(stopped=True))
    assert compared.parting == "In the first, slow was done; in the second it ran out of time."


def test_what_is_slower_is_said() -> None:
    compared = compare(shop(), shop(took_ms=1200))
    assert compared.slower == (
        "mail took 10 ms in the first and 1,200 ms in the second, a cold start.",
    )


def test_as_json() -> None:
    told = json.loads(json.dumps(comparison_json(compare(shop(), shop(mail="failed")))))
    assert told["parting"].startswith("In the first, mail")
    assert told["rows"][-1]["first"]["outcome"] == "done"
    assert told["rows"][-1]["second"]["outcome"] == "failed"


@given(st.lists(st.sampled_from("abc"), max_size=8), st.lists(st.sampled_from("abc"), max_size=8))
def test_every_send_of_both_has_its_place_once(left: list[str], right: list[str]) -> None:
    def sender(topics: list[str]) -> Story:
        run = Run("f")
        got = run.receive()
        for place, topic in enumerate(topics):
            run.send(got, target=f"{TOPIC}{topic}", at=2 + place)
        run.end()
        return story_of(run)

    compared = compare(sender(left), sender(right))
    rows = compared.rows[1:]
    assert [row.first for row in rows if row.first] == list(compared.first.hops[0].sends)
    seconds = [row.second for row in rows if row.second]
    assert sorted(seconds, key=lambda one: one.at_ms) == list(compared.second.hops[0].sends)
    both = sum(1 for row in rows if row.first and row.second)
    assert both == sum(min(left.count(one), right.count(one)) for one in "abc")
    assert bool(compared.parting) == (sorted(left) != sorted(right))


def test_a_chain_of_thousands_is_compared() -> None:
    runs, parent = [], ""
    for number in range(1500):
        run = Run("f", at=number)
        parent = run.send(run.receive(answers=parent)).span_id
        run.end()
        runs.append(run)
    story = story_of(*runs)
    compared = compare(story, story)
    assert (len(compared.rows), compared.parting) == (3000, "")

"""Hops are joined by spans, and whatever does not fit still has its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .runtime import Run, http, story_of

if TYPE_CHECKING:
    from clew.invocation import Sent


def test_hops_stand_under_the_sends_that_they_answer() -> None:
    edge = Run("api-a", source="aws:apigateway")
    received = edge.receive(ms=100)
    edge.log(received, "calling")
    call = http(edge, received, at=10)
    publish = edge.send(received, at=50)
    edge.end(took_ms=100)
    called = Run("api-b", at=20, source="aws:apigateway")
    called.receive(answers=call)
    called.end()
    told = [Run(name, at=at) for name, at in (("mail", 70), ("audit", 60))]
    for run in told:
        run.log(run.receive(answers=publish), f"hello from {run.invocation.function}")
        run.end()
    story = story_of(*told, called, edge)
    assert [(hop.number, hop.function, hop.depth, hop.above) for hop in story.hops] == [
        (1, "api-a", 0, None),
        (2, "api-b", 1, 1),
        (3, "audit", 1, 1),
        (4, "mail", 1, 1),
    ]
    assert [send.received_by for send in story.hop(1).sends] == [(2,), (3, 4)]
    assert [line.message for hop in story.hops for line in hop.lines] == [
        "calling",
        "hello from audit",
        "hello from mail",
    ]
    assert story.hop(1).duration_ms == 100
    assert story.hop(3).at_ms - story.at_ms == 60
    assert story.duration_ms == 100
    assert story.functions == ("api-a", "api-b", "audit", "mail")
    assert len(story.trace_ids) == 1
    assert story.breaks == ()


def test_of_a_batch_only_the_records_of_this_request_belong_to_it() -> None:
    edge = Run("edge")
    publish = edge.send(edge.receive())
    edge.end()
    batch = Run("worker", at=50, source="aws:kinesis")
    others = batch.receive("request-2")
    mine = batch.receive(answers=publish)
    batch.log(others, "not mine", at=55)
    batch.log(mine, "mine", at=60)
    batch.send(others, at=56)
    sent = batch.send(mine, at=61)
    batch.end()
    story = story_of(edge, batch)
    assert [hop.function for hop in story.hops] == ["edge", "worker"]
    assert [line.message for line in story.hop(2).lines] == ["mine"]
    assert [send.span for send in story.hop(2).sends] == [sent.span_id]
    assert story.hop(2).at_ms - story.at_ms == 60
    # And the batch itself has a story: what concerned none of its records.
    assert story_of(edge, batch, request="a-batch").hops[0].function == "worker"


def test_a_request_of_which_only_ids_are_logged_still_has_a_flat_story() -> None:
    message = '{{"message": "{0}", "x-correlation-id": "request-1", "requestId": "{1}"}}'
    first, second = Run("one"), Run("two", at=5)
    first.text(message.format("a", "r1"))
    first.text(message.format("b", "r1"), at=2)
    first.text(message.format("c", "r2"), at=3)
    second.text(message.format("d", ""))
    story = story_of(first, second)
    assert [(hop.function, [line.message for line in hop.lines]) for hop in story.hops] == [
        ("one", ["a", "b"]),
        ("one", ["c"]),
        ("two", ["d"]),
    ]
    assert {hop.outcome for hop in story.hops} == {"unknown"}
    assert story.breaks == ()


def test_lines_without_a_span_go_to_the_only_hop_of_their_invocation() -> None:
    run = Run("f")
    correlation = run.receive()
    run.log(correlation, "later", at=8)
    text = '{{"message": "plain", "x-correlation-id": "request-1", "requestId": "{}"}}'
    run.text(text.format(run.request_id), at=3)
    run.end()
    story = story_of(run)
    assert [line.message for line in story.hop(1).lines] == ["plain", "later"]


def test_an_unknown_request_has_no_story() -> None:
    run = Run("f")
    run.receive()
    run.end()
    for nobody in ("request-2", "", "request"):
        story = story_of(run, request=nobody)
        assert not story
        assert (story.hops, story.sends, story.breaks) == ((), (), ())


def test_a_sender_that_is_not_in_the_logs_is_said() -> None:
    run = Run("f")
    run.receive(answers="00000000000000aa")
    run.end()
    (hop,) = story_of(run).hops
    assert hop.note == "its sender is not in the logs"
    assert not hop.joined


def test_a_child_whose_clock_runs_late_stays_under_its_sender() -> None:
    edge = Run("edge", at=1000)
    publish = edge.send(edge.receive())
    edge.end()
    early = Run("early", at=200)
    early.receive(answers=publish)
    early.end()
    story = story_of(edge, early)
    assert [(hop.function, hop.at_ms - story.at_ms) for hop in story.hops] == [
        ("edge", 0),
        ("early", 0),
    ]
    assert story.notes == (
        "The clock of early is about 800 ms slow, and its times are shown without that",
    )
    assert story.breaks == ()


@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_circle_of_senders_is_cut_at_its_earliest_hop(length: int) -> None:
    runs = [Run(f"f{number}", at=100 - number) for number in range(length)]
    spans = [f"{number:016x}" for number in range(length)]
    for number, run in enumerate(runs):
        received = run.receive(answers=spans[number - 1])
        run.send(received).span_id = spans[number]
    tail = Run("tail", at=500)
    tail.receive(answers=spans[0])
    for run in (*runs, tail):
        run.end()
    story = story_of(*runs, tail)
    assert len(story.hops) == length + 1
    first = story.hop(1)
    assert first.function == f"f{length - 1}"
    assert "circle" in first.note
    assert [hop.depth for hop in story.hops if hop.function == "tail"] == [1 if length == 1 else 2]


def test_a_send_outside_of_any_hop_has_its_receivers_under_it() -> None:
    batch = Run("batch")
    batch.receive("request-2")
    batch.receive("request-3")
    stray = batch.send(batch.correlation("request-1"))
    batch.end()
    receiver = Run("receiver", at=9)
    receiver.receive(answers=stray)
    receiver.end()
    story = story_of(batch, receiver)
    (send,) = story.sends
    assert (send.function, send.received_by) == ("batch", (1,))
    assert (story.hop(1).depth, story.hop(1).joined) == (0, True)


def test_a_send_that_a_client_repeats_by_itself_has_one_receiver() -> None:
    edge = Run("edge")
    received = edge.receive()
    first, second = http(edge, received, at=1), http(edge, received, at=2)
    second.span_id = first.span_id
    edge.end()
    called = Run("called", at=3)
    called.receive(answers=first)
    called.end()
    story = story_of(edge, called)
    assert [send.received_by for send in story.hop(1).sends] == [(2,), (2,)]
    assert len(story.hops) == 2


def test_a_message_that_is_passed_on_with_the_span_that_it_had_is_followed() -> None:
    edge = Run("edge")
    publish = edge.send(edge.receive(), at=2)
    edge.end()
    relay = Run("relay", at=10, source="aws:sns")
    relayed = relay.send(relay.receive(answers=publish), "kinesis", "clicks", "PutRecord", at=12)
    relayed.span_id = publish.span_id
    relay.end()
    last = Run("last", at=20, source="aws:kinesis")
    last.receive(answers=publish)
    last.end()
    story = story_of(edge, relay, last)
    assert [(hop.function, hop.above) for hop in story.hops] == [
        ("edge", None),
        ("relay", 1),
        ("last", 2),
    ]
    assert [send.received_by for send in story.all_sends()] == [(2,), (3,)]
    (broken,) = story_of(edge, relay).breaks
    assert broken.target == "clicks"


def test_an_id_is_added_where_it_was_bound() -> None:
    edge = Run("edge")
    received = edge.receive()
    bound = received.with_ids({"x-correlation-user": "42", "x-correlation-unlogged": "7"})
    edge.log(received.with_ids({"x-correlation-user": "42"}), "bound")
    publish = edge.send(bound)
    edge.end(own=bound)
    below = Run("below", at=9)
    arrived = below.receive(answers=publish, user="42", unlogged="7")
    bound_too = arrived.with_ids({"x-correlation-order": "9"})
    below.log(bound_too, "bound too")
    below.end(own=bound_too)
    story = story_of(edge, below)
    assert [dict(hop.ids_added) for hop in story.hops] == [
        {"x-correlation-user": "42", "x-correlation-unlogged": "7"},
        {"x-correlation-order": "9"},
    ]


def test_deliveries_of_one_send_to_one_function_are_counted() -> None:
    edge = Run("edge")
    publish = edge.send(edge.receive())
    edge.end()
    runs = []
    for at, function, outcome in (
        (10, "mail", "failed"),
        (11, "audit", "done"),
        (500, "mail", "failed"),
        (900, "mail", "done"),
    ):
        run = Run(function, at=at)
        run.receive(answers=publish, outcome=outcome)
        run.end(ValueError("no") if outcome == "failed" else None)
        runs.append(run)
    story = story_of(edge, *runs)
    assert [(hop.function, hop.delivery, hop.deliveries) for hop in story.hops[1:]] == [
        ("mail", 1, 3),
        ("audit", 1, 1),
        ("mail", 2, 3),
        ("mail", 3, 3),
    ]
    assert story.breaks == ()
    assert story.hop(2).note == "a later attempt succeeded (delivery 3)"


def test_the_same_receive_is_one_hop_however_often_it_is_logged() -> None:
    run = Run("f")
    run.receive()
    lines = run.end()
    again = [line._replace(at_ms=line.at_ms + 1, stream="other") for line in lines]
    assert len(story_of(lines + again).hops) == 1


def test_a_chain_of_thousands_is_no_deeper_for_python_than_a_short_one() -> None:
    lines = []
    parent: Sent | str = ""
    for number in range(3000):
        run = Run("f", at=number, request_id=str(number))
        parent = run.send(run.receive(answers=parent))
        lines += run.end()
    story = story_of(lines)
    assert [hop.depth for hop in story.hops] == list(range(3000))
    assert story.hop(3000).above == 2999


def test_a_hop_that_only_its_lines_tell_of_is_unfinished() -> None:
    edge = Run("edge")
    publish = edge.send(edge.receive())
    edge.end()
    request_id = "4f0c1f0e-0d7a-4f3e-9d53-0a3a5b1f6f5e"
    cut = Run("slow", at=20, request_id=request_id)
    cut.log(cut.receive(answers=publish), "starting", at=25)
    cut.text(f"START RequestId: {request_id} Version: $LATEST")
    cut.text(f"{request_id} Task timed out after 3.00 seconds", at=3000)
    story = story_of(edge, cut)
    hop = story.hop(2)
    assert (hop.function, hop.outcome, hop.above) == ("slow", "unfinished", 1)
    assert [text.message for text in hop.texts] == [
        f"{request_id} Task timed out after 3.00 seconds"
    ]
    assert story.awaited_since_ms() == hop.at_ms


def test_parts_of_an_invocation_line_that_are_missing_are_said() -> None:
    run = Run("fan", source="aws:kinesis")
    for number in range(3000):
        run.receive(f"request-{number}")
    lines = run.end()
    assert len(lines) > 2
    story = story_of(lines[:1], request="request-1")
    (note,) = story.notes
    assert note.startswith("fan wrote its invocation line in ")
    assert story_of(lines, request="request-1").notes == ()

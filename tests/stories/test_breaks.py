"""What broke is said once, where it broke, in one sentence; what did not break is no break."""

from __future__ import annotations

from typing import Any

import pytest

from .runtime import Run, http, story_of

TOPIC = "arn:aws:sns:us-east-1:000000000000:orders"


def sentences(*runs: Run, request: str = "request-1") -> list[str]:
    story = story_of(*runs, request=request)
    assert len(story.breaks) == sum(hop.broken is not None for hop in story.hops) + sum(
        send.broken is not None for send in story.all_sends()
    )
    return [one.sentence for one in story.breaks]


def test_a_message_that_nobody_received() -> None:
    run = Run("shop")
    run.send(run.receive(), at=7)
    run.end()
    assert sentences(run) == [
        "shop sent to the SNS topic orders at 03:04:05.007 UTC, and nobody received it."
    ]
    (broken,) = story_of(run).breaks
    assert (broken.kind, broken.function, broken.target) == ("not received", "shop", TOPIC)
    assert story_of(run).awaited_since_ms() == broken.at_ms


@pytest.mark.parametrize(
    ("service", "target", "position", "named"),
    [
        ("kinesis", "arn:aws:kinesis:us-east-1:0:stream/clicks", {}, "the Kinesis stream clicks"),
        ("kinesis", "clicks", {"shardId": "s"}, "the Kinesis stream clicks"),
        ("lambda", "mail", {"invocationType": "Event"}, "the function mail"),
        ("eventbridge", "default", {}, "the event bus default"),
        ("something", "new", {}, "something new"),
    ],
)
def test_what_somebody_has_to_receive(
    service: str, target: str, position: dict[str, str], named: str
) -> None:
    run = Run("shop")
    run.send(run.receive(), service, target, "X", position=position)
    run.end()
    (sentence,) = sentences(run)
    assert named in sentence
    assert "nobody received it" in sentence


@pytest.mark.parametrize(
    ("service", "options"),
    [
        ("http", {"status": 200}),
        ("http", {"status": 404}),
        ("lambda", {"position": {"invocationType": "RequestResponse"}}),
        ("lambda", {}),
        ("s3", {}),
        ("dynamodb", {}),
        ("sns", {"carried": False}),
    ],
)
def test_what_nobody_has_to_receive(service: str, options: dict[str, Any]) -> None:
    run = Run("shop")
    run.send(run.receive(), service, "target", **options)
    run.end()
    assert sentences(run) == []
    note = story_of(run).hop(1).sends[0].note
    assert ("without its ids" in note) == ("carried" in options)


def test_a_send_under_another_id_is_followed_there() -> None:
    run = Run("shop")
    received = run.receive()
    run.send(received.with_ids({"x-correlation-id": "request-9"}))
    run.end()
    assert sentences(run) == []
    assert story_of(run).hop(1).sends[0].note == "it went out under the id request-9"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"outcome": "error", "error": "Timeout: 3 s", "status": 0},
            "no answer came in time: Timeout",
        ),
        ({"outcome": "error", "error": "x", "status": 503}, "failed with status 503: x."),
        ({"outcome": "pending", "status": 0}, "no answer came before its invocation ended."),
        ({"status": 500}, "was answered 500."),
    ],
)
def test_a_request_that_was_not_answered_well(options: dict[str, Any], said: str) -> None:
    run = Run("shop")
    http(run, run.receive(), at=7, **options)
    run.end()
    (sentence,) = sentences(run)
    assert sentence.startswith("shop called GET 127.0.0.1:4566/b at 03:04:05.007 UTC")
    assert said in sentence
    assert story_of(run).awaited_since_ms() is None


def test_a_send_that_the_service_refused() -> None:
    run = Run("shop")
    run.send(run.receive(), outcome="error", error="NotFound: no\n such   topic")
    run.end()
    (sentence,) = sentences(run)
    assert sentence.endswith(", and the send failed: NotFound: no such topic.")


def test_an_error_of_a_send_that_arrived_all_the_same_is_only_noted() -> None:
    run = Run("shop")
    publish = run.send(run.receive(), outcome="error", error="ReadTimeoutError")
    run.end()
    receiver = Run("mail", at=9)
    receiver.receive(answers=publish)
    receiver.end()
    assert sentences(run, receiver) == []
    assert "it was received" in story_of(run, receiver).hop(1).sends[0].note


def test_a_synchronous_invocation_whose_function_failed() -> None:
    run = Run("shop")
    call = run.send(run.receive(), "lambda", "price", "Invoke", error="the function failed: X")
    run.end()
    (sentence,) = sentences(run)
    assert sentence.endswith("the function failed: X.")
    price = Run("price", at=9, source="aws:lambda")
    price.receive(answers=call, outcome="failed", error="KeyError: 'sku'")
    price.end(KeyError("sku"))
    (sentence,) = sentences(run, price)
    assert (
        sentence == "price failed on the invocation by shop at 03:04:05.014 UTC: KeyError: 'sku'."
    )


def test_an_answer_that_passes_on_a_failure_below_is_no_second_break() -> None:
    run = Run("shop")
    call = http(run, run.receive(), status=502)
    run.end()
    below = Run("price", at=5, source="aws:apigateway")
    below.receive(answers=call, outcome="failed", error="ValueError: no", ms=3)
    below.end(ValueError("no"))
    assert sentences(run, below) == [
        "price failed on the request of shop (GET) at 03:04:05.008 UTC: ValueError: no."
    ]


@pytest.mark.parametrize(
    ("received", "said"),
    [
        (
            {"outcome": "failed", "error": "ValueError: no", "ms": 3},
            "shop failed on what came from API Gateway at 03:04:05.003 UTC: ValueError: no.",
        ),
        (
            {"outcome": "failed", "error": "", "ms": 3, "attempts": 3},
            "at 03:04:05.003 UTC after 3 attempts: ValueError: thrown.",
        ),
        ({"outcome": "skipped", "error": "X: y"}, "shop skipped what came from API Gateway at"),
        ({"outcome": "dead-lettered", "error": "X: y"}, "and dead-lettered it at"),
        ({"outcome": "returned", "error": "X: y"}, "for another attempt that never came at"),
        (
            {"outcome": "pending"},
            "shop never reached what came from API Gateway: its invocation, begun at "
            "03:04:05.000 UTC, failed before it: ValueError: thrown.",
        ),
        ({"outcome": "evaporated"}, "as evaporated at"),
    ],
)
def test_a_hop_that_did_not_end_well(received: dict[str, Any], said: str) -> None:
    run = Run("shop", source="aws:apigateway")
    run.receive(**received)
    run.end(ValueError("thrown"))
    (sentence,) = sentences(run)
    assert said in sentence
    assert story_of(run).hop(1).broken is not None


def test_a_hop_that_was_stopped_or_still_runs() -> None:
    request_id = "4f0c1f0e-0d7a-4f3e-9d53-0a3a5b1f6f5e"
    run = Run("slow", request_id=request_id)
    run.log(run.receive(), "starting")
    (sentence,) = sentences(run)
    assert sentence.endswith("never logged its end: it still runs, or it was stopped.")
    run.text(f"{request_id} Task timed out after 3.00 seconds", at=3000)
    (sentence,) = sentences(run)
    assert sentence.endswith("was stopped: Task timed out after 3.00 seconds.")


def test_a_record_that_another_records_failure_left_unhurt() -> None:
    run = Run("worker", source="aws:kinesis")
    run.receive("request-1")
    run.receive("request-2", outcome="failed", error="ValueError: no")
    run.receive("request-3", outcome="pending")
    run.end(ValueError("no"))
    assert sentences(run) == []
    note = story_of(run).hop(1).note
    assert note == "its invocation failed on another record: ValueError: no"
    (failed,) = sentences(run, request="request-2")
    assert failed.startswith("worker failed on what came from Kinesis at")
    (pending,) = sentences(run, request="request-3")
    assert pending.startswith("worker never reached what came from Kinesis")


def test_an_invocation_that_failed_after_its_records_were_done() -> None:
    run = Run("worker", source="aws:kinesis")
    run.receive("request-1")
    run.receive("request-2")
    run.end(MemoryError("late"))
    (sentence,) = sentences(run)
    assert "handled what came from Kinesis, but its invocation failed at" in sentence
    assert sentence.endswith(": MemoryError: late.")


@pytest.mark.parametrize(
    ("outcomes", "breaks", "notes"),
    [
        (["failed", "done"], 0, ["a later attempt succeeded (delivery 2)", ""]),
        (["failed", "failed"], 1, ["it was tried again (delivery 2)", ""]),
        (
            ["returned", "failed", "dead-lettered"],
            1,
            ["it was tried again (delivery 2)", "it was tried again (delivery 3)", ""],
        ),
        (["done", "pending"], 0, ["", "an earlier attempt succeeded (delivery 1)"]),
        (["done", "failed"], 1, ["", ""]),
        (["returned", "done"], 0, ["a later attempt succeeded (delivery 2)", ""]),
    ],
)
def test_attempts(outcomes: list[str], breaks: int, notes: list[str]) -> None:
    edge = Run("edge")
    publish = edge.send(edge.receive())
    edge.end()
    runs = [edge]
    for number, outcome in enumerate(outcomes, 1):
        run = Run("mail", at=100 * number)
        run.receive(answers=publish, outcome=outcome)
        run.end()
        runs.append(run)
    assert len(sentences(*runs)) == breaks
    assert [hop.note for hop in story_of(*runs).hops[1:]] == notes


@pytest.mark.parametrize("error", ["ValueError: no card", "ValueError: no card."])
def test_a_sentence_ends_once(error: str) -> None:
    edge = Run("edge")
    received = edge.receive(outcome="failed", error=error)
    edge.send(received, outcome="error", error=error)
    edge.end(ValueError(error.partition(": ")[2]))
    told = sentences(edge)
    assert len(told) == 2
    assert all(sentence.endswith(": no card.") for sentence in told)


def test_breaks_stand_in_the_order_of_time() -> None:
    edge = Run("edge")
    received = edge.receive(outcome="failed", error="X: y", ms=90)
    edge.send(received, at=40)
    http(edge, received, at=20, status=503)
    edge.end()
    kinds = [one.kind for one in story_of(edge).breaks]
    assert kinds == ["send failed", "not received", "failed"]

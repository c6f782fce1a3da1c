"""Functions that send to each other for ever are stopped, and a stream is not held up by it."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest

import clew
from capture.events import (
    FIELDS,
    Context,
    attributes,
    http_api,
    kinesis,
    rest_api,
    sns,
    with_context,
)
from clew.handlers import loops
from log.lines import Line, invocation, logged

from .every import EVERY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIMIT = 50


def came(length: object, request: str = "the-request") -> dict[str, Any]:
    """What the last function sent: its own place in the chain is ``length``."""
    return {**FIELDS, "x-correlation-id": request, "call-chain-length": length}


def record(length: object, request: str = "the-request") -> bytes:
    return with_context(b'{"a":1}', came(length, request))


ONE_CHAIN: dict[str, Any] = {
    "rest api": lambda length: rest_api(came(length)),
    "http api": lambda length: http_api(came(length)),
    "direct": lambda length: {"a": 1, "__context": came(length)},
    "sns": lambda length: sns("hello", attributes(came(length))),
}


def run(handler: Any, event: Any) -> tuple[list[Line], BaseException | None]:
    """The lines, and what was raised."""
    raised = None
    with logged() as lines:
        try:
            handler(event, Context())
        except clew.LoopDetected as error:
            raised = error
    return lines, raised


def detected(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line["message"] == "loop detected"]


@pytest.mark.parametrize("kind", ONE_CHAIN)
def test_a_chain_as_long_as_the_limit_is_let_pass(kind: str) -> None:
    seen: list[int] = []
    handler = EVERY[kind][0](lambda _: seen.append(clew.current().chain_length))
    lines, raised = run(handler, ONE_CHAIN[kind](str(LIMIT - 1)))
    assert (seen, raised, detected(lines)) == ([LIMIT], None, [])


@pytest.mark.parametrize("kind", ["direct", "sns"])
@pytest.mark.parametrize("length", [LIMIT, 9999])
def test_a_longer_one_raises_before_the_function_runs(kind: str, length: int) -> None:
    called: list[Any] = []
    lines, raised = run(EVERY[kind][0](called.append), ONE_CHAIN[kind](str(length)))
    assert called == []
    reached = min(length + 1, 9999)
    assert isinstance(raised, clew.ClewError)
    assert str(raised) == (
        f"The call chain of the-request has {reached} functions and seems to go in a circle: "
        "look who sends to whom, or set CLEW_MAX_CHAIN above 50."
    )
    (line,) = detected(lines)
    assert line["level"] == "ERROR"
    assert (line["chainLength"], line["maxChain"]) == (reached, LIMIT)
    assert line["x-correlation-id"] == "the-request"
    assert line["traceId"] == FIELDS["traceparent"][3:35]
    assert line["function"] == "my-function"
    assert line["source"].startswith(("aws:", "unknown"))
    wide = invocation(lines)
    assert wide["outcome"] == "error"
    assert wide["exception"]["type"] == "clew.errors.LoopDetected"
    assert [one["outcome"] for one in wide["received"]] == ["failed"]
    assert wide["received"][0]["error"].startswith("LoopDetected: The call chain")


REQUESTS: dict[str, Any] = {
    "rest api": rest_api,
    "http api": http_api,
    "function url": lambda headers: _at(http_api(headers), domainName="a.lambda-url.eu.on.aws"),
    "load balancer": lambda headers: {
        "requestContext": {"elb": {"targetGroupArn": "arn:a"}},
        "httpMethod": "GET",
        "path": "/",
        "headers": headers,
    },
    "web socket": lambda headers: {
        "requestContext": {
            "eventType": "CONNECT",
            "routeKey": "$connect",
            "connectionId": "a",
            "requestId": "b",
        },
        "headers": headers,
    },
}


def _at(event: dict[str, Any], **context: str) -> dict[str, Any]:
    return {**event, "requestContext": {**event["requestContext"], **context}}


@pytest.mark.parametrize("made_by", ["rest api", "direct"])
@pytest.mark.parametrize("kind", REQUESTS)
@pytest.mark.parametrize("length", [LIMIT, 9999])
def test_a_request_is_answered_and_the_function_does_not_fail(
    kind: str, length: int, made_by: str
) -> None:
    called: list[Any] = []
    handler = EVERY[made_by][0](called.append)
    with logged() as lines:
        answer = handler(REQUESTS[kind](came(str(length))), Context())
    assert called == []
    assert answer == {
        "statusCode": 508,
        "headers": {"content-type": "application/json", "x-correlation-id": "the-request"},
        "body": '{"message":"Loop Detected"}',
    }
    assert [line["message"] for line in lines if line["level"] == "ERROR"] == ["loop detected"]
    assert detected(lines)[0]["chainLength"] == min(length + 1, 9999)
    wide = invocation(lines)
    (received,) = wide["received"]
    assert (wide["outcome"], received["outcome"], received["attempts"]) == ("ok", "failed", 0)
    assert received["error"].startswith("LoopDetected: The call chain of the-request has ")


def test_a_load_balancer_that_wants_all_values_gets_them() -> None:
    event = REQUESTS["load balancer"]({})
    event["multiValueHeaders"] = {name: [value] for name, value in came(str(LIMIT)).items()}
    del event["headers"]
    with logged():
        answer = EVERY["rest api"][0](print)(event, Context())
    assert answer["multiValueHeaders"] == {
        "content-type": ["application/json"],
        "x-correlation-id": ["the-request"],
    }
    assert "headers" not in answer


def test_one_that_calls_itself_by_http_ends_after_so_many_hops() -> None:
    hops: list[int] = []

    @clew.api_handler
    def function(event: Any, context: Any) -> Any:
        hops.append(clew.current().chain_length)
        return function(http_api(clew.current().outgoing("b" * 16)), context)

    with logged() as lines:
        answer = function(http_api({}), Context())
    assert hops == list(range(1, LIMIT + 1))
    assert answer["statusCode"] == 508
    assert len(detected(lines)) == 1


def test_where_a_message_came_from_is_said() -> None:
    lines, _ = run(EVERY["sns"][0](print), ONE_CHAIN["sns"]("50"))
    (line,) = detected(lines)
    assert line["from"] == "arn:aws:sns:us-east-1:123456789012:sns-lambda"
    assert line["messageId"] == "95df01b4-ee98-5cb9-9903-4c221d41eb5e"


POLICIES = [
    clew.halt(),
    clew.skip(),
    clew.retry(3, backoff=0, then=clew.halt()),
    clew.retry(3, then=clew.skip()),
]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_record_of_a_stream_is_skipped_and_the_others_are_handled(policy: clew.Policy) -> None:
    seen: list[str] = []

    @clew.kinesis_handler(on_failure=policy)
    def each(one: clew.KinesisRecord) -> None:
        seen.append(clew.current().id)

    event = kinesis(record("1", "a"), record("50", "b"), record("9", "c"), record(9999, "d"))
    lines, raised = run(each, event)
    assert (seen, raised) == (["a", "c"], None)
    assert [line["x-correlation-id"] for line in detected(lines)] == ["b", "d"]
    assert (
        detected(lines)[0]["from"] == "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream"
    )
    assert detected(lines)[0]["sequenceNumber"].endswith("0001")
    wide = invocation(lines)
    assert wide["outcome"] == "ok"
    outcomes = [(one["id"], one["outcome"], one["attempts"]) for one in wide["received"]]
    assert outcomes == [
        ("a", "done", 1),
        ("b", "skipped", 0),
        ("c", "done", 1),
        ("d", "skipped", 0),
    ]
    assert wide["received"][1]["error"].startswith("LoopDetected")


def test_a_list_of_records_comes_without_them() -> None:
    seen: list[list[str]] = []
    handler = EVERY["kinesis batch"][0](
        lambda all_: seen.append([one.correlation.id for one in all_])
    )
    lines, raised = run(handler, kinesis(record("1", "a"), record("50", "b"), record("2", "c")))
    assert (seen, raised) == ([["a", "c"]], None)
    outcomes = [one["outcome"] for one in invocation(lines)["received"]]
    assert outcomes == ["done", "skipped", "done"]


@pytest.mark.parametrize("kind", ["kinesis", "kinesis batch", "direct"])
def test_of_a_stream_nothing_is_left_and_the_function_is_not_called(kind: str) -> None:
    called: list[Any] = []
    lines, raised = run(
        EVERY[kind][0](called.append), kinesis(record("50", "a"), record("51", "b"))
    )
    assert (called, raised) == ([], None)
    assert len(detected(lines)) == 2
    assert [one["outcome"] for one in invocation(lines)["received"]] == ["skipped", "skipped"]


def sqs(*lengths: str) -> dict[str, Any]:
    return {
        "Records": [
            {
                "eventSource": "aws:sqs",
                "messageId": str(number),
                "body": "hello",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:queue",
                "messageAttributes": {
                    name: {"dataType": "String", "stringValue": value}
                    for name, value in came(length).items()
                },
            }
            for number, length in enumerate(lengths)
        ]
    }


def test_a_queue_has_its_own_place_for_what_fails() -> None:
    called: list[Any] = []
    lines, raised = run(EVERY["direct"][0](called.append), sqs("50", "60"))
    assert called == []
    assert isinstance(raised, clew.LoopDetected)
    assert [line["messageId"] for line in detected(lines)] == ["0", "1"]
    assert [one["outcome"] for one in invocation(lines)["received"]] == ["failed", "failed"]


def test_of_an_event_that_is_taken_whole_nothing_is_left_out() -> None:
    called: list[Any] = []
    event = sqs("1", "60")
    lines, raised = run(EVERY["direct"][0](called.append), event)
    assert (called, raised) == ([event], None)
    assert [line["messageId"] for line in detected(lines)] == ["1"]
    assert [one["outcome"] for one in invocation(lines)["received"]] == ["done", "done"]


@pytest.mark.parametrize("options", [{}, {"lanes": 2}, {"batch": True}], ids=str)
def test_a_message_that_its_handler_answers_for_is_returned_to_its_queue(
    options: dict[str, Any],
) -> None:
    called: list[Any] = []
    handler = clew.sqs_handler(on_failure=clew.retry(3, backoff=0, then=clew.halt()), **options)(
        called.append
    )
    with logged() as lines:
        answer = handler(sqs("1", "60", "2"), Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    handled = called[0] if options.get("batch") else called
    assert sorted(one.message_id for one in handled) == ["0", "2"]
    outcomes = [(one["outcome"], one["attempts"]) for one in invocation(lines)["received"]]
    assert outcomes == [("done", 1), ("returned", 0), ("done", 1)]


@pytest.mark.parametrize("options", [{}, {"lanes": 2}, {"batch": True}], ids=str)
def test_where_there_are_dead_letters_it_becomes_one(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    letters: list[Any] = []

    def taken(_: Any, some: list[Any]) -> list[str]:
        letters.extend(some)
        return [""] * len(some)

    monkeypatch.setattr("clew.streams.outbox.write", taken)
    target = clew.dead_letter("arn:aws:sqs:us-east-1:000000000000:dead")
    called: list[Any] = []
    handler = clew.kinesis_handler(on_failure=target, **options)(called.append)
    with logged() as lines:
        answer = handler(kinesis(record("1", "a"), record("50", "b")), Context())
    assert answer == {"batchItemFailures": []}
    assert [one["outcome"] for one in invocation(lines)["received"]] == ["done", "dead-lettered"]
    (letter,) = letters
    assert letter.envelope.correlation_id == "b"
    assert "go in a circle" in str(letter.envelope.members)


def test_firehose_delivers_it_to_its_error_output() -> None:
    seen: list[str] = []

    @clew.firehose_handler(on_failure=clew.halt())
    def each(one: clew.FirehoseRecord) -> Any:
        seen.append(one.correlation.id)
        return one.payload

    event = {
        "invocationId": "a",
        "deliveryStreamArn": "arn:aws:firehose:us-east-1:123456789012:deliverystream/a",
        "records": [
            {"recordId": name, "data": b64encode(record(length, name)).decode()}
            for name, length in (("a", "1"), ("b", "50"))
        ],
    }
    with logged() as lines:
        answer = each(event, Context())
    assert seen == ["a"]
    assert [one["result"] for one in answer["records"]] == ["Ok", "ProcessingFailed"]
    assert answer["records"][1]["data"] == event["records"][1]["data"]  # type: ignore[index]
    assert [line["x-correlation-id"] for line in detected(lines)] == ["b"]
    assert [one["outcome"] for one in invocation(lines)["received"]] == ["done", "failed"]


@pytest.fixture
def max_chain() -> Iterator[Callable[[str], None]]:
    """Sets ``CLEW_MAX_CHAIN``, which is read when a function is decorated."""
    with pytest.MonkeyPatch.context() as patch:
        yield lambda value: patch.setenv("CLEW_MAX_CHAIN", value)
    loops.limit.read()


@pytest.mark.parametrize(
    ("limit", "longest"),
    [("3", 3), (" 60 ", 60), ("1", 1), ("", 50), ("many", 50), ("-1", 50), ("٣", 50)],
)
def test_the_limit_is_for_the_user_to_set(
    limit: str, longest: int, max_chain: Callable[[str], None]
) -> None:
    max_chain(limit)
    handler = EVERY["direct"][0](lambda _: None)
    for length in range(2, 70):
        _, raised = run(handler, ONE_CHAIN["direct"](str(length - 1)))
        assert (raised is not None) is (length > longest)


def test_0_is_no_limit(max_chain: Callable[[str], None]) -> None:
    max_chain("0")
    for kind, event in ONE_CHAIN.items():
        assert run(EVERY[kind][0](lambda _: None), event("9999"))[1] is None


@pytest.mark.parametrize("length", ["", "-5", "1e9", "99999", None, [], "x", True, 2.5])
@pytest.mark.parametrize("kind", ["direct", "kinesis", "kinesis batch"])
def test_what_is_no_length_stops_nothing(kind: str, length: object) -> None:
    called: list[Any] = []
    context = {"a": 1, "__context": came(length)}
    event = context if kind == "direct" else kinesis(record(length))
    assert run(EVERY[kind][0](called.append), event)[1] is None
    assert len(called) == 1


def test_one_that_sends_to_itself_ends_after_so_many_hops() -> None:
    hops: list[int] = []

    @clew.handler
    def function(event: Any, context: Any) -> None:
        here = clew.current()
        hops.append(here.chain_length)
        function({"a": 1, "__context": here.outgoing("b" * 16)}, context)

    with logged() as lines, pytest.raises(clew.LoopDetected):
        function({"a": 1}, Context())
    assert hops == list(range(1, LIMIT + 1))
    assert {line["x-correlation-id"] for line in detected(lines)} == {lines[-1]["x-correlation-id"]}

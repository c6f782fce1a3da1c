"""The life of an invocation, the same for every handler: what can go wrong, and reaches nobody."""

from __future__ import annotations

import copy
import io
import itertools
import logging
import sys
import traceback
from typing import Any

import pytest

import clew
from capture.events import (
    API_REQUEST_ID,
    FIELDS,
    HTTP_API_REQUEST_ID,
    REQUEST_ID,
    XRAY_HEADER,
    XRAY_ROOT,
    Context,
    attributes,
    http_api,
    kinesis,
    packed,
    rest_api,
    sns,
    with_context,
)
from clew.correlation import NONE
from log.lines import invocation, logged, warnings

from .every import EVERY, plain

log = clew.get_logger("tests.run")
HANDLERS = pytest.mark.parametrize("kind", EVERY)

NASTY = [
    "a" * 100_000,
    "\x00\x1b[31m",
    "a\nb",
    "naïve",
    "\ud800",
    "",
    7,
    None,
    True,
    ["a"],
    {},
    b"",
]


# ---- malformed events


def malformed() -> list[Any]:
    """(an event that cannot all be read, the id that the request gets)."""
    events: list[Any] = []
    for value in NASTY:
        events += [
            (rest_api({"x-correlation-id": value}), API_REQUEST_ID),
            (http_api({"x-correlation-id": value}), HTTP_API_REQUEST_ID),
            (sns("hello", {"x-correlation-id": {"Type": "String", "Value": value}}), REQUEST_ID),
            ({"a": 1, "__context": {"x-correlation-id": value}}, REQUEST_ID),
        ]
    for value in ("text", 7, True, ["a"]):
        events += [
            ({**rest_api(), "headers": value}, API_REQUEST_ID),
            ({**rest_api(), "multiValueHeaders": value}, API_REQUEST_ID),
            ({**http_api(), "headers": value}, HTTP_API_REQUEST_ID),
            (sns("hello", value), REQUEST_ID),
        ]
    events += [
        (kinesis("%%% no base64"), REQUEST_ID),
        (kinesis(b'{"a": '), REQUEST_ID),
        (kinesis(None), REQUEST_ID),
        (kinesis(with_context(b"{}", {"x-correlation-id": "\x1b"})), REQUEST_ID),
        (sns("hello", packed("{")), REQUEST_ID),
        (sns("hello", {"clew-context": {"Type": "Binary", "Value": "%%%"}}), REQUEST_ID),
        (rest_api({"traceparent": "00-not-a-trace"}), API_REQUEST_ID),
        (rest_api({"debug-log-enabled": "perhaps"}), API_REQUEST_ID),
        (rest_api({"call-chain-length": "-1"}), API_REQUEST_ID),
        (rest_api({f"x-correlation-{n}": "v" * 256 for n in range(100)}), API_REQUEST_ID),
    ]
    return events


@pytest.mark.parametrize(("event", "expected"), malformed())
def test_a_malformed_event_gives_one_warning_and_a_fresh_id(event: Any, expected: Any) -> None:
    before = copy.deepcopy(event)
    seen: list[tuple[Any, clew.Correlation]] = []
    handler = plain(lambda given: seen.append((given, clew.current())))
    with logged() as lines:
        handler(event, Context())
    ((given, correlation),) = seen
    assert event == before
    assert given == {name: value for name, value in before.items() if name != "__context"}
    assert correlation.id == (expected or REQUEST_ID)
    (warning,) = warnings(lines)
    assert warning["message"] == "what came in could not all be read"
    assert warning["dropped"] or warning["problem"]
    assert warning["x-correlation-id"] == correlation.id
    assert invocation(lines)["outcome"] == "ok"


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"Records": []},
        {"Records": None},
        rest_api(None),
        http_api({}),
        kinesis(b"Hello, this is a test."),
        kinesis(b"\x00\xff"),
        sns("no json"),
        {"key1": "value1"},
        [],
        "text",
        None,
        7,
    ],
)
def test_what_is_only_unknown_or_without_ids_gives_no_warning(event: Any) -> None:
    seen: list[Any] = []
    with logged() as lines:
        plain(seen.append)(event, Context())
    assert seen == [event]
    assert len(lines) == 1


@HANDLERS
@pytest.mark.parametrize("event", [None, 7, "text", [], {}, {"Records": 7}, {"requestContext": 7}])
@pytest.mark.parametrize("context", [None, 7, Context()])
def test_any_handler_takes_any_event(kind: str, event: Any, context: Any) -> None:
    make, _ = EVERY[kind]
    seen: list[Any] = []
    with logged() as lines:
        make(seen.append)(event, context)
    assert len(seen) == 1
    assert invocation(lines)["outcome"] == "ok"


# ---- the user's own errors


class OwnError(Exception):
    """An error of the user's."""


@HANDLERS
@pytest.mark.parametrize(
    "error",
    [OwnError("a"), clew.ClewError("a"), KeyboardInterrupt(), SystemExit(3), BaseException("a")],
)
def test_what_the_user_raises_comes_out_unchanged(kind: str, error: BaseException) -> None:
    make, event = EVERY[kind]
    cause = error.__cause__ = OwnError("the cause")

    def the_users_own(_: Any) -> None:
        raise error

    with logged() as lines, pytest.raises(type(error)) as raised:
        make(the_users_own)(event, Context())
    assert raised.value is error
    assert error.__cause__ is cause
    assert error.__context__ is None
    assert not hasattr(error, "__notes__")
    assert traceback.extract_tb(error.__traceback__)[-1].name == "the_users_own"
    wide = invocation(lines)
    assert (wide["outcome"], wide["level"]) == ("error", "ERROR")
    assert wide["exception"]["stack"][-1].startswith(wide["exception"]["type"])
    assert any("the_users_own" in line for line in wide["exception"]["stack"])
    assert {one["outcome"] for one in wide["received"]} == {"failed"}


@HANDLERS
def test_an_error_without_a_text_comes_out_unchanged(kind: str) -> None:
    class NoTextError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    make, event = EVERY[kind]
    error = NoTextError()

    def fail(_: Any) -> None:
        raise error

    with logged() as lines, pytest.raises(NoTextError) as raised:
        make(fail)(event, Context())
    assert raised.value is error
    assert invocation(lines)["exception"]["type"].endswith("NoTextError")


def test_an_error_in_an_error_handler_of_the_users_keeps_its_context() -> None:
    def fail(_: Any) -> None:
        try:
            {}["a"]  # type: ignore[index]
        except KeyError:
            raise OwnError from None

    with logged(), pytest.raises(OwnError) as raised:
        plain(fail)({}, Context())
    assert isinstance(raised.value.__context__, KeyError)
    assert raised.value.__suppress_context__


# ---- failures of clew's own


@HANDLERS
@pytest.mark.parametrize(
    "broken",
    [
        "clew.handlers.run.open_delivery",
        "clew.handlers.run.write_invocation",
        "clew.log.recorder.write_held",
        "clew.log.recorder.write_event",
        "clew.handlers.run._note_outcome",
        "clew.capture.read",
        "clew.capture.receive",
    ],
)
@pytest.mark.parametrize("fails", [False, True])
def test_a_failure_of_clews_reaches_nobody(
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    broken: str,
    fails: bool,
) -> None:
    def break_(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("clew is broken")

    make, event = EVERY[kind]
    module, _, name = broken.rpartition(".")
    monkeypatch.setattr(sys.modules[module], name, break_)
    seen: list[clew.Correlation] = []

    def body(_: Any) -> str:
        seen.append(clew.current())
        log.info("inside")
        if fails:
            raise OwnError
        return "result"

    handler = make(body)
    with logged() as lines:
        if fails:
            with pytest.raises(OwnError):
                handler(event, Context())
        else:
            assert handler(event, Context()) in ("result", None)
    assert len(seen) == 1, "the handler ran all the same"
    assert seen[0].id
    assert [line["message"] for line in lines].count("inside") == 1
    assert len(warnings(lines)) <= 1
    assert clew.current() is NONE


@HANDLERS
def test_a_closed_stdout_reaches_nobody(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make, event = EVERY[kind]
    monkeypatch.setattr(logging, "raiseExceptions", False)
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    calls: list[Any] = []

    def body(given: Any) -> None:
        log.info("inside")
        calls.append(given)
        raise OwnError

    with pytest.raises(OwnError):
        make(body)(event, Context())
    assert len(calls) == 1


def test_without_the_outgoing_hooks_a_handler_still_runs_and_logs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "clew.forward", None)
    with logged() as lines:
        handler = plain(lambda event: event)
        assert handler({"a": 1}, Context()) == {"a": 1}
    warning, wide = lines
    assert "preparing a handler" in warning["message"]
    assert wide["message"] == "invocation"


# ---- one invocation after another


@HANDLERS
@pytest.mark.parametrize("fails", [False, True])
def test_nothing_of_one_invocation_is_seen_in_the_next(kind: str, fails: bool) -> None:
    make, event = EVERY[kind]
    seen: list[dict[str, str]] = []

    def body(_: Any) -> None:
        seen.append(dict(clew.current()))
        clew.bind(mine=len(seen))
        log.debug("held by %d", len(seen))
        clew.use(clew.Correlation({"x-correlation-id": "left behind"})).__enter__()
        if fails:
            raise OwnError

    handler = make(body)
    for _ in range(3):
        with logged() as lines:
            if fails:
                with pytest.raises(OwnError):
                    handler(event, Context())
            else:
                handler(event, Context())
        held = [line["message"] for line in lines if line["message"].startswith("held")]
        assert held == ([f"held by {len(seen)}"] if fails else [])
        assert clew.current() is NONE
    assert len(seen) == 3
    assert all("x-correlation-mine" not in fields for fields in seen)
    assert not {"left behind"} & {fields["x-correlation-id"] for fields in seen}


def test_what_was_in_force_outside_is_not_seen_inside() -> None:
    seen: list[clew.Correlation] = []
    outside = clew.Correlation({"x-correlation-id": "outside", "x-correlation-mine": "1"})
    with logged(), clew.use(outside):
        plain(lambda _: seen.append(clew.current()))({}, Context())
        assert clew.current() is outside
    assert dict(seen.pop()).keys() == {"x-correlation-id", "debug-log-enabled", "call-chain-length"}


# ---- what the lines say


@HANDLERS
def test_the_lines_of_an_invocation(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make, event = EVERY[kind]
    monkeypatch.setenv("_X_AMZN_TRACE_ID", XRAY_HEADER)
    monkeypatch.setattr("clew.invocation._invocations", itertools.count())
    handler = make(lambda _: log.info("inside", extra={"requestId": "mine", "coldStart": "mine"}))
    for cold in (True, False):
        with logged() as lines:
            handler(event, Context())
        told, wide = lines
        for line in lines:
            assert line["requestId"] == REQUEST_ID
            assert (line["function"], line["version"]) == ("my-function", "$LATEST")
            assert line["coldStart"] is cold
            assert line["xrayTraceId"] == XRAY_ROOT
            assert line["traceId"] == XRAY_ROOT.removeprefix("1-").replace("-", "")
        assert (told["requestId_"], told["coldStart_"]) == ("mine", "mine")
        assert (wide["message"], wide["outcome"], wide["sent"]) == ("invocation", "ok", [])
        assert [one["outcome"] for one in wide["received"]] == ["done"] * len(wide["received"])
        assert wide["durationMs"] >= max(one["ms"] for one in wide["received"])


def test_the_functions_name_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "from-env")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_VERSION", "7")
    with logged() as lines:
        plain(lambda _: None)({}, None)
    assert (lines[0]["function"], lines[0]["version"]) == ("from-env", "7")


def test_a_whole_chain_joins_up() -> None:
    """Each hop's receive is the child of the send before, and all are one trace."""
    hops: list[clew.Correlation] = []

    def hop(_: Any) -> None:
        hops.append(clew.current())
        clew.bind(**{f"hop{len(hops)}": len(hops)})
        outgoing.update(clew.current().outgoing(f"{len(hops):016x}"))

    outgoing: dict[str, str] = {}
    with logged():
        EVERY["rest api"][0](hop)(rest_api({}), Context())
        EVERY["sns"][0](hop)(sns("hello", attributes(outgoing)), Context())
        EVERY["kinesis"][0](hop)(kinesis(with_context(b"{}", outgoing)), Context())
        EVERY["direct"][0](hop)({"__context": dict(outgoing)}, Context())
        EVERY["http api"][0](hop)(http_api(dict(outgoing)), Context())
    assert {one.id for one in hops} == {API_REQUEST_ID}
    assert len({one.trace_id for one in hops}) == 1
    assert [one.chain_length for one in hops] == [1, 2, 3, 4, 5]
    assert [one.parent_span_id for one in hops] == ["", *(f"{n:016x}" for n in range(1, 5))]
    assert {f"x-correlation-hop{n}" for n in range(1, 5)} <= hops[-1].keys()
    assert FIELDS.keys() >= hops[-1].keys() - {f"x-correlation-hop{n}" for n in range(1, 5)}


# ---- one handler inside another


def all_lines(outer: str, inner: str, event: Any, inner_event: Any) -> list[Any]:
    log = clew.get_logger("inside")
    inner_handler = EVERY[inner][0](lambda _: log.info("inner"))

    def body(given: Any) -> Any:
        clew.bind(user="42")
        log.info("outer")
        return inner_handler(given if inner_event is None else inner_event, Context())

    with logged() as lines:
        EVERY[outer][0](body)(event, Context())
    return lines


@pytest.mark.parametrize("inner_event", [None, {"foo": 1}], ids=["same event", "another"])
@pytest.mark.parametrize("inner", ["direct", "rest api"])
@pytest.mark.parametrize("outer", ["direct", "rest api", "http api"])
def test_a_handler_called_by_another_is_part_of_it(
    outer: str, inner: str, inner_event: Any
) -> None:
    lines = all_lines(outer, inner, EVERY[outer][1], inner_event)
    assert [line["message"] for line in lines] == ["outer", "inner", "invocation"]
    for name in ("x-correlation-id", "x-correlation-user", "spanId", "traceId"):
        assert len({line[name] for line in lines}) == 1


def test_one_that_is_called_with_ids_is_a_hop() -> None:
    sent = {"__context": {**FIELDS, "x-correlation-id": "sent"}}
    lines = all_lines("direct", "direct", {"a": 1}, sent)
    messages = [line["message"] for line in lines]
    assert messages == ["outer", "inner", "invocation", "invocation"]
    assert lines[1]["x-correlation-id"] == lines[2]["x-correlation-id"] == "sent"


def test_what_is_left_of_another_invocation_is_none_to_be_inside() -> None:
    class Other(Context):
        aws_request_id = "another-request"

    inner = EVERY["direct"][0](lambda _: None)
    with logged() as lines:
        EVERY["direct"][0](lambda _: inner({"b": 1}, Other()))({"a": 1}, Context())
    assert [line["requestId"] for line in lines] == ["another-request", REQUEST_ID]

"""Messages of every kind become values, and none of them raises."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.log.wide import MAX_CHUNK
from clew.stories.lines import Invocation, LogLine, RawLine, ReceivedEntry, SentEntry, TextLine
from clew.stories.parse import MAX_MESSAGE, parse, read

from .runtime import TRACE, Run, http

UUID = "4f0c1f0e-0d7a-4f3e-9d53-0a3a5b1f6f5e"


def raw(message: str | dict[str, Any], at_ms: int = 1000) -> RawLine:
    text = message if isinstance(message, str) else json.dumps(message)
    return RawLine(at_ms, "/aws/lambda/api-a", "stream", text)


def test_an_ordinary_line_has_every_field_that_the_runtime_wrote() -> None:
    run = Run("api-a", at=3)
    correlation = run.correlation("request-1", parent="00000000000000aa", user="42")
    run.log(
        correlation, "hello", at=5, level="WARNING", error=ValueError("no"), tries=3, own={"a": 1}
    )
    (line,) = read(run.lines).ordinary
    assert (line.level, line.message, line.logger) == ("WARNING", "hello", "app")
    assert (line.function, line.request_id) == ("api-a", "request-api-a-3")
    assert line.at_ms == 1_767_323_045_005
    assert line.id == "request-1"
    assert line.ids == {"x-correlation-id": "request-1", "x-correlation-user": "42"}
    assert (line.trace_id, line.span) == (TRACE, correlation.span_id)
    assert line.parent == "00000000000000aa"
    assert line.exception is not None
    assert (line.exception.type, line.exception.message) == ("ValueError", "no")
    assert line.fields == {"tries": 3, "own": {"a": 1}}
    assert line.debug == "false"


def test_an_invocation_line_has_every_entry_that_the_runtime_wrote() -> None:
    run = Run("api-a", source="aws:kinesis")
    first = run.receive("request-1", outcome="failed", attempts=2, ms=7, error="ValueError: no")
    run.receive("request-2", outcome="pending", position={"shardId": "s-0"})
    http(run, first, at=4, outcome="error", error="Timeout: 3 s", carried=False)
    (one,) = read(run.end(ValueError("no"), took_ms=20)).invocations
    assert (one.source, one.outcome) == ("aws:kinesis", "error")
    assert one.started_ms == 1_767_323_045_000
    assert one.duration_ms is not None
    assert one.duration_ms >= 20
    assert one.complete
    assert one.line.exception is not None
    failed, pending = one.received
    assert (failed.span, failed.id, failed.outcome) == (first.span_id, "request-1", "failed")
    assert (failed.attempts, failed.ms, failed.error) == (2, 7.0, "ValueError: no")
    assert (pending.outcome, pending.attempts, pending.position) == (
        "pending",
        0,
        {"shardId": "s-0"},
    )
    (sent,) = one.sent
    assert (sent.service, sent.operation, sent.target) == ("http", "GET", "http://127.0.0.1:4566/b")
    assert (sent.parent, sent.id, sent.trace) == (first.span_id, "request-1", TRACE)
    assert (sent.outcome, sent.error, sent.status) == ("error", "Timeout: 3 s", 200)
    assert not sent.carried
    assert sent.at_ms == 1_767_323_045_004


def test_the_chunks_of_one_invocation_are_put_together_in_any_order() -> None:
    run = Run("fan", source="aws:kinesis")
    count = 3 * MAX_CHUNK // 150
    for number in range(count):
        run.receive(f"request-{number}")
    lines = run.end(KeyError("x"))
    assert len(lines) > 2
    (one,) = read([*reversed(lines), lines[1]]).invocations
    assert one.complete
    assert len(one.received) == count
    assert one.line.exception is not None
    (part,) = read(lines[1:]).invocations
    assert not part.complete


def test_attempts_that_share_a_request_id_stay_apart() -> None:
    runs = [Run("f", at=at, request_id=UUID) for at in (0, 1000)]
    lines = [line for run in runs for line in (run.receive(), run.end())[1]]
    assert len(read(lines).invocations) == 2


def test_a_line_that_comes_twice_counts_once() -> None:
    run = Run("f")
    run.log(run.receive(), "hello")
    run.text("plain")
    lines = run.end()
    assert read([*lines, *lines]) == read(lines)


@pytest.mark.parametrize(
    ("message", "request_id", "bookkeeping"),
    [
        (f"START RequestId: {UUID} Version: $LATEST", UUID, True),
        (f"END RequestId: {UUID}", UUID, True),
        (f"REPORT RequestId: {UUID}\tDuration: 3 ms", UUID, True),
        (f"2026-01-02T03:04:05.678Z {UUID} Task timed out after 3.00 seconds", UUID, False),
        ('{"timestamp": "2026-01-02T03:0', "", False),
        ("[1, 2]", "", False),
        ("printed", "", False),
        ("", "", False),
    ],
)
def test_what_is_no_json_object_stays_text(
    message: str, request_id: str, bookkeeping: bool
) -> None:
    line = parse(raw(message))
    assert line == TextLine(1000, "/aws/lambda/api-a", message, request_id, "stream")
    assert line.bookkeeping is bookkeeping


def test_the_words_of_lambda_in_its_json_format_are_text() -> None:
    message = {"time": "x", "type": "platform.report", "record": {"requestId": UUID}}
    said = parse(raw(message))
    assert isinstance(said, TextLine)
    assert (said.request_id, said.bookkeeping) == (UUID, True)
    message["record"] = {"requestId": UUID, "status": "timeout"}
    said = parse(raw(message))
    assert isinstance(said, TextLine)
    assert "timed out" in said.message
    assert not said.bookkeeping


def test_lines_of_other_libraries_are_read_as_far_as_they_go() -> None:
    line = parse(raw({"message": "hi", "level": 30, "x-correlation-id": "r", "awsRegion": "x"}))
    assert isinstance(line, LogLine)
    assert (line.id, line.function, line.level, line.span) == ("r", "api-a", "", "")
    assert line.at_ms == 1000
    assert line.fields == {"awsRegion": "x"}


@pytest.mark.parametrize(
    "message",
    [
        '{"a":' * 100_000,
        "[" * 100_000,
        '{"received": [' + "9" * 5000 + "]}",
        '{"message":"invocation","logger":"clew","received":[1,null,[],{"span":{}}],"sent":7}',
        '{"message":"invocation","logger":"clew","received":{},"sent":[{"at":9,"status":1e999}]}',
        '{"timestamp":"9999-12-31T23:59:59+99:99","message":{"a":1},"exception":[1]}',
        '{"timestamp":"0001-01-01T00:00:00+14:00","chunk":-1e308}',
        '{"timestamp":"2026-13-45","exception":{"stack":[1,"x"]}}',
        '{"message":"\\ud800","durationMs":NaN}',
        '{"message":"invocation","logger":"clew","sent":[],"chunk":1e30,"chunks":true}',
        "{" + " " * MAX_MESSAGE + "}",
    ],
)
def test_no_message_raises(message: str) -> None:
    read([raw(message, at_ms=10**30), raw(message, at_ms=-5)])


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
_NAMES = [
    *("timestamp", "level", "message", "logger", "requestId", "function", "x-correlation-id"),
    *("traceId", "spanId", "parentSpanId", "exception", "source", "outcome", "startedAt"),
    *("durationMs", "chunk", "chunks", "received", "sent", "type"),
]
_ENTRY = st.dictionaries(
    st.sampled_from(
        sorted({*ReceivedEntry.__dataclass_fields__, *SentEntry.__dataclass_fields__, "at"})
    ),
    _JSON,
    max_size=6,
)


@given(
    st.dictionaries(
        st.sampled_from(_NAMES), _JSON | st.lists(_ENTRY, max_size=3) | st.just("invocation")
    ),
    st.booleans(),
)
def test_no_field_of_any_type_raises(fields: dict[str, Any], wide: bool) -> None:
    if wide:
        fields = {**fields, "message": "invocation", "logger": "clew", "received": []} | fields
    parsed = parse(raw(fields))
    assert isinstance(parsed, LogLine | Invocation | TextLine)

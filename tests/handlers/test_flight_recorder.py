"""DEBUG lines that nobody turned on are there when an invocation fails, and only then."""

from __future__ import annotations

from typing import Any

import pytest

import clew
from capture.events import FIELDS, Context, kinesis, rest_api, with_context
from clew.invocation import FLIGHT_RECORDER_LINES
from log.lines import Line, logged

from .every import EVERY

log = clew.get_logger("tests.flight_recorder")
HANDLERS = pytest.mark.parametrize("kind", EVERY)


def fails(_: Any) -> None:
    for number in range(FLIGHT_RECORDER_LINES + 50):
        log.debug("step %d", number, extra={"number": number, "token": "x"})
    log.info("written at once")
    raise KeyError("a")


def run(kind: str, body: Any, event: Any = None, **options: Any) -> list[Line]:
    make, its_own = EVERY[kind]
    with logged() as lines:
        try:
            make(body, **options)(its_own if event is None else event, Context())
        except KeyError:
            lines.append({"message": "raised"})
    return lines


@HANDLERS
def test_a_failure_writes_the_last_lines_and_the_event(kind: str) -> None:
    raised, first, *held, event, wide = run(kind, fails)
    assert raised == {"message": "raised"}
    assert first["message"] == "written at once"
    assert "flightRecorder" not in first
    assert [line["number"] for line in held] == list(range(50, FLIGHT_RECORDER_LINES + 50))
    assert {line["token"] for line in held} == {"***"}
    assert all(line["flightRecorder"] is True and line["level"] == "DEBUG" for line in held)
    assert held[0]["timestamp"] <= held[-1]["timestamp"] <= first["timestamp"]
    assert {line["requestId"] for line in held} == {wide["requestId"]}
    assert event["message"] == "the event of the failed invocation"
    assert event["flightRecorder"] is True
    assert wide["message"] == "invocation"


@HANDLERS
def test_a_success_writes_none_of_it(kind: str) -> None:
    (wide,) = run(kind, lambda _: log.debug("held"))
    assert wide["message"] == "invocation"


def test_where_debug_is_on_nothing_is_written_twice() -> None:
    def body(_: Any) -> None:
        log.debug("on")
        raise KeyError("a")

    lines = run("rest api", body, debug_sample_rate=1.0)
    assert [line["message"] for line in lines] == [
        "raised",
        "on",
        "the event of the failed invocation",
        "invocation",
    ]


def test_the_event_is_written_without_secrets_and_cut() -> None:
    headers = {"Authorization": "Bearer abc", "Cookie": "session=abc", "Host": "example.com"}
    body = '{"user": "u", "password": "abc"}'
    lines = run("rest api", fails, rest_api(headers, body=body))
    (line,) = (line for line in lines if line["message"].startswith("the event"))
    event = line["event"]
    assert event["headers"] == {"Authorization": "***", "Cookie": "***", "Host": "example.com"}
    assert event["multiValueHeaders"]["Authorization"] == "***"
    assert event["body"] == '{"user": "u", "password": "***"}'
    assert event["path"] == "/my/path"

    lines = run("rest api", fails, rest_api(headers, body="x" * 1_000_000))
    (line,) = (line for line in lines if line["message"].startswith("the event"))
    assert len(line["eventCut"]) == 16_384
    assert "Bearer" not in line["eventCut"]


def test_lines_keep_the_ids_that_were_in_force() -> None:
    def body(record: clew.KinesisRecord) -> None:
        log.debug("held")
        clew.bind(mine=record.sequence_number[-1])
        log.debug("held")
        if record.sequence_number.endswith("1"):
            raise KeyError("a")

    payloads = [with_context(b"{}", {**FIELDS, "x-correlation-id": one}) for one in ("a", "b")]
    held = [line for line in run("kinesis", body, kinesis(*payloads)) if line["message"] == "held"]
    assert [(line["x-correlation-id"], line.get("x-correlation-mine")) for line in held] == [
        ("a", None),
        ("a", "0"),
        ("b", None),
        ("b", "1"),
    ]

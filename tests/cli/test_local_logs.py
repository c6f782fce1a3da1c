"""What ``clew local logs`` shows of a line."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from clew.cli.local_logs import raw_text, text
from clew.localcloud.logs import LogLine
from stories.runtime import Run

AT = datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC)
BEFORE = "03:04:06.000 f  "


def shown(message: str) -> str:
    return text(LogLine(AT, "/aws/lambda/f", "stream", message))


def test_a_line_of_clews_is_shown_by_its_parts() -> None:
    run = Run("f")
    received = run.receive("request-1", user="bob")
    run.log(received, "pay \x1b[31m", at=1, amount=3, where={"a": [1]}, much="x" * 1000)
    (line,) = run.lines
    assert shown(line.message) == (
        "03:04:05.001 f  INFO     pay \\x1b[31m  amount=3  "
        f'where={{"a":[1]}}  much={"x" * 295}…  id=request-1  user=bob'
    )


def test_an_exception_and_the_end_of_an_invocation_are_shown() -> None:
    run = Run("f")
    received = run.receive("request-1")
    run.log(received, "no luck", level="ERROR", error=ValueError("no card"))
    run.send(received)
    *_, invocation = run.end(took_ms=2_000)
    first, *stack = shown(run.lines[0].message).splitlines()
    assert "ERROR    no luck  id=request-1" in first
    assert stack == ["    ValueError: no card"]
    assert "INFO     invocation: ok after 20" in shown(invocation.message)
    assert "received 1, sent 1  id=request-1" in shown(invocation.message)


@pytest.mark.parametrize(
    "message",
    [
        "START RequestId: 1",
        "printed",
        '{"half',
        json.dumps({"of": "somebody else"}),
        json.dumps({"level": "INFO", "of": "somebody else"}),
    ],
)
def test_any_other_line_is_shown_as_it_is(message: str) -> None:
    assert shown(message) == BEFORE + message


def test_raw_is_the_message_itself() -> None:
    run = Run("f")
    run.log(run.receive(), "hello")
    message = run.lines[0].message.rstrip()
    assert raw_text(LogLine(AT, "/aws/lambda/f", "stream", message)) == BEFORE + message

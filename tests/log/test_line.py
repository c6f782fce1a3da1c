"""One line as text: its fields, and what a caller's fields can never do to it."""

from __future__ import annotations

import json
from typing import Any

import pytest

import clew
from clew.correlation import NONE
from clew.invocation import Invocation
from clew.log import exceptions
from clew.log.line import (
    MAX_FIELDS,
    MAX_MESSAGE,
    RESERVED,
    build,
    describe,
    timestamp,
)

from .lines import read_lines

AT = 1_767_323_045.678


def line(**others: Any) -> dict[str, Any]:
    arguments = {
        "at": AT,
        "level": "INFO",
        "message": "hello",
        "logger": "app",
        "correlation": NONE,
        **others,
    }
    (read,) = read_lines(build(**arguments))
    return read


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (AT, "2026-01-02T03:04:05.678Z"),
        (AT + 0.0009, "2026-01-02T03:04:05.678Z"),
        (0, "1970-01-01T00:00:00.000Z"),
        (1_767_323_045.9999, "2026-01-02T03:04:05.999Z"),
        (1_767_323_046, "2026-01-02T03:04:06.000Z"),
    ],
)
def test_timestamps(at: float, text: str) -> None:
    assert timestamp(at) == text


def test_a_line_outside_of_a_request() -> None:
    assert line() == {
        "timestamp": "2026-01-02T03:04:05.678Z",
        "level": "INFO",
        "message": "hello",
        "logger": "app",
    }


def test_a_line_of_an_invocation() -> None:
    class Context:
        aws_request_id = "request"
        function_name = "api-a"
        function_version = "7"

    correlation = clew.Correlation(
        {"x-correlation-id": "a", "debug-log-enabled": "false"},
        trace_id="1" * 32,
        span_id="2" * 16,
        xray_trace_id="1-2-3",
        invocation=Invocation("unknown", {}, Context()),
    )
    read = line(correlation=correlation, fields={"own": {"a": 1}})
    assert read.pop("coldStart") in (True, False)
    assert read == {
        "timestamp": "2026-01-02T03:04:05.678Z",
        "level": "INFO",
        "message": "hello",
        "logger": "app",
        "requestId": "request",
        "function": "api-a",
        "version": "7",
        "x-correlation-id": "a",
        "debug-log-enabled": "false",
        "traceId": "1" * 32,
        "spanId": "2" * 16,
        "xrayTraceId": "1-2-3",
        "own": {"a": 1},
    }


def test_a_callers_field_never_replaces_one_of_clews() -> None:
    correlation = clew.Correlation({"x-correlation-id": "a"}, span_id="2" * 16)
    wire_names = ["x-correlation-id", "x-correlation-new", "user-agent", "traceparent"]
    mine = dict.fromkeys([*RESERVED, *wire_names], "mine")
    plain, own = line(correlation=correlation), line(correlation=correlation, fields=mine)
    assert {name: own[name] for name in plain} == plain
    assert {name: own.pop(f"{name}_") for name in mine} == mine
    assert own == plain


def test_no_name_is_there_twice() -> None:
    fields: dict[Any, int] = {"level": 1, "level_": 2, "level__": 3, "a": 4, 7: 5, "7": 6}
    read = line(fields=fields)
    assert (read["level"], read["level_"]) == ("INFO", 1)
    assert [value for name, value in read.items() if name not in line()] == [1, 2, 3, 4, 5, 6]


def test_secrets_are_masked_at_every_level() -> None:
    read = line(fields={"password": "x", "a": [{"Authorization": "x"}]})
    assert (read["password"], read["a"]) == ("***", [{"Authorization": "***"}])


def test_control_characters_stay_escaped() -> None:
    nasty = 'a\n{"level":"ERROR"}\r\x1b[31m\u2028\u202e\x00\ud800"'
    text = build(
        at=AT, level="INFO", message=nasty, logger=nasty, correlation=NONE, fields={nasty: nasty}
    )
    assert text.count("\n") == 1
    (read,) = read_lines(text)
    assert read["message"] == read["logger"] == read[nasty] == nasty


@pytest.mark.parametrize("letter", ["m", "é", "\x00", "\U0001f40d"])
def test_what_is_long_is_cut(letter: str) -> None:
    read = line(message=letter * 300_000, fields={"long": letter * 300_000})
    for text, limit in ((read["message"], MAX_MESSAGE), (read["long"], MAX_FIELDS)):
        assert text.startswith(letter * 3_000)
        assert text.endswith("… (300000 characters)")
        assert len(json.dumps(text)) <= limit


def test_fields_that_are_too_many_are_left_out() -> None:
    many = {str(n): "v" for n in range(50_000)}
    fields = {"n" * 5_000: 1, "list": ["é"] * 50_000, **many}
    read = line(fields=fields)
    assert read["n" * 256] == 1
    assert read["list"].endswith("… (450001 characters)")
    assert len(json.dumps(line(fields=many))) < MAX_FIELDS * 2


def caught(error: BaseException) -> dict[str, Any]:
    with pytest.raises(type(error)) as raised:
        raise error
    found = describe(raised.type, raised.value, raised.tb)
    assert found is not None
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]


class OwnError(Exception):
    """An error of the user's."""


def test_an_exception_is_described() -> None:
    found = caught(OwnError("out of wine"))
    assert found["type"] == f"{__name__}.OwnError"
    assert found["message"] == "out of wine"
    assert found["stack"][0] == "Traceback (most recent call last):"
    assert found["stack"][-1] == f"{__name__}.OwnError: out of wine"
    assert caught(KeyError("a"))["type"] == "KeyError"
    assert describe(None, None, None) is None


def test_an_exception_without_a_text_is_described() -> None:
    class NoTextError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    found = caught(NoTextError())
    assert found["message"] == "<NoTextError: its text raised RuntimeError>"


def test_a_long_exception_is_cut() -> None:
    def there(steps: int) -> None:
        back(steps - 1)

    def back(steps: int) -> None:  # two functions: a stack of one alone is folded by Python
        if steps < 0:
            raise OwnError("é" * 500_000)
        there(steps - 1)

    with pytest.raises(OwnError) as raised:
        there(300)
    found = describe(raised.type, raised.value, raised.tb)
    assert found is not None
    assert len(found["stack"]) == 101
    assert found["stack"][50].startswith("… ")
    assert max(map(len, found["stack"])) <= exceptions.MAX_STACK_LINE
    assert len(found["message"]) < 10_000

"""The flight recorder: held while all goes well, written when it does not."""

from __future__ import annotations

import logging
from array import array
from sys import getsizeof
from typing import Any

import pytest

import clew
from clew.invocation import FLIGHT_RECORDER_LINES, Invocation
from clew.log.logger import get_logger
from clew.log.recorder import MAX_EVENT, write_event, write_held

from .lines import logged

log = get_logger("tests.recorder")


def correlation(
    invocation: Invocation, span_id: str = "1" * 16, debug: str = "false"
) -> clew.Correlation:
    fields = {"x-correlation-id": "a", "debug-log-enabled": debug}
    return clew.Correlation(fields, span_id=span_id, invocation=invocation)


@pytest.fixture
def invocation() -> Invocation:
    return Invocation("unknown", {}, None)


def test_debug_lines_that_are_off_are_held(invocation: Invocation) -> None:
    with logged() as lines, clew.use(correlation(invocation)):
        own = {"own": 1, "name": 2, "password": "x"}
        log.debug("one of %d", 2, extra=own)
        log.log(logging.DEBUG, "%(a)s", {"a": "two"})
    assert lines == []
    with logged() as lines:
        write_held(invocation)
    assert [(one["level"], one["message"], one["flightRecorder"]) for one in lines] == [
        ("DEBUG", "one of 2", True),
        ("DEBUG", "two", True),
    ]
    assert lines[0]["logger"] == "tests.recorder"
    assert lines[0]["x-correlation-id"] == "a"
    assert (lines[0]["own"], lines[0]["name_"], lines[0]["password"]) == (1, 2, "***")


def test_they_are_written_once(invocation: Invocation) -> None:
    with clew.use(correlation(invocation)):
        log.debug("one")
    with logged() as lines:
        write_held(invocation)
        write_held(invocation)
    assert len(lines) == 1


def test_debug_lines_that_are_on_are_not_held(invocation: Invocation) -> None:
    with logged() as lines, clew.use(correlation(invocation, debug="true")):
        log.debug("one")
        write_held(invocation)
    assert [one.get("flightRecorder") for one in lines] == [None]


def test_outside_of_an_invocation_nothing_is_held() -> None:
    with logged() as lines:
        log.debug("one")
    assert lines == []


def test_the_oldest_go_first(invocation: Invocation) -> None:
    with clew.use(correlation(invocation)):
        for number in range(FLIGHT_RECORDER_LINES + 10):
            log.debug("line %d", number)
    with logged() as lines:
        write_held(invocation)
    assert [one["message"] for one in lines] == [
        f"line {number}" for number in range(10, FLIGHT_RECORDER_LINES + 10)
    ]


def test_those_of_one_record_alone(invocation: Invocation) -> None:
    one, two = correlation(invocation, "1" * 16), correlation(invocation, "2" * 16)
    for held in (one, two, one):
        with clew.use(held):
            clew.bind(more="1")  # the span stays
            log.debug("held")
    with logged() as lines:
        write_held(invocation, only=one)
    assert [line["spanId"] for line in lines] == ["1" * 16] * 2
    with logged() as lines:
        write_held(invocation)
    assert [line["spanId"] for line in lines] == ["2" * 16]


def test_values_are_written_as_they_were(invocation: Invocation) -> None:
    order: dict[str, Any] = {"items": [1], "tags": {"a"}, "pair": (1, [2])}
    with clew.use(correlation(invocation)):
        log.debug("order %s", order, extra={"order": order})
        log.debug("%(items)s", order)
        log.debug("untouched", extra=order)
    order["items"].append(2)
    order["pair"][1].append(3)
    order["more"] = 1
    with logged() as lines:
        write_held(invocation)
    then = {"items": [1], "tags": "{'a'}", "pair": [1, [2]]}
    assert lines[0]["message"] == "order {'items': [1], 'tags': {'a'}, 'pair': (1, [2])}"
    assert lines[0]["order"] == then
    assert lines[1]["message"] == "[1]"
    assert {name: lines[2].get(name) for name in order} == {**then, "more": None}


@pytest.mark.parametrize("times", [1, 50])
def test_large_values_are_not_kept_whole(invocation: Invocation, times: int) -> None:
    text = "t" * 1_000_000

    def call() -> None:
        body: dict[str, Any] = {"bytes": text.encode(), "text": text, "rest": [text] * 100}
        log.debug("chunk %s of %s", 1, body, extra={"body": body["bytes"], "all": body})
        log.debug("all of " + text)  # noqa: G003  (as it should not be)
        log.debug(
            "view", extra={"view": memoryview(body["bytes"]), "array": array("d", [1] * 9999)}
        )

    with clew.use(correlation(invocation)):
        for _ in range(times):
            call()
    assert total_size([*invocation.flight_recorder]) < times * 150_000
    with logged() as lines:
        write_held(invocation)
    assert len(lines) == 3 * times
    assert lines[0]["body"] == "t" * 4_096 + "… (1000000 bytes)"
    assert lines[1]["message"].startswith("all of ttt")
    assert lines[2]["array"] == f"<array: {getsizeof(array('d', [1] * 9999))} bytes>"


def total_size(value: Any) -> int:
    """Bytes of a value and of what stands in it."""
    if isinstance(value, dict):
        return sum(map(total_size, (*value, *value.values())))
    if isinstance(value, list | tuple | set):
        return sum(map(total_size, value))
    return 0 if isinstance(value, clew.Correlation) else getsizeof(value)


def test_an_exception_that_was_logged_at_debug_is_kept(invocation: Invocation) -> None:
    with clew.use(correlation(invocation)):
        try:
            int("wine")
        except ValueError as error:
            log.debug("by flag", exc_info=True)
            known = error
        log.debug("by value", exc_info=known)
        log.debug("by tuple", exc_info=(ValueError, known, known.__traceback__))
        log.debug("none in hand", exc_info=True)
    with logged() as lines:
        write_held(invocation)
    assert [one.get("exception", {}).get("type") for one in lines] == [*["ValueError"] * 3, None]


def test_what_cannot_be_shown_is_written_all_the_same(invocation: Invocation) -> None:
    class NoText:
        def __str__(self) -> str:
            raise RuntimeError("no text")

    with clew.use(correlation(invocation)):
        log.debug("%d", "a")
        log.debug(NoText(), extra={"own": NoText()})
        log.debug("a", extra=7)  # type: ignore[arg-type]
        log.debug("a", exc_info=7)  # type: ignore[arg-type]
    with logged() as lines:
        write_held(invocation)
    assert len(lines) == 4


def event_line(event: Any) -> dict[str, Any]:
    with logged() as lines:
        write_event(event, clew.Correlation({"x-correlation-id": "a"}))
    (line,) = lines
    assert (line["level"], line["flightRecorder"]) == ("DEBUG", True)
    return line


def test_the_event_is_written_without_its_secrets() -> None:
    headers = {"Authorization": "Bearer x", "Host": "example.com"}
    line = event_line({"headers": headers, "body": '{"password": "x"}'})
    assert line["event"] == {
        "headers": {"Authorization": "***", "Host": "example.com"},
        "body": '{"password": "***"}',
    }


@pytest.mark.parametrize(
    "event",
    [
        {"type": "TOKEN", "authorizationToken": "Bearer abc.def", "methodArn": "arn:aws:x"},
        {
            "version": "2.0",
            "type": "REQUEST",
            "identitySource": ["Bearer abc.def", "Bearer abc.def"],
        },
        {
            "version": "1.0",
            "identitySource": "Bearer abc.def",
            "authorizationToken": "Bearer abc.def",
        },
        {
            "headers": {"X-Auth-Token": "abc.def"},
            "multiValueHeaders": {"x-auth-token": ["abc.def"]},
        },
        {"type": "REQUEST", "headers": {"my-own": "Bearer abc.def"}, "body": ["Bearer abc.def"]},
        {"authorizationToken": "abc.def", "requestHeaders": {"authorization": "abc.def"}},
        {"data": {"artifactCredentials": {"secretAccessKey": "abc.def"}}},
        {"artifact": {"secretAccessKey": "abc.def"}},
    ],
)
def test_what_an_authorizer_was_given_is_not_shown(event: dict[str, Any]) -> None:
    assert "abc.def" not in str(event_line(event)["event"])


def test_a_long_event_is_cut() -> None:
    line = event_line({"password": "x", "body": "b" * 100_000})
    assert "event" not in line
    assert line["eventCut"].startswith('{"password":"***","body":"bbb')
    assert len(line["eventCut"]) == MAX_EVENT


@pytest.mark.parametrize("event", [None, 7, "text", [], b"\xff", float("nan"), {1: {2: {3}}}])
def test_any_event_can_be_written(event: Any) -> None:
    assert "event" in event_line(event)

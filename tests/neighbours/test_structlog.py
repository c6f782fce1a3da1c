"""The real structlog, with clew's fields, the DEBUG decision and the flight recorder."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
import structlog

import clew
from clew.neighbours.structlog import follow_decision, processor, render

from .functions import Functions, http_event

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELDS = {
    "requestId": "00000000-0000-0000-0000-000000000001",
    "function": "a",
    "version": "$LATEST",
    "x-correlation-id": "edge-1",
    "x-correlation-user-id": "42",
    "debug-log-enabled": "false",
    "call-chain-length": "1",
}


@pytest.fixture(autouse=True)
def _configured_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("CLEW_LOG_LEVEL", raising=False)
    monkeypatch.delenv("AWS_LAMBDA_LOG_LEVEL", raising=False)
    yield
    structlog.reset_defaults()


def configure(*last: Any) -> Any:
    """A logger as the documentation configures it."""
    structlog.configure(
        processors=[structlog.processors.add_log_level, follow_decision, *last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory=structlog.PrintLoggerFactory(),
    )
    return structlog.get_logger()


def json_logger() -> Any:
    return configure(processor, structlog.processors.JSONRenderer())


def test_a_line_has_what_clews_own_have(functions: Functions) -> None:
    log = json_logger()

    def handler(event: Any, _: Any) -> None:
        clew.bind(user_id=42)
        clew.get_logger("own").info("clew's")
        log.info("structlog's", order=7, requestId="the caller's own")

    functions.invoke("a", handler, http_event({}))
    clews, line, _ = functions.lines
    shared = {name: clews[name] for name in clews if name not in ("timestamp", "message", "logger")}
    assert shared.items() >= FIELDS.items()
    assert line == {
        **shared,
        "level": "info",
        "event": "structlog's",
        "order": 7,
        "requestId_": "the caller's own",
    }


@pytest.mark.parametrize("decision", ["true", "false"])
def test_debug_follows_the_call_chain(decision: str, functions: Functions) -> None:
    log = json_logger()
    event = http_event({"debug-log-enabled": decision})
    functions.invoke("a", lambda *_: log.debug("detail"), event)
    said = [line["event"] for line in functions.lines if "event" in line]
    assert said == (["detail"] if decision == "true" else [])


def test_what_debug_would_have_said_is_written_when_it_fails(functions: Functions) -> None:
    log = json_logger()

    def handler(event: Any, _: Any) -> None:
        log.debug("before it broke", logger="mine", number=1)
        try:
            int("x")
        except ValueError:
            log.debug("why", exc_info=True)
        raise KeyError("broken")

    with pytest.raises(KeyError):
        functions.invoke("a", handler, http_event({}))
    before, why, *_ = functions.lines
    assert (before["message"], before["level"]) == ("before it broke", "DEBUG")
    assert (before["number"], before["logger"], before["flightRecorder"]) == (1, "mine", True)
    assert why["exception"]["type"] == "ValueError"


def test_the_levels_of_the_environment_count(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = json_logger()

    def handler(event: Any, _: Any) -> None:
        for method in ("debug", "info", "warn", "exception", "critical"):
            getattr(log, method)(method)

    monkeypatch.setenv("CLEW_LOG_LEVEL", "WARNING")
    functions.invoke("a", handler, http_event({}))
    said = [line["event"] for line in functions.lines if "event" in line]
    assert said == ["warn", "exception", "critical"]
    monkeypatch.setenv("CLEW_LOG_LEVEL", "DEBUG")
    functions.invoke("b", handler, http_event({}))
    assert "debug" in [line.get("event") for line in functions.lines_of("b")]


@pytest.mark.parametrize("before", [(), (processor,)])
def test_render_writes_clews_own_line(before: tuple[Any, ...], functions: Functions) -> None:
    log = configure(*before, render)

    def handler(event: Any, _: Any) -> None:
        try:
            int("x")
        except ValueError:
            log.exception("failed", order=7, password="hunter2", level_of="water")

    functions.invoke("a", handler, http_event({}))
    line, _ = functions.lines
    assert (line["message"], line["level"], line["logger"]) == ("failed", "ERROR", "structlog")
    assert line["exception"]["type"] == "ValueError"
    assert line["order"] == 7
    assert "hunter2" not in json.dumps(line)
    assert not [name for name in line if name.endswith("_")]
    (hop,) = functions.story("edge-1").hops
    assert [one.message for one in hop.lines] == ["failed"]


def test_tasks_side_by_side_have_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    log = json_logger()

    async def one(number: int) -> None:
        with clew.use(clew.Correlation({"x-correlation-id": str(number)})):
            await asyncio.sleep(0)
            await log.ainfo("async", number=number)
            log.info("sync", number=number)

    async def every() -> None:
        await asyncio.gather(*(one(number) for number in range(20)))

    asyncio.run(every())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 40
    assert all(line["x-correlation-id"] == str(line["number"]) for line in lines)


def test_outside_a_request_a_line_stays_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    json_logger().info("alone", a=1)
    assert json.loads(capsys.readouterr().out) == {"event": "alone", "level": "info", "a": 1}


def test_over_loggers_of_the_standard_library_lines_are_clews(functions: Functions) -> None:
    clew.get_logger("app")
    structlog.configure(
        processors=[follow_decision, structlog.stdlib.render_to_log_kwargs],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    log = structlog.get_logger("app")
    for decision in ("true", "false"):
        event = http_event({"debug-log-enabled": decision})
        functions.invoke(decision, lambda *_: log.debug("detail", a=1), event)
    assert [line["message"] for line in functions.lines_of("true")] == ["detail", "invocation"]
    assert functions.lines_of("true")[0]["a"] == 1
    assert [line["message"] for line in functions.lines_of("false")] == ["invocation"]

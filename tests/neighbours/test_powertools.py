"""The real Logger of Powertools for AWS Lambda, with clew's fields and clew's DEBUG decision."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.buffer import LoggerBufferConfig

import clew
from clew.neighbours.powertools import bridge

from .functions import Functions, http_event


class Powertools:
    """A bridged Logger, and what it wrote."""

    def __init__(self, **options: Any) -> None:
        self.service = f"service-{uuid.uuid4().hex[:8]}"
        self.stream = io.StringIO()
        self.logger: Any = bridge(Logger(service=self.service, stream=self.stream, **options))

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    @property
    def messages(self) -> list[str]:
        return [line["message"] for line in self.lines]


@pytest.fixture
def powertools() -> Powertools:
    return Powertools()


def test_a_line_has_what_clews_own_have_beside_its_own_keys(
    functions: Functions, powertools: Powertools
) -> None:
    logger = powertools.logger

    def handler(event: Any, _: Any) -> None:
        clew.bind(user_id=42)
        clew.get_logger("own").info("clew's")
        logger.append_keys(tenant="t")
        logger.info("powertools'", order=7, extra={"traceId": "the caller's own"})

    functions.invoke("a", handler, http_event({}))
    clews = functions.lines[0]
    (line,) = powertools.lines
    shared = {
        name: clews[name]
        for name in clews
        if name not in ("timestamp", "message", "logger", "level")
    }
    assert shared["x-correlation-user-id"] == "42"
    assert line.items() >= shared.items()
    assert (line["service"], line["tenant"], line["order"]) == (powertools.service, "t", 7)
    assert line["traceId_"] == "the caller's own"
    assert line["location"].startswith("handler:")


def test_each_line_is_written_once(functions: Functions, powertools: Powertools) -> None:
    """clew's handler, on the root logger, leaves to Powertools what Powertools writes."""
    child: Any = bridge(Logger(service=powertools.service, child=True))

    def handler(event: Any, _: Any) -> None:
        powertools.logger.info("parent")
        child.info("child")
        logging.getLogger("another").warning("another's")

    functions.invoke("a", handler, http_event({}))
    assert powertools.messages == ["parent", "child"]
    assert all(line["x-correlation-id"] == "edge-1" for line in powertools.lines)
    assert [line["message"] for line in functions.lines] == ["another's", "invocation"]


def test_without_the_bridge_each_line_is_written_once_too(functions: Functions) -> None:
    stream = io.StringIO()
    logger = Logger(service="unbridged", stream=stream)
    functions.invoke("a", lambda *_: logger.info("plain"), http_event({}))
    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == ["plain"]
    assert [line["message"] for line in functions.lines] == ["invocation"]


@pytest.mark.parametrize("decision", ["true", "false"])
def test_debug_follows_the_call_chain(
    decision: str, functions: Functions, powertools: Powertools
) -> None:
    def handler(event: Any, _: Any) -> None:
        powertools.logger.debug("detail")
        powertools.logger.info("always")

    functions.invoke("a", handler, http_event({"debug-log-enabled": decision}))
    assert powertools.messages == [*(["detail"] if decision == "true" else []), "always"]
    if decision == "true":
        assert powertools.lines[0]["location"].startswith("handler:")


def test_what_debug_would_have_said_is_written_when_it_fails(
    functions: Functions, powertools: Powertools
) -> None:
    def handler(event: Any, _: Any) -> None:
        powertools.logger.debug("before it broke", number=1)
        raise KeyError("broken")

    with pytest.raises(KeyError):
        functions.invoke("a", handler, http_event({}))
    held = functions.lines[0]
    assert (held["message"], held["number"]) == ("before it broke", 1)
    assert held["flightRecorder"] is True
    assert powertools.messages == []


def test_tasks_and_threads_side_by_side_have_their_own(powertools: Powertools) -> None:
    async def one(number: int) -> None:
        with clew.use(clew.Correlation({"x-correlation-id": str(number)})):
            await asyncio.sleep(0)
            powertools.logger.info("task", number=number)

    async def every() -> None:
        await asyncio.gather(*(one(number) for number in range(50)))

    def in_thread(number: int) -> None:
        with clew.use(clew.Correlation({"x-correlation-id": str(number)})):
            powertools.logger.info("thread", number=number)

    asyncio.run(every())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(in_thread, range(50)))
    assert len(powertools.lines) == 100
    assert all(line["x-correlation-id"] == str(line["number"]) for line in powertools.lines)


def test_each_record_of_a_batch_has_its_own(powertools: Powertools) -> None:
    @clew.kinesis_handler(on_failure=clew.halt())
    def each(record: clew.Record) -> None:
        powertools.logger.info(record.payload["name"])

    from base64 import b64encode

    records = [
        {
            "eventSource": "aws:kinesis",
            "kinesis": {"data": b64encode(json.dumps(payload).encode()).decode()},
        }
        for payload in (
            {"name": name, "__context": {"x-correlation-id": name}} for name in ("one", "two")
        )
    ]
    each({"Records": records}, None)
    assert [line["x-correlation-id"] for line in powertools.lines] == ["one", "two"]


def test_outside_a_request_a_line_stays_as_it_is(powertools: Powertools) -> None:
    powertools.logger.info("alone")
    (line,) = powertools.lines
    assert set(line) == {"level", "location", "message", "timestamp", "service"}


def test_its_decorator_works_beside_clews(functions: Functions, powertools: Powertools) -> None:
    class Context:
        function_name = "a"
        memory_limit_in_mb = 128
        invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:a"
        aws_request_id = "52fdfc07-2182-154f-163f-5f0f9a621d72"

    path = "requestContext.requestId"
    body = powertools.logger.inject_lambda_context(correlation_id_path=path)(
        lambda *_: powertools.logger.info("both")
    )
    clew.handler(body)(http_event({}), Context())
    (line,) = powertools.lines
    assert line["correlation_id"] == line["x-correlation-id"] == "edge-1"
    assert line["function_name"] == line["function"] == "a"


def test_a_story_has_its_lines(functions: Functions, powertools: Powertools) -> None:
    functions.invoke("a", lambda *_: powertools.logger.info("told"), http_event({}))
    functions.add("a", powertools.stream.getvalue())
    (hop,) = functions.story("edge-1").hops
    assert [(line.message, line.level) for line in hop.lines] == [("told", "INFO")]


def test_it_may_be_bridged_again(functions: Functions, powertools: Powertools) -> None:
    assert bridge(powertools.logger) is powertools.logger
    bridge(Logger(service=powertools.service))
    functions.invoke("a", lambda *_: powertools.logger.info("one"), http_event({}))
    (line,) = powertools.lines
    assert not [name for name in line if name.endswith("_")]


# Powertools' own buffer.


@pytest.fixture
def buffered(monkeypatch: pytest.MonkeyPatch) -> Powertools:
    root = "1-5759e988-bd862e3fe1be46a994272793"
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={root};Parent=53995c3f42cd8ad8;Sampled=1")
    return Powertools(buffer_config=LoggerBufferConfig(), level="DEBUG")


def test_what_is_buffered_has_the_fields_of_when_it_was_logged(
    functions: Functions, buffered: Powertools
) -> None:
    def handler(event: Any, _: Any) -> None:
        with clew.use(clew.Correlation({"x-correlation-id": "inner"})):
            buffered.logger.debug("detail", number=1)
        assert buffered.lines == []
        buffered.logger.flush_buffer()

    functions.invoke("a", handler, http_event({}))
    (line,) = buffered.lines
    assert (line["message"], line["number"], line["x-correlation-id"]) == ("detail", 1, "inner")
    assert line["location"].startswith("handler:")
    assert not [name for name in line if name.startswith("_") or name.endswith("_")]


def test_the_buffer_keeps_nothing_back_where_the_chain_is_at_debug(
    functions: Functions, buffered: Powertools
) -> None:
    def handler(event: Any, _: Any) -> None:
        buffered.logger.debug("detail")
        assert buffered.messages == ["detail"]
        buffered.logger.flush_buffer()

    functions.invoke("a", handler, http_event({"debug-log-enabled": "true"}))
    assert buffered.messages == ["detail"]

"""The real OpenTelemetry SDK in the same function: what came in is its context, baggage too."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import requests
from opentelemetry import baggage, context, propagate, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased

import clew
from clew import wire
from clew.neighbours.opentelemetry import context_of, event_context

from .functions import Functions, http_event
from .telemetry import (
    SPAN,
    TRACE,
    Telemetry,
    kinesis_event,
    parent_of,
    span_context,
    span_id,
    trace_id,
)

if TYPE_CHECKING:
    from forward.server import Server


def test_a_span_hangs_under_the_senders(telemetry: Telemetry, functions: Functions) -> None:
    def handler(event: Any, _: Any) -> None:
        with telemetry.tracer.start_as_current_span("work"):
            pass

    came = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "vendor=1"}
    functions.invoke("b", handler, http_event(came))
    work = telemetry.span("work")
    assert trace_id(work) == TRACE
    assert parent_of(work) == SPAN
    assert work.parent is not None
    assert work.parent.is_remote
    assert span_context(work).trace_state.get("vendor") == "1"
    assert functions.lines[-1]["traceId"] == TRACE


def test_at_the_edge_a_span_is_a_root_of_the_trace_that_the_lines_have(
    telemetry: Telemetry, functions: Functions
) -> None:
    def handler(event: Any, _: Any) -> None:
        with telemetry.tracer.start_as_current_span("one"):
            pass
        with telemetry.tracer.start_as_current_span("two"):
            pass

    functions.invoke("edge", handler, http_event({}))
    assert telemetry.trace_ids == {functions.lines[-1]["traceId"]}
    assert parent_of(telemetry.span("one")) == parent_of(telemetry.span("two")) == ""


@pytest.mark.parametrize("xray", ["0", "1"])
def test_at_the_edge_the_sampler_decides_not_xray(
    xray: str, functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = f"1-5759e988-bd862e3fe1be46a99427279{xray}"
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={root};Parent=53995c3f42cd8ad8;Sampled={xray}")
    kept, dropped = Telemetry(), TracerProvider(sampler=ParentBased(ALWAYS_OFF))

    def handler(event: Any, _: Any) -> bool:
        with kept.tracer.start_as_current_span("kept"):
            pass
        with dropped.get_tracer("tests").start_as_current_span("dropped") as span:
            return span.is_recording()

    assert functions.invoke("edge", handler, http_event({})) is False
    assert trace_id(kept.span("kept")) == wire.xray_to_trace_id(root)
    assert functions.lines[-1]["xrayTraceId"] == root


def test_a_senders_decision_not_to_sample_is_kept(
    telemetry: Telemetry, functions: Functions
) -> None:
    def handler(event: Any, _: Any) -> bool:
        with telemetry.tracer.start_as_current_span("work") as span:
            return span.is_recording()

    unsampled = http_event({"traceparent": f"00-{TRACE}-{SPAN}-00"})
    assert functions.invoke("b", handler, unsampled) is False


def test_each_record_of_a_batch_has_the_context_that_came_with_it(telemetry: Telemetry) -> None:
    traces = [f"{number:032x}" for number in (1, 2)]

    @clew.kinesis_handler(on_failure=clew.halt())
    def each(record: clew.Record) -> None:
        with telemetry.tracer.start_as_current_span(record.payload["name"]):
            pass

    each(kinesis_event(traces), None)
    for number, wanted in enumerate(traces):
        assert trace_id(telemetry.span(f"record-{number}")) == wanted


def test_a_span_of_the_whole_batch_stays_and_a_record_may_have_its_own(
    telemetry: Telemetry,
) -> None:
    traces = [f"{number:032x}" for number in (1, 2)]

    @clew.kinesis_handler(on_failure=clew.halt(), batch=True)
    def all_of_them(records: list[clew.Record]) -> None:
        with telemetry.tracer.start_as_current_span("batch") as batch:
            for record in records:
                with clew.use(record.correlation):
                    assert trace.get_current_span() is batch
                    with telemetry.tracer.start_as_current_span(
                        record.payload["name"], context=context_of(record.correlation)
                    ):
                        headers: dict[str, str] = clew.stamp({})
                        assert headers["traceparent"][3:35] == record.correlation.trace_id

    all_of_them(kinesis_event(traces), None)
    assert trace_id(telemetry.span("batch")) not in traces
    for number, wanted in enumerate(traces):
        assert trace_id(telemetry.span(f"record-{number}")) == wanted


def test_tasks_side_by_side_have_their_own(telemetry: Telemetry) -> None:
    clew.instrument()
    made = [clew.Correlation({"x-correlation-id": str(n)}, trace_id=f"{n:032x}") for n in (1, 2, 3)]

    async def one(correlation: clew.Correlation) -> None:
        with clew.use(correlation):
            await asyncio.sleep(0)
            with telemetry.tracer.start_as_current_span(correlation.id):
                await asyncio.sleep(0)

    async def every() -> None:
        await asyncio.gather(*(one(correlation) for correlation in made))

    asyncio.run(every())
    for correlation in made:
        assert trace_id(telemetry.span(correlation.id)) == correlation.trace_id


def test_a_span_that_is_around_the_handler_gives_the_edge_its_trace(
    telemetry: Telemetry, functions: Functions
) -> None:
    with telemetry.tracer.start_as_current_span("the instrumentation's") as around:
        functions.invoke("edge", lambda *_: trace.get_current_span() is around, http_event({}))
        came = http_event({"traceparent": f"00-{TRACE}-{SPAN}-01"})
        functions.invoke("behind", lambda *_: None, came)
    assert functions.lines_of("edge")[-1]["traceId"] == trace_id(around)
    assert functions.lines_of("behind")[-1]["traceId"] == TRACE


def test_event_context_reads_any_source(telemetry: Telemetry) -> None:
    sender = trace.get_current_span(event_context(kinesis_event([TRACE])))
    assert (trace_id(sender), span_id(sender)) == (TRACE, SPAN)
    assert event_context({"Records": "broken"}) == {}
    assert event_context(kinesis_event([TRACE, TRACE])) == {}


def test_without_a_request_in_hand_nothing_changes(telemetry: Telemetry) -> None:
    clew.instrument()
    assert context.get_current() == {}
    assert not trace.get_current_span().get_span_context().is_valid
    with telemetry.tracer.start_as_current_span("alone"):
        pass
    assert parent_of(telemetry.span("alone")) == ""


def test_it_is_undone() -> None:
    clew.instrument()
    clew.uninstrument()
    correlation = clew.Correlation({"x-correlation-id": "1"}, parent_span_id=SPAN)
    with clew.use(correlation):
        assert context.get_current() == {}


def test_opentelemetry_is_not_imported_for_it() -> None:
    program = """
import sys, clew
clew.handler(lambda event, context: clew.stamp({}))({}, None)
assert not [name for name in sys.modules if "opentelemetry" in name]
from opentelemetry import trace
from clew.forward.on_import import _set
assert "clew.neighbours.opentelemetry" in _set
with clew.use(clew.Correlation({"x-correlation-id": "1"}, parent_span_id="00f067aa0ba902b7")):
    assert trace.get_current_span().get_span_context().span_id == 0x00F067AA0BA902B7
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


# Baggage.


def test_baggage_passes_through_as_it_came(
    telemetry: Telemetry, functions: Functions, server: Server
) -> None:
    def sender(event: Any, _: Any) -> tuple[Any, ...]:
        inside = baggage.get_all()
        plain = requests.get(server.url(), timeout=5).json()["headers"]["baggage"]
        changed = context.attach(baggage.set_baggage("plan", "gold, 2"))
        try:
            more = requests.get(server.url(), timeout=5).json()["headers"]["baggage"]
        finally:
            context.detach(changed)
        cleared = context.attach(baggage.clear())
        try:
            none = requests.get(server.url(), timeout=5).json()["headers"].get("baggage")
        finally:
            context.detach(cleared)
        return dict(inside), plain, more, none

    came = "user=42;secret, region=eu%20west"
    inside, plain, more, none = functions.invoke("a", sender, http_event({"baggage": came}))
    assert inside["region"] == "eu west"
    assert plain == came
    assert "plan=gold%2C+2" in more
    assert more.startswith("user=42")
    assert none is None
    assert "eu%20west" not in json.dumps(functions.lines), "no log line has it"


@pytest.mark.usefixtures("both_hook_requests")
def test_baggage_goes_out_once_where_both_hook_the_client(
    functions: Functions, server: Server
) -> None:
    def sender(event: Any, _: Any) -> Any:
        return requests.get(server.url(), timeout=5).json()

    received = functions.invoke("a", sender, http_event({"baggage": "user=42"}))
    assert received["names"].count("baggage") == 1
    assert received["headers"]["baggage"] == "user=42"


def test_the_global_propagator_is_the_one_that_is_joined() -> None:
    """The hook is on the propagator that OpenTelemetry configures when nobody says otherwise."""
    assert {"traceparent", "tracestate"} <= propagate.get_global_textmap().fields

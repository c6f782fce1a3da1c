"""Every event is recognised as what it is, and only the modules that may read it are loaded."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from importlib import import_module
from typing import Any

import pytest

import clew
from clew import capture
from clew.capture import EVENT_SOURCES, LAST, RECORD_SOURCES, SOURCES
from clew.capture.pipes import SOURCES as PIPED

from ..events import FIELDS, PARENT_ID, REQUEST_ID, TRACE_ID, Context, rest_api
from .samples import SAMPLES, UNKNOWN_WITHOUT, bare, sent

names = pytest.mark.parametrize("name", SAMPLES)
#: Every module that says whether an event is its own.
ASKED = sorted({module for _, modules in SOURCES for module in modules} | {LAST})


@names
def test_an_event_is_recognised_as_its_source(name: str) -> None:
    assert capture(sent(name), Context()).source == SAMPLES[name].source
    without = "unknown" if name in UNKNOWN_WITHOUT else SAMPLES[name].source
    assert capture(bare(name), Context()).source == without


@names
def test_no_other_module_takes_the_event_for_its_own(name: str) -> None:
    event, sample = sent(name), SAMPLES[name]
    if isinstance(event, list):
        lists = [import_module(module) for module in ("clew.capture.pipes", "clew.capture.appsync")]
        assert sum(module.matches_list(event) for module in lists) == 1
        return
    taken_by = [module for module in ASKED if import_module(module).matches(event)]
    named = [
        module
        for sources, value in (
            (RECORD_SOURCES, _source_of_records(event)),
            (EVENT_SOURCES, event.get("eventSource")),
        )
        if (module := sources.get(value))
    ]
    if sample.module == "direct":
        assert taken_by == named == []
    else:
        assert taken_by + named == [f"clew.capture.{sample.module}"]


def _source_of_records(event: dict[str, Any]) -> Any:
    first = (event.get("Records") or [{}])[0]
    return first.get("eventSource", first.get("EventSource"))


@pytest.mark.parametrize("name", [name for name in SAMPLES if SAMPLES[name].carries])
def test_what_came_in_is_captured(name: str) -> None:
    sample = SAMPLES[name]
    delivery = capture(sent(name), Context())
    correlation = delivery.correlation
    assert {key: correlation[key] for key in ("x-correlation-id", "x-correlation-user-id")} == {
        "x-correlation-id": FIELDS["x-correlation-id"],
        "x-correlation-user-id": FIELDS["x-correlation-user-id"],
    }
    assert correlation["user-agent"] == FIELDS["user-agent"]
    assert correlation["debug-log-enabled"] == "false"
    assert correlation.chain_length == int(FIELDS["call-chain-length"]) + sample.hops
    assert (correlation.trace_id, correlation.parent_span_id) == (TRACE_ID, PARENT_ID)
    assert (delivery.problem, delivery.dropped) == ("", 0)


@names
def test_an_event_without_ids_begins_a_correlation(name: str) -> None:
    correlation = capture(bare(name), Context()).correlation
    assert correlation.id == (SAMPLES[name].edge or REQUEST_ID)
    assert correlation.chain_length == SAMPLES[name].hops
    assert correlation.parent_span_id == ""


@names
def test_the_handler_gets_the_event_as_the_sender_had_it(name: str) -> None:
    """Headers and attributes stay, and a context inside the event's own JSON goes."""

    @clew.handler
    def function(event: Any, context: Any) -> Any:
        return event, clew.current().id

    event = sent(name)
    before = copy.deepcopy(event)
    got, id_ = function(event, Context())
    assert event == before  # it is the caller's
    assert got == (bare(name) if SAMPLES[name].stripped else before)
    if SAMPLES[name].carries:
        assert id_ == FIELDS["x-correlation-id"]


@names
def test_records_are_reachable(name: str) -> None:
    for record in capture(sent(name), Context()).records:
        assert record.raw is not None
        assert isinstance(record.data, bytes)
        assert record.payload is not None
        assert all(isinstance(value, str) for value in record.position.values())
        assert record.position
        assert not record.problem


@pytest.mark.parametrize(
    ("name", "modules"),
    [
        ("REST API", {"api_gateway"}),
        ("Kinesis", {"kinesis", "as_came", "encoded", "nested", "attributes", "several"}),
        ("SQS", {"sqs", "nested", "attributes"}),
        ("SNS", {"sns", "nested", "attributes"}),
        ("DynamoDB", {"dynamodb"}),
        ("EventBridge", {"eventbridge", "nested", "attributes"}),
        ("direct", {"direct"}),
    ],
)
def test_only_what_may_read_the_event_is_loaded(name: str, modules: set[str]) -> None:
    """Each module is a file to find, read and run in a cold start."""
    code = (
        "import json, sys\n"
        "from clew.capture import capture\n"
        "before = set(sys.modules)\n"
        "capture(json.load(sys.stdin)).correlation\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(sent(name)),
        capture_output=True,
        text=True,
        check=True,
    )
    room = "clew.capture."
    loaded = {name.removeprefix(room) for name in json.loads(done.stdout) if name.startswith(room)}
    assert loaded == modules


def test_a_context_at_the_top_is_the_latest_hops() -> None:
    """A function that invokes another with the event that it got itself sends its own ids along."""
    event = rest_api({"x-correlation-id": "of-the-edge"})
    delivery = capture({"__context": {"x-correlation-id": "of-the-caller"}, **event}, Context())
    assert delivery.source == "aws:apigateway"
    assert delivery.event == event
    assert delivery.correlation.id == "of-the-caller"


def test_records_keep_their_ids_under_a_context_at_the_top() -> None:
    event = {"__context": {"x-correlation-id": "of-the-caller"}, **sent("Kinesis")}
    delivery = capture(event, Context())
    assert [record.correlation.id for record in delivery.records] == ["the-request"]
    assert delivery.event == sent("Kinesis")


def test_the_package_can_be_called() -> None:
    """``clew.capture`` is the package once a part of it was imported, and the function before."""
    package: Any = import_module("clew.capture")
    assert package(sent("direct")).source == "aws:lambda"
    assert clew.capture(sent("direct")).source == "aws:lambda"


def test_pipes_know_every_source_that_a_pipe_can_have() -> None:
    assert {name for name in PIPED if name in {**RECORD_SOURCES, **EVENT_SOURCES}} == {
        "SelfManagedKafka",
        "aws:dynamodb",
        "aws:kafka",
        "aws:kinesis",
        "aws:mq",
        "aws:rmq",
        "aws:sqs",
    }

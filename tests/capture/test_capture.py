"""Any event at all: its source, a correlation, and the event as it came."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import clew
from clew import capture
from clew.capture import read_records

from .events import FIELDS, REQUEST_ID, Context, http_api, kinesis, rest_api, sns, with_context

UNKNOWN: list[Any] = [
    None,
    "text",
    7,
    1.5,
    True,
    b"bytes",
    [],
    [{"Records": []}],
    {},
    {"key1": "value1", "key2": "value2"},
    {"Records": []},
    {"Records": None},
    {"Records": "aws:sns"},
    {"Records": {"0": {"EventSource": "aws:sns"}}},
    {"Records": [None]},
    {"Records": ["aws:kinesis"]},
    {"Records": [{"eventSource": None}]},
    {"Records": [{"eventSource": ["aws:kinesis"]}]},
    {"Records": [{"eventSource": "aws:nobody-knows"}]},
    {"requestContext": None, "httpMethod": "GET"},
    {"requestContext": "text", "httpMethod": "GET", "resource": "/"},
    {"requestContext": [], "version": "2.0"},
    {"version": "2.0", "requestContext": {}},
    {1: 2, None: 3},
]


@pytest.mark.parametrize("event", UNKNOWN)
def test_an_unknown_event_gets_a_fresh_correlation(event: Any) -> None:
    before = copy.deepcopy(event)
    delivery = capture(event, Context())
    assert delivery.source == "unknown"
    assert delivery.event is event
    assert event == before
    assert delivery.correlation.id == REQUEST_ID
    assert delivery.records == []


@pytest.mark.parametrize("context", [None, object(), "text", {"aws_request_id": "x"}])
def test_without_a_request_id_it_is_random(context: object) -> None:
    one, two = (capture({}, context).correlation for _ in range(2))
    assert len(one.id) == 32
    assert one.id != two.id


def test_a_context_whose_attributes_raise_is_passed_over() -> None:
    class Broken:
        @property
        def aws_request_id(self) -> str:
            raise RuntimeError("no id today")

    assert len(capture({}, Broken()).correlation.id) == 32


@pytest.mark.parametrize(
    ("event", "source"),
    [
        (rest_api({}), "aws:apigateway"),
        (http_api({}), "aws:apigatewayv2"),
        (sns(), "aws:sns"),
        (kinesis(b"{}"), "aws:kinesis"),
        ({"__context": {}}, "aws:lambda"),
    ],
)
def test_known_events_are_known(event: Any, source: str) -> None:
    before = copy.deepcopy(event)
    delivery = capture(event, Context())
    assert (delivery.source, delivery.problem) == (source, "")
    assert event == before


def test_a_batch_has_a_correlation_of_its_own() -> None:
    delivery = capture(kinesis(with_context(b"{}", FIELDS), b"{}"), Context())
    assert delivery.correlation.id == REQUEST_ID
    assert delivery.correlation.span_id not in {r.correlation.span_id for r in delivery.records}


def test_a_records_correlation_is_made_once() -> None:
    (record,) = capture(kinesis(b"{}"), Context()).records
    assert record.correlation is record.correlation


def test_inside_a_handler_its_event_gives_the_same_spans() -> None:
    """Else what is sent under a record's correlation would be in no line of the invocation."""
    events = [kinesis(b"{}", b"{}"), {"a": 1, "__context": FIELDS}, {"a": 1}]
    for given in events:

        @clew.handler
        def handler(event: Any, context: object) -> None:
            delivery = capture(event)
            invocation = clew.current().invocation
            assert invocation is not None
            assert delivery.correlation is clew.current()
            spans = [record.correlation.span_id for record in delivery.records]
            assert [one.correlation.span_id for one in invocation.received] == (
                spans or [delivery.correlation.span_id]
            )
            assert capture({"another": 1}).invocation is not invocation

        handler(given, Context())


@pytest.mark.parametrize(
    ("event", "raws"),
    [
        ({"Records": [None, 7]}, [None, 7]),
        ({"Records": [{}, {"eventSource": "aws:kinesis"}]}, [{}, {"eventSource": "aws:kinesis"}]),
        ({"Records": []}, []),
        ({"Records": None}, [{"Records": None}]),
        ({"key1": 1}, [{"key1": 1}]),
        (None, [None]),
        ("text", ["text"]),
    ],
)
def test_a_handler_of_records_is_handed_whatever_came(event: Any, raws: list[Any]) -> None:
    reading = read_records(event, "aws:kinesis")
    assert [record.raw for record in reading.records] == raws
    assert reading.event is event
    assert reading.problem == ("this is no event of aws:kinesis" if raws else "")
    assert all(isinstance(record, clew.KinesisRecord) for record in reading.records)

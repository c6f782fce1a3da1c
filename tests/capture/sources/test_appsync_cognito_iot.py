"""Resolvers, user pool triggers and rules of IoT."""

from __future__ import annotations

from typing import Any

import pytest

import clew
from clew import capture

from ..events import API_REQUEST_ID, FIELDS, REQUEST_ID, XRAY_ROOT, Context
from .events import appsync, appsync_authorizer, cognito


def test_a_resolver_has_headers() -> None:
    traced = {**FIELDS, "x-amzn-trace-id": f"Root={XRAY_ROOT}"}
    correlation = capture(appsync(traced), Context()).correlation
    assert correlation.id == FIELDS["x-correlation-id"]
    assert correlation.xray_trace_id == XRAY_ROOT


@pytest.mark.parametrize("request_", [None, {}, {"headers": None}, {"headers": []}])
def test_a_resolver_without_headers(request_: Any) -> None:
    delivery = capture(appsync() | {"request": request_}, Context())
    assert (delivery.source, delivery.correlation.id) == ("aws:appsync", REQUEST_ID)


def test_a_batch_of_resolvers_answers_one_request() -> None:
    event = [appsync(FIELDS), appsync(FIELDS)]
    delivery = capture(event, Context())
    assert delivery.event is event
    assert delivery.correlation.id == FIELDS["x-correlation-id"]
    assert delivery.records == [], "all of them are answered together"


def test_a_handler_of_an_events_api() -> None:
    """Events instead of arguments."""
    event = appsync(FIELDS) | {"events": [{"id": "1", "payload": {}}]}
    del event["arguments"]
    assert capture(event, Context()).source == "aws:appsync"


def test_an_authorizer_knows_the_request_id() -> None:
    assert capture(appsync_authorizer(), Context()).correlation.id == API_REQUEST_ID
    assert capture(appsync_authorizer(FIELDS), Context()).correlation.id == "the-request"


def test_a_trigger_gives_back_the_event_that_it_got() -> None:
    @clew.handler
    def function(event: Any, context: Any) -> Any:
        event["response"]["autoConfirmUser"] = True
        return event

    event = cognito(FIELDS)
    assert function(event, Context()) is event


def test_client_metadata_counts_before_validation_data() -> None:
    event = cognito(FIELDS)
    event["request"]["validationData"] = {"x-correlation-id": "validation"}
    assert capture(event, Context()).correlation.id == FIELDS["x-correlation-id"]


def test_a_rules_payload_has_a_context() -> None:
    """``SELECT *, topic() AS topic``: members that the rule adds stand beside it."""
    event = {"__context": FIELDS, "temperature": 21, "topic": "orders/7"}
    delivery = capture(event, Context())
    assert delivery.correlation.id == FIELDS["x-correlation-id"]
    assert delivery.event == {"temperature": 21, "topic": "orders/7"}

"""Direct invocation: the event is the payload."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clew import capture

from .events import FIELDS, PARENT_ID, REQUEST_ID, TRACE_ID, Context


@pytest.mark.parametrize("name", ["__context", "__context__"])
def test_the_handlers_event_has_no_context(name: str) -> None:
    event: dict[str, Any] = {"key1": "value1", name: FIELDS, "key2": {"a": 1}}
    before = json.dumps(event)
    delivery = capture(event, Context())
    assert delivery.source == "aws:lambda"
    assert delivery.event == {"key1": "value1", "key2": {"a": 1}}
    assert json.dumps(event) == before, "the caller's dict is left as it was"
    assert delivery.correlation.id == "the-request"
    assert delivery.correlation.chain_length == 3
    assert delivery.correlation.trace_id == TRACE_ID
    assert delivery.correlation.parent_span_id == PARENT_ID


@pytest.mark.parametrize("context", [None, {}])
def test_an_empty_context_is_no_problem(context: object) -> None:
    delivery = capture({"a": 1, "__context": context}, Context())
    assert (delivery.event, delivery.correlation.id) == ({"a": 1}, REQUEST_ID)
    assert (delivery.problem, delivery.dropped) == ("", 0)


@pytest.mark.parametrize("context", ["text", 7, [1], True, {"tenant": "a"}, {"x-correlation": "a"}])
@pytest.mark.parametrize("name", ["__context", "__context__"])
def test_what_has_no_field_in_it_is_the_users_own(name: str, context: object) -> None:
    event = {"a": 1, name: context}
    delivery = capture(event, Context())
    assert (delivery.event, delivery.correlation.id) == (event, REQUEST_ID)
    assert (delivery.source, delivery.problem, delivery.dropped) == ("unknown", "", 0)


def test_the_users_own_stays_beside_a_context() -> None:
    event = {"__context": {"tenant": "a"}, "__context__": FIELDS}
    delivery = capture(event, Context())
    assert delivery.event == {"__context": {"tenant": "a"}}
    assert delivery.correlation.id == "the-request"

"""Tasks of a state machine: the input as it is, wrapped, or in the context object."""

from __future__ import annotations

from typing import Any

import pytest

from clew import capture

from ..events import FIELDS, REQUEST_ID, Context
from .events import context_object, step_functions


@pytest.mark.parametrize("name", ["Input", "Payload", "input", "payload"])
def test_the_input_may_be_wrapped(name: str) -> None:
    event = step_functions(FIELDS, name)
    delivery = capture(event, Context())
    assert delivery.correlation.id == FIELDS["x-correlation-id"]
    assert delivery.event == step_functions(None, name)
    assert "__context" in event[name]


def test_all_contexts_go_and_the_first_counts() -> None:
    event = {**step_functions(FIELDS), **context_object({"x-correlation-id": "of-the-execution"})}
    delivery = capture(event, Context())
    assert delivery.correlation.id == FIELDS["x-correlation-id"]
    assert delivery.event == {**step_functions(), **context_object()}


def test_what_the_task_was_given_at_the_top_counts_before() -> None:
    """``"__context.$": "$$.Execution.Input.__context"`` among the task's parameters."""
    event = {"__context": {**FIELDS, "x-correlation-id": "top"}, **context_object(FIELDS)}
    delivery = capture(event, Context())
    assert delivery.correlation.id == "top"


@pytest.mark.parametrize("value", [None, "text", [], 7, {}, [{"__context": {}}]])
def test_an_input_may_be_anything(value: Any) -> None:
    event = {"Input": value, "Payload": value}
    delivery = capture(event, Context())
    assert (delivery.source, delivery.event) == ("unknown", event)
    assert delivery.correlation.id == REQUEST_ID


def test_a_context_object_without_ids() -> None:
    event = context_object()
    delivery = capture(event, Context())
    assert (delivery.source, delivery.event) == ("aws:states", event)

"""Events of a bus, replays, schedules, and what Lambda's destinations put there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clew import capture

from ..events import FIELDS, REQUEST_ID, Context, attributes, rest_api, sns
from .events import body, destination, eventbridge, failed_batch, schedule


@pytest.mark.parametrize("name", ["__context", "__context__"])
def test_the_context_is_in_the_detail(name: str) -> None:
    event = eventbridge(detail={name: FIELDS, "order": 7})
    delivery = capture(event, Context())
    assert delivery.correlation.id == FIELDS["x-correlation-id"]
    assert delivery.event == eventbridge()
    assert event["detail"][name] is FIELDS


@pytest.mark.parametrize("detail", ["{}", "text", "", None, [], 7, {}, '{"a": 1}'])
def test_a_detail_may_be_anything(detail: Any) -> None:
    """A schedule's own is text."""
    event = eventbridge(detail=detail)
    delivery = capture(event, Context())
    assert (delivery.source, delivery.event) == ("aws:events", event)
    assert delivery.correlation.id == REQUEST_ID


def test_a_schedule_may_have_a_context_in_its_text() -> None:
    event = schedule() | {"detail": body(FIELDS).decode()}
    delivery = capture(event, Context())
    assert delivery.correlation.id == FIELDS["x-correlation-id"]
    assert delivery.event["detail"] == body().decode()


def test_a_schedules_own_input_is_the_whole_event() -> None:
    """Then nothing tells it from a direct invocation."""
    assert capture(json.loads(body(FIELDS)), Context()).source == "aws:lambda"


@pytest.mark.parametrize(
    "event",
    [
        json.loads(body(FIELDS)),
        eventbridge(FIELDS),
        sns("hello", attributes(FIELDS)),
        rest_api(FIELDS),
    ],
)
@pytest.mark.parametrize("on_bus", [True, False])
def test_a_destination_has_the_ids_of_the_event_that_it_is_for(event: Any, on_bus: bool) -> None:
    record = destination(event)
    delivery = capture(eventbridge(detail=record) if on_bus else record, Context())
    assert delivery.correlation.id == FIELDS["x-correlation-id"]
    assert delivery.correlation.chain_length == int(FIELDS["call-chain-length"]) + 2
    handed = delivery.event["detail"] if on_bus else delivery.event
    assert "__context" not in json.dumps(handed)
    assert handed["responsePayload"] == record["responsePayload"]


def test_a_destination_may_be_a_topic() -> None:
    event = sns(json.dumps(destination(json.loads(body(FIELDS)))))
    delivery = capture(event, Context())
    assert delivery.correlation.id == FIELDS["x-correlation-id"]
    assert delivery.correlation.chain_length == int(FIELDS["call-chain-length"]) + 2


def test_a_dead_letter_may_go_to_a_topic() -> None:
    attributes_ = {"RequestID": "of-the-failed", "ErrorCode": "200", "ErrorMessage": "no"}
    for fields, id_ in ((FIELDS, FIELDS["x-correlation-id"]), (None, "of-the-failed")):
        delivery = capture(sns(body(fields).decode(), attributes(attributes_)), Context())
        assert delivery.correlation.id == id_


def test_a_destination_of_an_event_without_ids_joins_that_invocation() -> None:
    delivery = capture(destination({"order": 7}), Context())
    assert delivery.correlation.id == "e4b46cbf-b738-xmpl-8880-a18cdf61200e"
    assert delivery.correlation.chain_length == 2


def test_each_destination_on_the_way_is_a_hop() -> None:
    """Else a function that is its own destination would never be seen to go round."""
    event: Any = json.loads(body(FIELDS))
    for _ in range(3):
        event = destination(event, condition="Success")
    delivery = capture(event, Context())
    assert delivery.correlation.chain_length == int(FIELDS["call-chain-length"]) + 4
    assert "__context" not in json.dumps(delivery.event)


def test_a_way_without_end_is_followed_so_far() -> None:
    event: Any = json.loads(body(FIELDS))
    for _ in range(200):
        event = destination(event)
    delivery = capture(event, Context())
    assert delivery.source == "aws:lambda-destination"
    assert delivery.event is event


@pytest.mark.parametrize("payload", [None, "text", [], 7, {}, {"Records": None}])
def test_a_destination_of_any_payload(payload: Any) -> None:
    event = destination(payload)
    delivery = capture(event, Context())
    assert (delivery.event, delivery.problem) == (event, "")


def test_a_failed_batch_has_no_payload() -> None:
    event = failed_batch()
    assert capture(event, Context()).event is event

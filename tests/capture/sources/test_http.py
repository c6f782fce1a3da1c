"""Load balancers, function URLs and WebSocket APIs, and the answers to them."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

import clew
from clew import capture

from ..events import API_REQUEST_ID, FIELDS, REQUEST_ID, XRAY_ROOT, Context, http_api, rest_api
from .events import alb, body, function_url, websocket


def answer(event: Any, response: Any) -> Any:
    @clew.api_handler
    def function(event: Any, context: Any) -> Any:
        return response

    return function(event, Context())


@pytest.mark.parametrize(
    "event", [alb(FIELDS), function_url(FIELDS), rest_api(FIELDS), http_api(FIELDS)]
)
def test_the_answer_carries_the_id_back(event: Any) -> None:
    sent = answer(event, {"statusCode": 200, "headers": {"content-type": "text/plain"}})
    assert sent["headers"] == {"content-type": "text/plain", "x-correlation-id": "the-request"}


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ({}, {"multiValueHeaders": {"x-correlation-id": ["the-request"]}}),
        (
            {"multiValueHeaders": {"set-cookie": ["a", "b"]}},
            {
                "multiValueHeaders": {
                    "set-cookie": ["a", "b"],
                    "x-correlation-id": ["the-request"],
                }
            },
        ),
        (
            {"multiValueHeaders": {"X-Correlation-Id": ["mine"]}},
            {"multiValueHeaders": {"X-Correlation-Id": ["mine"]}},
        ),
        # Where the function has its headers, the load balancer looks for this one too.
        ({"headers": {"a": "b"}}, {"headers": {"a": "b", "x-correlation-id": "the-request"}}),
    ],
)
def test_a_load_balancer_that_wants_all_values_gets_them(response: Any, expected: Any) -> None:
    sent = answer(alb(FIELDS, all_values=True), {"statusCode": 200, **response})
    assert sent == {"statusCode": 200, **expected}


def test_a_function_url_makes_up_the_rest_of_an_answer() -> None:
    assert answer(function_url(FIELDS), "hello") == "hello"
    assert answer(function_url(FIELDS), {"message": "hello"}) == {"message": "hello"}


def test_of_several_values_the_last_counts() -> None:
    event = alb(all_values=True)
    event["multiValueHeaders"]["x-correlation-id"] = ["first", "last"]
    assert capture(event, Context()).correlation.id == "last"


def test_a_load_balancer_has_no_request_id() -> None:
    assert capture(alb(), Context()).correlation.id == REQUEST_ID
    assert capture(function_url(), Context()).correlation.id == API_REQUEST_ID


@pytest.mark.parametrize("event", [alb(), alb(all_values=True)])
def test_x_rays_header_names_the_trace(event: Any) -> None:
    correlation = capture(event, Context()).correlation
    assert correlation.xray_trace_id == XRAY_ROOT
    assert correlation.trace_id == XRAY_ROOT.removeprefix("1-").replace("-", "")


def test_lambda_decides_whether_its_own_trace_is_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The load balancer's header names the trace, and leaves the decision to Lambda."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={XRAY_ROOT};Parent=53995c3f42cd8ad8;Sampled=0")
    assert capture(alb(), Context()).correlation.trace_flags == "00"
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-00000000-000000000000000000000000;Sampled=0")
    assert capture(alb(), Context()).correlation.trace_flags == "01"


def test_a_socket_begins_with_headers() -> None:
    delivery = capture(websocket("CONNECT", FIELDS), Context())
    assert delivery.correlation.id == FIELDS["x-correlation-id"]
    assert capture(websocket("DISCONNECT"), Context()).source == delivery.source


def test_a_message_has_the_context_in_its_body() -> None:
    delivery = capture(websocket("MESSAGE", FIELDS), Context())
    assert delivery.correlation.id == FIELDS["x-correlation-id"]
    assert delivery.event["body"] == '{"order": 7}'


def test_a_binary_message_stays_encoded() -> None:
    event = websocket() | {"isBase64Encoded": True, "body": b64encode(body(FIELDS)).decode()}
    delivery = capture(event, Context())
    assert delivery.correlation.id == FIELDS["x-correlation-id"]
    assert delivery.event["body"] == b64encode(body()).decode()


@pytest.mark.parametrize("text", ["hello", "", "{", "[1]", json.dumps("x"), "\ud800", None])
def test_a_message_may_be_any_text(text: Any) -> None:
    event = websocket() | {"body": text}
    delivery = capture(event, Context())
    assert delivery.event is event
    assert delivery.correlation.id == API_REQUEST_ID


def test_messages_of_a_socket_are_requests_of_their_own() -> None:
    """What its client sent when it connected is long past."""
    event = websocket()
    event["requestContext"]["requestId"] = "message-2"
    assert capture(event, Context()).correlation.id == "message-2"

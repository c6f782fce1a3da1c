"""REST APIs and HTTP APIs: headers in, the response's id in test_api.py of the handlers."""

from __future__ import annotations

from typing import Any

import pytest

from clew import capture

from .events import (
    API_REQUEST_ID,
    FIELDS,
    HTTP_API_REQUEST_ID,
    PARENT_ID,
    REQUEST_ID,
    TRACE_ID,
    Context,
    http_api,
    rest_api,
)

APIS = pytest.mark.parametrize("api", [rest_api, http_api])


@pytest.mark.parametrize(
    ("event", "source", "request_id"),
    [
        (rest_api({"Host": "example.com"}), "aws:apigateway", API_REQUEST_ID),
        (rest_api({}, version="1.0", resource=None), "aws:apigateway", API_REQUEST_ID),
        (http_api({"host": "example.com"}), "aws:apigatewayv2", HTTP_API_REQUEST_ID),
    ],
)
def test_the_edge_begins_with_api_gateways_request_id(
    event: dict[str, Any], source: str, request_id: str
) -> None:
    delivery = capture(event, Context())
    assert delivery.source == source
    assert delivery.event is event
    assert dict(delivery.correlation) == {
        "x-correlation-id": request_id,
        "debug-log-enabled": "false",
        "call-chain-length": "1",
    }
    assert len(delivery.correlation.trace_id) == 32
    assert len(delivery.correlation.span_id) == 16
    assert delivery.correlation.parent_span_id == ""
    assert (delivery.records, delivery.problem, delivery.dropped) == ([], "", 0)


@APIS
def test_what_came_in_goes_on(api: Any) -> None:
    delivery = capture(api({name.title(): value for name, value in FIELDS.items()}), Context())
    assert dict(delivery.correlation) == {
        "x-correlation-id": "the-request",
        "x-correlation-user-id": "42",
        "debug-log-enabled": "false",
        "user-agent": "Mozilla/5.0",
        "call-chain-length": "3",
    }
    assert delivery.correlation.trace_id == TRACE_ID
    assert delivery.correlation.parent_span_id == PARENT_ID
    assert delivery.dropped == 0


@APIS
@pytest.mark.parametrize("headers", [None, {}])
def test_no_headers_are_no_problem(api: Any, headers: object) -> None:
    delivery = capture(api(headers), Context())
    assert delivery.correlation.id in {API_REQUEST_ID, HTTP_API_REQUEST_ID}
    assert (delivery.problem, delivery.dropped) == ("", 0)


@APIS
@pytest.mark.parametrize("headers", ["text", 7, ["x-correlation-id"], True])
def test_headers_of_another_type_are_told(api: Any, headers: object) -> None:
    event = api(None)
    event["headers"] = headers
    delivery = capture(event, Context())
    assert delivery.event is event
    assert delivery.correlation.id in {API_REQUEST_ID, HTTP_API_REQUEST_ID}
    assert delivery.problem == f"headers is of type {type(headers).__name__}, not an object"


def test_of_a_header_that_came_several_times_the_last_counts() -> None:
    event = rest_api({"X-Correlation-Id": "second"})
    event["multiValueHeaders"] = {"X-Correlation-Id": ["first", "second"]}
    assert capture(event).correlation.id == "second"


def test_multi_value_headers_alone_are_read() -> None:
    event = rest_api(None)
    event["multiValueHeaders"] = {
        "X-Correlation-Id": ["first", "second"],
        "X-Correlation-Empty": [],
        "X-Correlation-Odd": "text",
    }
    assert capture(event).correlation.id == "second"


def test_one_bad_header_is_counted_once() -> None:
    assert capture(rest_api({"X-Correlation-Id": "\x00"})).dropped == 1


@APIS
@pytest.mark.parametrize("request_id", [None, 7, "", "\x00", "i" * 300])
def test_without_api_gateways_id_it_is_lambdas(api: Any, request_id: object) -> None:
    event = api({})
    event["requestContext"]["requestId"] = request_id
    found = capture(event, Context()).correlation.id
    if isinstance(request_id, str) and request_id:
        assert len(found) == 32, "one that may not travel is replaced by a random one"
    else:
        assert found == REQUEST_ID


def test_a_load_balancers_request_is_not_taken_for_an_apis() -> None:
    event = {"requestContext": {"elb": {"targetGroupArn": "arn"}}, "httpMethod": "GET", "path": "/"}
    assert capture(event).source != "aws:apigateway"

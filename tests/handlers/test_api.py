"""Handlers behind API Gateway: the id goes back with every response that can carry it."""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import Any

import pytest

import clew
from capture.events import API_REQUEST_ID, HTTP_API_REQUEST_ID, Context, http_api, rest_api
from clew.handlers.api import with_id
from log.lines import invocation, logged

APIS = pytest.mark.parametrize("api", [rest_api, http_api])


def answer(event: Any, response: Any) -> Any:
    @clew.api_handler
    def handler(event: Any, context: Any) -> Any:
        return response

    with logged():
        return handler(event, Context())


@pytest.mark.parametrize(
    ("api", "request_id"), [(rest_api, API_REQUEST_ID), (http_api, HTTP_API_REQUEST_ID)]
)
def test_the_response_carries_api_gateways_id(api: Any, request_id: str) -> None:
    response = answer(api({}), {"statusCode": 200, "body": "ok"})
    assert response == {
        "statusCode": 200,
        "body": "ok",
        "headers": {"x-correlation-id": request_id},
    }


@APIS
def test_the_response_carries_the_callers_id(api: Any) -> None:
    response = answer(api({"X-Correlation-Id": "mine"}), {"statusCode": 204})
    assert response["headers"] == {"x-correlation-id": "mine"}


@pytest.mark.parametrize(
    ("response", "headers"),
    [
        ({"statusCode": 200}, {"x-correlation-id": "a"}),
        ({"statusCode": "404", "headers": None}, {"x-correlation-id": "a"}),
        ({"statusCode": 200, "headers": {}}, {"x-correlation-id": "a"}),
        (
            {"statusCode": 200, "headers": {"content-type": "text/html"}, "cookies": ["a=b"]},
            {"content-type": "text/html", "x-correlation-id": "a"},
        ),
        (
            {"statusCode": 200, "multiValueHeaders": {"set-cookie": ["a", "b"]}},
            {"x-correlation-id": "a"},
        ),
        (
            {"statusCode": 200, "isBase64Encoded": True, "body": "aGk=", "headers": {1: 2}},
            {1: 2, "x-correlation-id": "a"},
        ),
        (OrderedDict(statusCode=200), {"x-correlation-id": "a"}),
    ],
)
def test_responses_that_take_the_id(response: dict[str, Any], headers: dict[str, str]) -> None:
    before = copy.deepcopy(response)
    taken = with_id(response, "a")
    assert taken == {**before, "headers": headers}
    assert response == before, "the user's own dict is left as it was"


@pytest.mark.parametrize(
    "response",
    [
        None,
        "text",
        7,
        b"bytes",
        [{"statusCode": 200}],
        {},
        {"message": "API Gateway makes this the body of an HTTP API's response"},
        {"statusCode": 200, "headers": [("a", "b")]},
        {"statusCode": 200, "headers": "text"},
        {"statusCode": 200, "headers": {"X-Correlation-ID": "own"}},
        {"statusCode": 200, "multiValueHeaders": {"x-correlation-id": ["own"]}},
    ],
)
def test_responses_that_are_left_as_they_are(response: Any) -> None:
    before = copy.deepcopy(response)
    assert with_id(response, "a") is response
    assert response == before
    assert answer(rest_api({}), response) is response


def test_a_response_that_cannot_be_read_is_left_as_it_is() -> None:
    class Odd(dict[str, Any]):
        def get(self, *_: Any) -> Any:
            raise RuntimeError("not today")

    odd = Odd(statusCode=200)
    with logged() as lines:
        assert with_id(odd, "a") is odd
    assert len(lines) == 1


@APIS
def test_the_handler_gets_its_event_and_context_and_the_correlation(api: Any) -> None:
    given, context = api({"user-agent": "Mozilla/5.0"}), Context()

    @clew.api_handler(debug_sample_rate=1)
    def handler(event: Any, received: Any) -> dict[str, Any]:
        """Its own docstring."""
        assert event is given
        assert received is context
        assert clew.current()["user-agent"] == "Mozilla/5.0"
        assert clew.current().debug
        clew.get_logger("tests.api").debug("on")
        return {"statusCode": 200}

    assert (handler.__name__, handler.__doc__) == ("handler", "Its own docstring.")
    with logged() as lines:
        handler(given, context)
    debug, wide = lines
    assert (debug["level"], debug["message"]) == ("DEBUG", "on")
    assert wide["source"].startswith("aws:apigateway")
    assert [(one["span"], one["outcome"]) for one in wide["received"]] == [
        (debug["spanId"], "done")
    ]


def test_an_event_of_another_source_is_handled_too() -> None:
    response = answer({"a": 1, "__context": {"x-correlation-id": "a"}}, {"statusCode": 200})
    assert response["headers"] == {"x-correlation-id": "a"}


def test_an_id_that_was_bound_is_in_the_wide_line() -> None:
    @clew.api_handler
    def handler(event: Any, context: Any) -> dict[str, Any]:
        clew.bind(user_id=42)
        return {"statusCode": 200}

    with logged() as lines:
        response = handler(rest_api({}), Context())
    assert invocation(lines)["x-correlation-user-id"] == "42"
    assert response["headers"] == {"x-correlation-id": API_REQUEST_ID}


@pytest.mark.parametrize("rate", [-0.1, 1.1, 5, float("nan"), "0.05", None, True])
def test_a_rate_that_is_no_share_is_told_when_decorating(rate: Any) -> None:
    for decorator in (clew.api_handler, clew.handler, clew.sns_handler):
        with pytest.raises(clew.ClewError, match="a share from 0 to 1"):
            decorator(debug_sample_rate=rate)
    with pytest.raises(clew.ClewError, match="a share from 0 to 1"):
        clew.kinesis_handler(on_failure=clew.halt(), debug_sample_rate=rate)

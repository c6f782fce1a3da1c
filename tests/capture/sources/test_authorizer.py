"""An authorizer's ids go on to the function behind it, for the request that they are of."""

from __future__ import annotations

from typing import Any

import pytest

import clew
from clew import capture

from ..events import API_REQUEST_ID, FIELDS, Context, http_api, rest_api
from .events import (
    appsync_authorizer,
    http_authorizer,
    request_authorizer,
    token_authorizer,
    websocket,
    websocket_authorizer,
)

POLICY = {"principalId": "arya", "policyDocument": {"Version": "2012-10-17", "Statement": []}}


def asked(event: Any, response: Any = None) -> Any:
    """What an authorizer that binds an id answers."""

    @clew.authorizer_handler(debug_sample_rate=1)
    def function(event: Any, context: Any) -> Any:
        clew.bind(user_id="arya")
        return {"isAuthorized": True} if response is None else response

    return function(event, Context())


def behind(event: dict[str, Any], handed: Any, *, in_lambda: bool = False) -> dict[str, Any]:
    """The event of the function behind an authorizer."""
    authorizer = {"lambda": handed} if in_lambda else {"integrationLatency": 7, **handed}
    context = event["requestContext"] | {"authorizer": authorizer, "requestId": API_REQUEST_ID}
    return {**event, "requestContext": context}


def test_ids_go_on_behind_a_rest_api() -> None:
    answer = asked(request_authorizer(FIELDS), POLICY)
    assert answer["policyDocument"] is POLICY["policyDocument"]
    correlation = capture(behind(rest_api(FIELDS), answer["context"]), Context()).correlation
    assert correlation.id == FIELDS["x-correlation-id"]
    assert correlation["x-correlation-user-id"] == "arya"
    assert correlation.chain_length == int(FIELDS["call-chain-length"]) + 2


def test_ids_go_on_behind_an_http_api() -> None:
    answer = asked(http_authorizer())
    event = behind(http_api({}), answer["context"], in_lambda=True)
    correlation = capture(event, Context()).correlation
    assert (correlation.id, correlation["x-correlation-user-id"]) == (API_REQUEST_ID, "arya")
    assert correlation.debug, "the decision that the first function made holds"


def test_ids_go_on_when_a_socket_connects_and_no_further() -> None:
    handed = asked(websocket_authorizer(), POLICY)["context"]
    connected = capture(behind(websocket("CONNECT"), handed), Context()).correlation
    assert connected["x-correlation-user-id"] == "arya"
    message = behind(websocket(), handed)
    message["requestContext"]["requestId"] = "message-2"
    assert "x-correlation-user-id" not in capture(message, Context()).correlation


@pytest.mark.parametrize("request_id", ["another", "", None, 7])
def test_a_cached_answers_ids_are_another_requests(request_id: Any) -> None:
    handed = asked(request_authorizer(FIELDS), POLICY)["context"]
    event = behind(rest_api({"Host": "example.com"}), handed)
    event["requestContext"]["requestId"] = request_id
    correlation = capture(event, Context()).correlation
    assert correlation.id not in (FIELDS["x-correlation-id"], "")
    assert "x-correlation-user-id" not in correlation
    assert correlation.chain_length == 1


def test_ids_that_do_not_say_whose_they_are_do_not_count() -> None:
    event = behind(rest_api({}), {"x-correlation-id": "from-elsewhere"})
    assert capture(event, Context()).correlation.id == API_REQUEST_ID


def test_the_authorizers_values_are_all_text() -> None:
    """REST APIs take texts, numbers and flags, and no objects."""
    context = asked(request_authorizer(FIELDS), POLICY)["context"]
    assert all(isinstance(value, str) for value in context.values())
    assert context["clew-request-id"] == API_REQUEST_ID


def test_what_the_authorizer_hands_on_itself_stays() -> None:
    own = {"tenant": "a", "x-correlation-id": "my own"}
    answer = asked(http_authorizer(FIELDS), {"isAuthorized": True, "context": own})
    assert {name: answer["context"][name] for name in own} == own
    assert own == {"tenant": "a", "x-correlation-id": "my own"}


@pytest.mark.parametrize(
    ("event", "response"),
    [
        (token_authorizer(), POLICY),
        (request_authorizer(), "Unauthorized"),
        (request_authorizer(), None),
        (request_authorizer(), {"message": "no decision"}),
        (request_authorizer(), {**POLICY, "context": "text"}),
        (appsync_authorizer(), {"isAuthorized": True}),
        ({"key": "value"}, POLICY),
        (None, POLICY),
    ],
)
def test_any_other_answer_stays_as_it_is(event: Any, response: Any) -> None:
    @clew.authorizer_handler
    def function(event: Any, context: Any) -> Any:
        return response

    assert function(event, Context()) is response


def test_what_an_authorizer_raises_comes_out() -> None:
    """``Unauthorized`` is how a token authorizer says so."""

    @clew.authorizer_handler
    def function(event: Any, context: Any) -> Any:
        raise LookupError("Unauthorized")

    with pytest.raises(LookupError, match="Unauthorized"):
        function(token_authorizer(), Context())

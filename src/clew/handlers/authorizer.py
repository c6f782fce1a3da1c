"""A handler for API Gateway's Lambda authorizers: its ids go on to the function behind it."""

from __future__ import annotations

from functools import wraps

from clew.correlation import current
from clew.handlers.functions import check_function
from clew.handlers.run import check_rate, prepare, run
from clew.log.internal import failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, overload

    from clew.capture import Delivery

    Handler = Callable[[Any, Any], Any]
else:

    def overload(signature):
        """At run time nothing; `typing` would cost a cold start."""
        return signature


@overload
def authorizer_handler(function: Handler, /) -> Handler: ...
@overload
def authorizer_handler(*, debug_sample_rate: float = 0.0) -> Callable[[Handler], Handler]: ...


def authorizer_handler(function: Any = None, /, *, debug_sample_rate: float = 0.0) -> Any:
    """Decorate a Lambda authorizer ``(event, context)`` of an API Gateway API.

    The ids of the request are in force while it runs. They, and those that it binds, go into the
    ``context`` of its answer, from where clew takes them up in the function behind it. API
    Gateway caches answers; the ids name the request that they are of, and count for no other. A
    token authorizer is not told the request id, so its answer stays as it is.

    ``debug_sample_rate`` is the share (0 to 1) of requests to log at DEBUG through their whole
    call chain, asked only where no decision came in. Raises `ClewError`, when decorating, if it
    is no such share.

    >>> import clew
    >>> @clew.authorizer_handler
    ... def function(event, context):
    ...     clew.bind(user_id="42")
    ...     return {"isAuthorized": True}
    """
    rate = check_rate(debug_sample_rate)

    def decorate(wrapped: Handler) -> Handler:
        check_function(wrapped)
        prepare()

        @wraps(wrapped)
        def invoke(event: Any, context: Any) -> Any:
            def body(delivery: Delivery) -> Any:
                return hand_on(wrapped(delivery.event, context), delivery)

            return run(event, context, body, debug_sample_rate=rate)

        return invoke

    return decorate if function is None else decorate(function)


def hand_on(response: Any, delivery: Delivery) -> Any:
    """``response`` with the ids in its ``context``, in a copy; what it has there itself stays."""
    try:
        return _with_ids(response, delivery)
    except Exception:  # noqa: BLE001  (the response is the user's, and goes out as it is)
        failed("handing on the ids of an authorizer")
        return response


def _with_ids(response: Any, delivery: Delivery) -> Any:
    from clew.capture import authorizer
    from clew.capture.api_gateway import AUTHORIZED_REQUEST
    from clew.forward.sending import going_out, new_sent

    request_id = authorizer.request_id(delivery.event)
    if delivery.source != authorizer.NAME or not request_id or not isinstance(response, dict):
        return response
    own = response.get("context") or {}
    decided = "policyDocument" in response or "isAuthorized" in response
    if not decided or not isinstance(own, dict):
        return response
    correlation = delivery.correlation
    if current().span_id == correlation.span_id:
        correlation = current()  # with the ids that were bound meanwhile
    target = delivery.event.get("routeArn") or delivery.event.get("methodArn")
    correlation = going_out(correlation)
    sent = new_sent("apigateway", "Authorize", str(target), correlation)
    sent.outcome = "ok"
    if correlation.invocation is not None:
        correlation.invocation.calls.append(sent)
    handed = {**correlation.outgoing(sent.span_id), AUTHORIZED_REQUEST: request_id}
    return {**response, "context": {**handed, **own}}

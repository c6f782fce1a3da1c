"""A handler for HTTP: the edge, where the id, the user agent and the DEBUG decision begin."""

from __future__ import annotations

from functools import wraps

from clew import wire
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
def api_handler(function: Handler, /) -> Handler: ...
@overload
def api_handler(*, debug_sample_rate: float = 0.0) -> Callable[[Handler], Handler]: ...


def api_handler(function: Any = None, /, *, debug_sample_rate: float = 0.0) -> Any:
    """Decorate a Lambda handler ``(event, context)`` that answers HTTP requests.

    They come from API Gateway (REST or HTTP API), a load balancer or a function URL.
    ``x-correlation-id`` is taken from the request's headers, else it is the request id (a load
    balancer has none, so there it is Lambda's); the response carries it back, where it is a dict
    with a ``statusCode``. All
    ``x-correlation-*`` headers, the user agent and the DEBUG decision are captured.

    ``debug_sample_rate`` is the share (0 to 1) of requests to log at DEBUG through their whole
    call chain, asked only where no decision came in. Raises `ClewError`, when decorating, if it
    is no such share.

    >>> import clew
    >>> @clew.api_handler(debug_sample_rate=0.05)
    ... def function(event, context):
    ...     return {"statusCode": 200}
    """
    rate = check_rate(debug_sample_rate)

    def decorate(wrapped: Handler) -> Handler:
        check_function(wrapped)
        prepare()

        @wraps(wrapped)
        def invoke(event: Any, context: Any) -> Any:
            def body(delivery: Delivery) -> Any:
                return with_id(
                    wrapped(delivery.event, context),
                    delivery.correlation.id,
                    all_values=wants_all_values(delivery),
                )

            return run(event, context, body, debug_sample_rate=rate)

        return invoke

    return decorate if function is None else decorate(function)


def with_id(response: Any, correlation_id: str, *, all_values: bool = False) -> Any:
    """``response`` with the ``x-correlation-id`` header, in a copy; one that it has stays.

    A response that is not a dict with a ``statusCode`` is left as it is: API Gateway makes up
    the rest of it, and a header would change what it means. ``all_values`` says that the headers
    have to be in ``multiValueHeaders``; where the response has its own elsewhere, so has it this.
    """
    try:
        if correlation_id and isinstance(response, dict) and _takes_id(response):
            name: str = "headers"
            value: str | list[str] = correlation_id
            if all_values and (response.get("multiValueHeaders") or not response.get("headers")):
                name, value = "multiValueHeaders", [correlation_id]
            headers = {**(response.get(name) or {}), wire.ID: value}
            response = {**response, name: headers}
    except Exception:  # noqa: BLE001  (the response is the user's, and goes out as it is)
        failed("adding the id to a response")
    return response


def _takes_id(response: dict[str, Any]) -> bool:
    if "statusCode" not in response or not isinstance(response.get("headers") or {}, dict):
        return False
    for present in (response.get("headers"), response.get("multiValueHeaders")):
        if isinstance(present, dict) and any(str(key).lower() == wire.ID for key in present):
            return False
    return True


def wants_all_values(delivery: Delivery) -> bool:
    """Whether the headers of an answer have to be in ``multiValueHeaders``."""
    if delivery.source != "aws:alb":
        return False
    from clew.capture.alb import wants_all_values

    return wants_all_values(delivery.event)

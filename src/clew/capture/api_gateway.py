"""API Gateway REST APIs, and HTTP APIs with payload format 1.0: headers, the authorizer's ids."""

from __future__ import annotations

from clew.capture.reading import Reading
from clew.capture.record import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

NAME = "aws:apigateway"
#: The member of an authorizer's context that names the request that it was asked about.
AUTHORIZED_REQUEST = "clew-request-id"
_DICT_OR_NONE = (dict, type(None))


def matches(event: dict[str, Any]) -> bool:
    """Whether ``event`` is a Lambda proxy integration's, payload format 1.0."""
    context = event.get("requestContext")
    return (
        isinstance(context, dict)
        and "httpMethod" in event
        and "elb" not in context
        and "methodArn" not in event
        and ("resource" in event or "apiId" in context)
    )


def read(event: dict[str, Any]) -> Reading:
    """Fields are the headers; the edge's id is API Gateway's request id."""
    context = event["requestContext"]
    return Reading(
        NAME,
        event,
        pairs=[*headers(event), *authorized(context)],
        id=text(context.get("requestId")),
        problem=problem(event),
    )


def headers(event: dict[str, Any]) -> Iterable[tuple[object, object]]:
    """(name, value) of every header.

    Of a header that came several times the last counts, as in API Gateway's own ``headers``.
    """
    single, multiple = event.get("headers"), event.get("multiValueHeaders")
    if not isinstance(single, dict):
        single = {}
    if not isinstance(multiple, dict) or multiple.keys() == single.keys():  # nearly always
        return single.items()
    several = [
        (name, values[-1])
        for name, values in multiple.items()
        if name not in single and isinstance(values, list) and values
    ]
    return [*several, *single.items()]


def problem(event: dict[str, Any]) -> str:
    """Why the headers cannot be read, or "". None at all is none: so tests from consoles come."""
    for name in ("headers", "multiValueHeaders"):
        if not isinstance(event.get(name), _DICT_OR_NONE):
            return f"{name} is of type {type(event[name]).__name__}, not an object"
    return ""


def authorized(context: dict[str, Any]) -> Iterable[tuple[object, object]]:
    """The (name, value) pairs in ``requestContext`` that this very request's authorizer set.

    API Gateway caches an authorizer's answer and gives it to later requests too. So the
    authorizer says which request it was asked about, and its ids count for that one only. HTTP
    APIs have the authorizer's context in ``authorizer.lambda``, others in ``authorizer``.
    """
    handed = context.get("authorizer")
    if isinstance(handed, dict) and isinstance(handed.get("lambda"), dict):
        handed = handed["lambda"]
    request_id = context.get("requestId")
    if not isinstance(handed, dict) or not request_id:
        return ()
    return handed.items() if handed.get(AUTHORIZED_REQUEST) == request_id else ()

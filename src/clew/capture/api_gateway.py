"""API Gateway REST APIs (and HTTP APIs with payload format 1.0): headers."""

from __future__ import annotations

from clew.capture.reading import Reading
from clew.capture.record import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

NAME = "aws:apigateway"


def matches(event: dict[str, Any]) -> bool:
    """Whether ``event`` is a Lambda proxy integration's, payload format 1.0."""
    context = event.get("requestContext")
    return (
        isinstance(context, dict)
        and "httpMethod" in event
        and "elb" not in context
        and ("resource" in event or "apiId" in context)
    )


def read(event: dict[str, Any]) -> Reading:
    """Fields are the headers; the edge's id is API Gateway's request id."""
    return Reading(
        NAME,
        event,
        pairs=headers(event),
        id=text(event["requestContext"].get("requestId")),
        problem=problem(event),
    )


def headers(event: dict[str, Any]) -> Iterator[tuple[object, object]]:
    """(name, value) of every header.

    Of a header that came several times the last counts, as in API Gateway's own ``headers``.
    """
    single, multiple = event.get("headers"), event.get("multiValueHeaders")
    if not isinstance(single, dict):
        single = {}
    if isinstance(multiple, dict):
        for name, values in multiple.items():
            if name not in single and isinstance(values, list) and values:
                yield name, values[-1]
    yield from single.items()


def problem(event: dict[str, Any]) -> str:
    """Why the headers cannot be read, or "". None at all is none: so tests from consoles come."""
    for name in ("headers", "multiValueHeaders"):
        if not isinstance(event.get(name), dict | None):
            return f"{name} is of type {type(event[name]).__name__}, not an object"
    return ""

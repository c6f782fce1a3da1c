"""API Gateway HTTP APIs, payload format 2.0: headers."""

from __future__ import annotations

from clew.capture.api_gateway import headers, problem
from clew.capture.reading import Reading
from clew.capture.record import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAME = "aws:apigatewayv2"


def matches(event: dict[str, Any]) -> bool:
    """Whether ``event`` is an HTTP API's, payload format 2.0."""
    context = event.get("requestContext")
    return event.get("version") == "2.0" and isinstance(context, dict) and "http" in context


def read(event: dict[str, Any]) -> Reading:
    """Fields are the headers; the edge's id is API Gateway's request id."""
    return Reading(
        NAME,
        event,
        pairs=headers(event),
        id=text(event["requestContext"].get("requestId")),
        problem=problem(event),
    )

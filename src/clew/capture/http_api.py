"""API Gateway HTTP APIs, payload format 2.0: headers, and the ids of the authorizer."""

from __future__ import annotations

from clew.capture.api_gateway import authorized, headers, problem
from clew.capture.reading import Reading
from clew.capture.record import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAME = "aws:apigatewayv2"
#: In the domain name of every function URL, whose events have the same shape.
URL_DOMAIN = ".lambda-url."


def matches(event: dict[str, Any]) -> bool:
    """Whether ``event`` is an HTTP API's, payload format 2.0."""
    context = event.get("requestContext")
    return (
        event.get("version") == "2.0"
        and isinstance(context, dict)
        and "http" in context
        and "routeArn" not in event
        and URL_DOMAIN not in text(context.get("domainName"))
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

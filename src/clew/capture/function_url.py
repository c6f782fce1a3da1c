"""Lambda function URLs: headers, in the shape of an HTTP API's payload format 2.0."""

from __future__ import annotations

from clew.capture.api_gateway import headers, problem
from clew.capture.http_api import URL_DOMAIN
from clew.capture.reading import Reading
from clew.capture.record import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAME = "aws:lambda-url"


def matches(event: dict[str, Any]) -> bool:
    """Whether ``event`` is a function URL's: what sets it apart is the domain name.

    ``<url id>.lambda-url.<region>.on.aws`` (Lambda developer guide, "Function URLs").
    """
    context = event.get("requestContext")
    return (
        event.get("version") == "2.0"
        and isinstance(context, dict)
        and "http" in context
        and URL_DOMAIN in text(context.get("domainName"))
    )


def read(event: dict[str, Any]) -> Reading:
    """Fields are the headers; the edge's id is the URL's request id."""
    return Reading(
        NAME,
        event,
        pairs=headers(event),
        id=text(event["requestContext"].get("requestId")),
        problem=problem(event),
    )

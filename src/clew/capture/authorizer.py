"""Lambda authorizers of API Gateway's APIs: the headers of the request that they are asked about.

Token authorizers get the token alone, and no header to read ids from.
"""

from __future__ import annotations

from clew.capture.api_gateway import headers, problem
from clew.capture.reading import Reading
from clew.capture.record import members, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAME = "aws:apigateway-authorizer"


def matches(event: dict[str, Any]) -> bool:
    """Whether ``event`` asks for a decision: both payload formats, WebSocket APIs too."""
    return ("methodArn" in event or "routeArn" in event) and "type" in event


def read(event: dict[str, Any]) -> Reading:
    """Fields are the headers; the edge's id is the request id of the request it is about."""
    return Reading(
        NAME,
        event,
        pairs=headers(event),
        id=request_id(event),
        problem=problem(event),
    )


def request_id(event: Any) -> str:
    """The id of the request that the authorizer is asked about; "" where it is not told."""
    return text(members(members(event).get("requestContext")).get("requestId"))

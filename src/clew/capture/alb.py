"""Application Load Balancers: headers, single or with all their values."""

from __future__ import annotations

from clew.capture.api_gateway import headers, problem
from clew.capture.reading import Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAME = "aws:alb"


def matches(event: dict[str, Any]) -> bool:
    """Whether ``event`` is a load balancer's."""
    context = event.get("requestContext")
    return isinstance(context, dict) and "elb" in context


def read(event: dict[str, Any]) -> Reading:
    """Fields are the headers. A load balancer has no request id, so Lambda's is the edge's."""
    return Reading(NAME, event, pairs=headers(event), problem=problem(event))


def wants_all_values(event: Any) -> bool:
    """Whether a response has to have its headers in ``multiValueHeaders``.

    So it is where the target group's ``lambda.multi_value_headers.enabled`` is on, and then the
    request has its own there (Application Load Balancer guide, "Multi-value headers").
    """
    return (
        isinstance(event, dict)
        and isinstance(event.get("multiValueHeaders"), dict)
        and "headers" not in event
        and matches(event)
    )

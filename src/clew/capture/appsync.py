"""AppSync: the headers of the request that a resolver, a batch of resolvers or an authorizer
answers.
"""

from __future__ import annotations

from clew.capture.reading import Reading
from clew.capture.record import members, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAME = "aws:appsync"


def matches(event: dict[str, Any]) -> bool:
    """Whether ``event`` is a resolver's context object, or asks an authorizer for a decision."""
    return _is_resolver(event) or _is_authorizer(event)


def matches_list(event: list[Any]) -> bool:
    """Whether ``event`` is a list of resolvers' context objects (``BatchInvoke``)."""
    return isinstance(event[0], dict) and _is_resolver(event[0])


def read(event: dict[str, Any]) -> Reading:
    """Fields are the headers; an authorizer is also told AppSync's request id."""
    if _is_resolver(event):
        return Reading(NAME, event, pairs=_headers(event))
    id_ = text(members(event["requestContext"]).get("requestId"))
    return Reading(NAME, event, pairs=members(event.get("requestHeaders")).items(), id=id_)


def read_list(event: list[Any]) -> Reading:
    """All resolvers of a batch answer the same request, so that the first has its headers."""
    return Reading(NAME, event, pairs=_headers(event[0]))


def _is_resolver(event: dict[str, Any]) -> bool:
    return (
        isinstance(event.get("info"), dict) and isinstance(event.get("request"), dict | None)
    ) and ("arguments" in event or "events" in event)


def _is_authorizer(event: dict[str, Any]) -> bool:
    context = event.get("requestContext")
    return isinstance(context, dict) and "queryString" in context and "apiId" in context


def _headers(event: dict[str, Any]) -> Any:
    return members(members(event.get("request")).get("headers")).items()

"""API Gateway WebSocket APIs: headers when connecting, a context inside a message's JSON body."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64

from clew import payload
from clew.capture.api_gateway import authorized, headers, problem
from clew.capture.reading import Reading
from clew.capture.record import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAME = "aws:apigateway-websocket"


def matches(event: dict[str, Any]) -> bool:
    """Whether ``event`` is a WebSocket API's, and not its authorizer's."""
    context = event.get("requestContext")
    return (
        isinstance(context, dict)
        and "connectionId" in context
        and "eventType" in context
        and "methodArn" not in event
    )


def read(event: dict[str, Any]) -> Reading:
    """Connecting and disconnecting have headers; a message gets to the handler without context.

    The edge's id is the message's request id: each message is a request of its own.
    """
    context = event["requestContext"]
    whole, inside = event, None
    body = event.get("body")
    if isinstance(body, str):
        taken = payload.take(_bytes(event, body))
        inside = taken.context
        if inside is not None:
            whole = {**event, "body": _text(event, taken.data)}
    return Reading(
        NAME,
        whole,
        pairs=[*headers(event), *authorized(context), *payload.pairs(inside)],
        id=text(context.get("requestId")),
        problem=problem(event),
    )


def _bytes(event: dict[str, Any], body: str) -> bytes:
    try:
        return a2b_base64(body) if event.get("isBase64Encoded") is True else body.encode("utf-8")
    except ValueError:
        return b""


def _text(event: dict[str, Any], body: bytes) -> str:
    if event.get("isBase64Encoded") is True:
        return b2a_base64(body, newline=False).decode()
    return body.decode("utf-8")

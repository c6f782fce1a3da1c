"""Lambda destinations: the record of an invocation, with the event that it was for inside.

On success and on failure, delivered to a function, a queue, a topic or a bus (Lambda developer
guide, "Capturing records of Lambda asynchronous invocations"). The record of a failed batch of an
event source mapping has the same envelope without the event.
"""

from __future__ import annotations

from clew import wire
from clew.capture.reading import Reading
from clew.capture.record import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

NAME = "aws:lambda-destination"
#: A record of an invocation that was for a record of an invocation, and so on.
MAX_LAYERS = 8


def matches(event: dict[str, Any]) -> bool:
    """Whether ``event`` is the record of an invocation."""
    context = event.get("requestContext")
    return (
        isinstance(context, dict)
        and "functionArn" in context
        and "condition" in context
        and "responseContext" in event
    )


def read(event: dict[str, Any]) -> Reading:
    """The fields are those of the event that the function was invoked with, one hop on.

    The handler gets ``requestPayload`` without the context.
    """
    layers = _layers(event)
    request_id = text(layers[-1]["requestContext"].get("requestId"))
    innermost = layers[-1].get("requestPayload")
    pairs, payload = _payload(innermost)
    if payload is innermost:
        return Reading(NAME, event, pairs=one_hop_on(pairs, request_id, len(layers)))
    for layer in reversed(layers):
        payload = {**layer, "requestPayload": payload}
    return Reading(NAME, payload, pairs=one_hop_on(pairs, request_id, len(layers)))


def one_hop_on(
    pairs: Iterable[tuple[object, object]], request_id: str, hops: int = 1
) -> list[tuple[object, object]]:
    """What a function passes on by being invoked with ``pairs``, without sending anything itself.

    It called the request ``request_id``, its own Lambda request id, where no id came.
    """
    came = [(wire.ID, request_id), *pairs] if request_id else list(pairs)
    length = wire.check(came).fields.get(wire.CHAIN, "0")
    return [*came, (wire.CHAIN, str(min(int(length) + hops, wire.MAX_CHAIN)))]


def _layers(event: dict[str, Any]) -> list[dict[str, Any]]:
    """The records around the event that it began with, the outermost first."""
    layers = [event]
    while len(layers) < MAX_LAYERS:
        inner = layers[-1].get("requestPayload")
        if not isinstance(inner, dict) or not matches(inner):
            break
        layers.append(inner)
    return layers


def _payload(event: object) -> tuple[list[tuple[object, object]], Any]:
    """The pairs that came with the event, and the event without them."""
    if not isinstance(event, dict) or matches(event):
        return [], event
    from clew.capture import read
    from clew.capture.nested import pairs_of

    reading = read(event)
    return pairs_of(reading), reading.event

"""A context inside a JSON object that another service wrapped before it came.

EventBridge puts the sender's payload into ``detail``, a Lambda destination into ``requestPayload``,
SNS into the ``Message`` of its notification. Where several contexts are found, the outermost is
the latest hop's and counts; all of them are taken out, and every other byte stays as it was.
"""

from __future__ import annotations

from clew import payload, wire
from clew.capture import attributes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.capture.reading import Reading

    Place = tuple[str, ...]

#: A member that wraps the sender's payload -> the member that tells such an object from others.
WRAPPERS = {"detail": "detail-type", "requestPayload": "requestContext"}
#: What one object may wrap another in: a destination's record on an event bus, in a queue, …
MAX_DEPTH = 4
#: A text without any of these carries nothing, and is not decoded.
_MARKS = ("__context", "TopicArn", "requestContext")


def places(value: dict[str, Any], depth: int = MAX_DEPTH) -> list[Place]:
    """Where in ``value`` an object stands that has a context in it, the outermost first.

    ``()`` is ``value`` itself, ``("detail",)`` its member of that name.
    """
    found: list[Place] = (
        [()] if any(payload.has_context(value, name) for name in wire.CONTEXT_ALIASES) else []
    )
    for name, mark in WRAPPERS.items():
        inner = value.get(name) if mark in value else None
        if isinstance(inner, dict) and depth:
            found += [(name, *place) for place in places(inner, depth - 1)]
    return found


def context_at(value: dict[str, Any], place: Place) -> object:
    """The context of the object that stands at ``place``."""
    for name in place:
        value = value[name]
    return payload.take_from(dict(value))


def without(value: dict[str, Any], found: list[Place]) -> dict[str, Any]:
    """``value`` without the contexts at ``found``. It is not changed: what has to be is copied."""
    for place in found:
        value = _without(value, place)
    return value


def _without(value: dict[str, Any], place: Place) -> dict[str, Any]:
    copied = dict(value)
    if place:
        copied[place[0]] = _without(value[place[0]], place[1:])
    else:
        payload.take_from(copied)
    return copied


def cut(text: str, found: list[Place]) -> str:
    """The JSON text ``text`` without the contexts at ``found``."""
    for place in found:
        text = payload.cut(text, place)
    return text


class Nested(payload.Taken):
    """A payload without the contexts at some places in it."""

    __slots__ = ("_places",)

    def __init__(
        self, original: bytes, value: dict[str, Any], context: object, found: list[Place]
    ) -> None:
        super().__init__(original, value, context)
        self._places = found

    @property
    def data(self) -> bytes:
        """The payload's bytes without the contexts: the exact ones that the sender had."""
        if self._data is None:
            self._data = cut(self._original.decode(), self._places).encode()
        return self._data


def take(data: bytes) -> payload.Taken:
    """`payload.take`, which also finds the context that a service wrapped. Never raises."""
    value = payload.decode_object(data)
    if value is None:
        return payload.Taken(data, None, None)
    if value.keys().isdisjoint(WRAPPERS):  # nearly always
        return payload.Taken(data, value, payload.take_from(value))
    found = places(value)
    if not found:
        return payload.Taken(data, value, None)
    return Nested(data, without(value, found), context_at(value, found[0]), found)


class Opened:
    """What was inside the text of a message.

    ``message`` is the text that the sender sent, without contexts; ``notification`` is SNS's own
    object around it, or an empty one; ``pairs`` are the (name, value) pairs that came with it.
    """

    __slots__ = ("message", "notification", "pairs")

    def __init__(
        self, message: str, pairs: list[tuple[object, object]], notification: dict[str, Any]
    ) -> None:
        self.message = message
        self.pairs = pairs
        self.notification = notification


def open_message(
    message: str, own: object = None, value_key: str = "Value", *, depth: int = MAX_DEPTH
) -> Opened:
    """Open the text of a message, as far as other services wrapped it. Never raises.

    ``own`` are the message's attributes, with their values under ``value_key``: of a message that
    has ids there the text is the sender's own, and stays; of a dead letter it is a whole event.
    """
    failed = attributes.failed_request(own, value_key)
    if attributes.carry_ids(own) or not depth or not (failed or _has_mark(message)):
        opened = Opened(message, [], {})
    else:
        opened = _decoded(message, depth)
    if failed:
        from clew.capture.destination import one_hop_on

        opened.pairs = one_hop_on(opened.pairs, failed)
    return opened


def _decoded(message: str, depth: int) -> Opened:
    value = payload.decode_text(message)
    if value is None:
        return Opened(message, [], {})
    if _is_notification(value):
        own = value.get("MessageAttributes")
        inner = open_message(value["Message"], own, depth=depth - 1)
        return Opened(inner.message, [*inner.pairs, *attributes.pairs(own, "Value")], value)
    return Opened(cut(message, places(value)), event_pairs(value), {})


def event_pairs(event: object) -> list[tuple[object, object]]:
    """The pairs that came with a Lambda event that is inside another. Never raises."""
    from clew.capture import read

    try:
        return pairs_of(read(event))
    except Exception:  # noqa: BLE001  (an event of any shape may be in a message)
        return [wire.UNREADABLE]


def pairs_of(reading: Reading) -> list[tuple[object, object]]:
    """The pairs of an event as a whole; those of its record, where it is a batch of one."""
    if len(reading.records) == 1:
        return [*reading.pairs, *reading.records[0].came_with()]
    return list(reading.pairs)


def _is_notification(value: dict[str, Any]) -> bool:
    return (
        value.get("Type") == "Notification"
        and "TopicArn" in value
        and isinstance(value.get("Message"), str)
    )


def _has_mark(message: str) -> bool:
    return message[:64].lstrip()[:1] == "{" and any(mark in message for mark in _MARKS)

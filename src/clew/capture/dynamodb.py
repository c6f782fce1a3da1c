"""DynamoDB streams: a context that an item carries as one of its attributes."""

from __future__ import annotations

import json

from clew import payload, wire
from clew.capture.reading import Reading
from clew.capture.record import Record, members, moment, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any

NAME = "aws:dynamodb"
_IMAGES = ("NewImage", "OldImage")


def read(event: dict[str, Any]) -> Reading:
    """One `DynamoDBRecord` per record. The handler gets the images without the context."""
    raws = event["Records"]
    clean = without_contexts(raws)
    stripped = event if clean is raws else {**event, "Records": clean}
    return Reading(NAME, stripped, records=records_of(raws))


def records_of(raws: list[Any]) -> list[Record]:
    """The records that came as ``raws``, of any shape."""
    return [DynamoDBRecord(raw) for raw in raws]


def without_contexts(raws: list[Any]) -> list[Any]:
    """``raws`` without the contexts in their images: itself where there are none, else a copy."""
    clean = [_without_contexts(raw) for raw in raws]
    return clean if any(a is not b for a, b in zip(clean, raws, strict=True)) else raws


def _without_contexts(raw: Any) -> Any:
    change = members(members(raw).get("dynamodb"))
    carrying = {
        name: _item(change[name])
        for name in _IMAGES
        if any(alias in members(change.get(name)) for alias in wire.CONTEXT_ALIASES)
    }
    return {**raw, "dynamodb": {**change, **carrying}} if carrying else raw


def _item(image: dict[str, Any]) -> dict[str, Any]:
    """The image of an item without its context, in a copy."""
    return {name: value for name, value in image.items() if name not in wire.CONTEXT_ALIASES}


class DynamoDBRecord(Record):
    """A change of an item in a table.

    `payload` is the item as it is after the change, or as it was before it where it is gone:
    plain values, as boto3's table resource has them. Names follow the DynamoDB Streams API
    reference, "StreamRecord".

    The context counts where this very change wrote it. Where the item had it before (the old
    image has the same send), another request wrote it then, and this change has fresh ids.
    """

    __slots__ = ()

    def came_with(self) -> Iterable[tuple[object, object]]:
        new, old = (self._context(name) for name in _IMAGES)
        if new is None:
            return payload.pairs(old)
        if _span(new) and _span(new) == _span(old):
            return ()
        return payload.pairs(new)

    @property
    def payload(self) -> dict[str, Any]:
        """The item: numbers are `decimal.Decimal`, binary is bytes, sets are sets.

        Where the stream has keys only, these. What is no value of DynamoDB's stays as it came.
        """
        from clew.capture.attribute_values import plain

        return {name: plain(value) for name, value in self._image().items()}

    @property
    def data(self) -> bytes:
        """The item as the stream has it, with types, as JSON in UTF-8."""
        return json.dumps(self._image(), separators=(",", ":")).encode()

    @property
    def keys(self) -> dict[str, Any]:
        """The item's primary key, with types (``{"id": {"S": "42"}}``)."""
        return members(self._change.get("Keys"))

    @property
    def new_image(self) -> dict[str, Any]:
        """The item after the change, with types; empty where it is gone or not in the stream."""
        return _item(members(self._change.get("NewImage")))

    @property
    def old_image(self) -> dict[str, Any]:
        """The item before the change, with types; empty where it is new or not in the stream."""
        return _item(members(self._change.get("OldImage")))

    @property
    def event_name(self) -> str:
        """``INSERT``, ``MODIFY`` or ``REMOVE``."""
        return text(members(self.raw).get("eventName"))

    @property
    def expired(self) -> bool:
        """Whether DynamoDB removed the item because its time to live was over."""
        identity = members(members(self.raw).get("userIdentity"))
        return identity.get("principalId") == "dynamodb.amazonaws.com"

    @property
    def sequence_number(self) -> str:
        """The change's place in its shard; what ``batchItemFailures`` wants."""
        return text(self._change.get("SequenceNumber"))

    @property
    def stream_arn(self) -> str:
        """The stream's ARN."""
        return text(members(self.raw).get("eventSourceARN"))

    @property
    def arrived(self) -> datetime | None:
        """When the change was made (UTC, to the second), or None where the event has no time."""
        return moment(self._change.get("ApproximateCreationDateTime"))

    @property
    def position(self) -> dict[str, str]:
        """The sequence number."""
        return {"sequenceNumber": self.sequence_number}

    def _image(self) -> dict[str, Any]:
        return self.new_image or self.old_image or self.keys

    def _context(self, image: str) -> object:
        """The context that an image carries, as plain values; None where it has none."""
        item = members(self._change.get(image))
        found = next((item[name] for name in wire.CONTEXT_ALIASES if name in item), None)
        if found is None:
            return None
        value = members(found)
        if isinstance(value.get("S"), str):
            decoded = payload.decode_object(value["S"].encode("utf-8", "replace"))
            return () if decoded is None else decoded
        if isinstance(value.get("M"), dict):
            return {name: _text_of(typed) for name, typed in value["M"].items()}
        return ()  # of a type that no library writes: `payload.pairs` counts it as unreadable

    @property
    def _change(self) -> dict[str, Any]:
        return members(members(self.raw).get("dynamodb"))


def _text_of(typed: object) -> object:
    """The value of a typed text or number, as text; a flag as the wire writes it."""
    value = members(typed)
    if isinstance(value.get("BOOL"), bool):
        return "true" if value["BOOL"] else "false"
    return value.get("S", value.get("N"))


def _span(context: object) -> object:
    """What names one send: no two have it in common."""
    return context.get(wire.TRACEPARENT) if isinstance(context, dict) else None

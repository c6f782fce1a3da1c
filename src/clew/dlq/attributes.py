"""Message attributes, from how Lambda delivers them to how boto3 sends them. Pure."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import TYPE_CHECKING, Any

from clew import wire
from clew.capture.record import members, text
from clew.capture.sqs import SqsRecord
from clew.streams.identity import LIVES, MEMBER

if TYPE_CHECKING:
    from collections.abc import Mapping

#: SQS developer guide, "Message attributes": ten; SNS takes as many.
_MOST = 10
_STAMPS = frozenset((wire.PACKED, wire.TRACEPARENT, wire.TRACESTATE))


def to_send(raw: dict[str, Any], context: dict[str, str]) -> dict[str, Any]:
    """The attributes of a record of SQS to send with it again, its context in one of them."""
    given = {
        name: found
        for name, value in members(raw.get("messageAttributes")).items()
        if (found := sendable(_from_delivered(members(value))))
    }
    own = {
        name: value
        for name, value in given.items()
        if name.lower() not in _STAMPS and not wire.is_field(name.lower())
    }
    if len(own) == _MOST or not context:
        return given
    came = {
        name: value
        for name, value in SqsRecord(raw).came_with()
        if isinstance(name, str)
        and isinstance(value, str)
        and (wire.is_field(name) or name in (wire.TRACEPARENT, wire.TRACESTATE))
    }
    if came and wire.ID in context and wire.ID not in wire.check(came.items()).fields:
        came[wire.ID] = context[wire.ID]  # which was made for it when it came without one
    if wire.TRACEPARENT in context:  # the letter is the parent, whatever sent the record first
        came.pop(wire.TRACESTATE, None)
    names = (wire.TRACEPARENT, MEMBER, LIVES)
    own_fields = {name: context[name] for name in names if name in context}
    fields = {**(came or context), **own_fields}
    packed = json.dumps(fields, separators=(",", ":")).encode()
    return {**own, wire.PACKED: {"DataType": "Binary", "BinaryValue": packed}}


def published(raw: dict[str, Any]) -> dict[str, Any]:
    """The attributes of a record of SNS, as they came."""
    found: dict[str, Any] = {}
    for name, value in members(raw.get("MessageAttributes")).items():
        kind, given = text(members(value).get("Type")), text(members(value).get("Value"))
        if kind == "Binary":
            found[name] = {"DataType": kind, "BinaryValue": b64decode(given, validate=True)}
        elif kind and given:
            found[name] = {"DataType": kind, "StringValue": given}
    return found


def _from_delivered(value: dict[str, Any]) -> dict[str, Any]:
    kind = text(value.get("dataType"))
    if kind.startswith("Binary"):
        return {
            "DataType": kind,
            "BinaryValue": b64decode(text(value.get("binaryValue")), validate=True),
        }
    return {"DataType": kind or "String", "StringValue": text(value.get("stringValue"))}


def sendable(value: Mapping[str, Any]) -> dict[str, Any]:
    """An attribute without what only an answer has; nothing where it has no value."""
    names = ("DataType", "StringValue", "BinaryValue")
    found = {name: value[name] for name in names if value.get(name)}
    return found if len(found) > 1 else {}

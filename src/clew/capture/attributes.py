"""Fields that travel as message attributes: one each, or all packed into one."""

from __future__ import annotations

import json
from binascii import a2b_base64

from clew import payload, wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_STAMPS = frozenset((wire.ID, wire.TRACEPARENT, wire.PACKED))


def unpack(value: object) -> list[tuple[object, object]]:
    """The pairs inside a packed attribute's value: base64 of a JSON object."""
    try:
        decoded = a2b_base64(value) if isinstance(value, str) else b""
        return payload.pairs(json.loads(decoded.decode("utf-8")))
    except (ValueError, RecursionError):
        return [wire.UNREADABLE]


def pairs(
    attributes: object, value_key: str, binary_key: str = ""
) -> Iterable[tuple[object, object]]:
    """(name, value) of every attribute of a message as Lambda delivers it, the packed one opened.

    ``value_key`` is the service's name for an attribute's value (``"Value"`` in SNS),
    ``binary_key`` the one of a binary attribute, where it has another.
    """
    if not isinstance(attributes, dict):
        if attributes is not None:
            yield wire.UNREADABLE
        return
    for name, attribute in attributes.items():
        known = attribute if isinstance(attribute, dict) else {}
        if isinstance(name, str) and name.lower() == wire.PACKED:
            yield from unpack(known.get(binary_key or value_key))
        else:
            yield name, known.get(value_key)


def carry_ids(attributes: object) -> bool:
    """Whether the sender stamped the message: its text is then the sender's own."""
    return isinstance(attributes, dict) and any(
        isinstance(name, str) and name.lower() in _STAMPS for name in attributes
    )


def failed_request(attributes: object, value_key: str) -> str:
    """Of a dead letter, the request id of the invocation that failed; else "".

    Lambda names it in what it sends to the dead-letter queue (or topic) of a function that was
    invoked asynchronously (Lambda developer guide, "Adding a dead-letter queue").
    """
    if not isinstance(attributes, dict) or "ErrorCode" not in attributes:
        return ""
    request_id = attributes.get("RequestID")
    value = request_id.get(value_key) if isinstance(request_id, dict) else None
    return value if isinstance(value, str) else ""


def without_clew(attributes: object) -> dict[str, Any]:
    """The attributes that the sender set itself."""
    if not isinstance(attributes, dict):
        return {}
    return {name: one for name, one in attributes.items() if not _is_clews(name, one)}


def _is_clews(name: object, attribute: object) -> bool:
    if not isinstance(name, str):
        return False
    lower = name.lower()
    if lower == wire.BAGGAGE:  # it may be the sender's own word for something else
        values = attribute.values() if isinstance(attribute, dict) else ()
        return any(isinstance(value, str) and wire.is_baggage(value) for value in values)
    return lower == wire.PACKED or wire.is_field(lower)

"""Fields that travel as message attributes: one each, or all packed into one."""

from __future__ import annotations

import json
from binascii import a2b_base64

from clew import payload, wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


def unpack(value: object) -> list[tuple[object, object]]:
    """The pairs inside a packed attribute's value: base64 of a JSON object."""
    try:
        decoded = a2b_base64(value) if isinstance(value, str) else b""
        return payload.pairs(json.loads(decoded.decode("utf-8")))
    except (ValueError, RecursionError):
        return [wire.UNREADABLE]


def pairs(attributes: object, value_key: str) -> Iterable[tuple[object, object]]:
    """(name, value) of every attribute of a message as Lambda delivers it, the packed one opened.

    ``value_key`` is the service's name for an attribute's value (``"Value"`` in SNS).
    """
    if not isinstance(attributes, dict):
        if attributes is not None:
            yield wire.UNREADABLE
        return
    for name, attribute in attributes.items():
        value = attribute.get(value_key) if isinstance(attribute, dict) else None
        if isinstance(name, str) and name.lower() == wire.PACKED:
            yield from unpack(value)
        else:
            yield name, value


def without_clew(attributes: object) -> dict[str, Any]:
    """The attributes that the sender set itself."""
    if not isinstance(attributes, dict):
        return {}
    return {
        name: attribute
        for name, attribute in attributes.items()
        if not (
            isinstance(name, str) and (name.lower() == wire.PACKED or wire.is_field(name.lower()))
        )
    }

"""Put the fields on a message as attributes: one each, else all in one, else none."""

from __future__ import annotations

from clew import wire
from clew.forward.limits import LARGEST_CONTEXT
from clew.forward.sending import goes_untouched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.invocation import Sent


def stamped(
    present: dict[str, Any] | None, sent: Sent, *, room: int, body_bytes: int, max_bytes: int
) -> dict[str, Any] | None:
    """The attributes that the message goes out with; None where they stay as they are.

    ``present`` are the user's own, which are not changed; ``room`` is how many attributes the
    service takes; ``body_bytes`` and ``max_bytes`` are the size of the rest and of the whole.
    A message that is stamped already keeps its stamp, and ``sent`` takes over its span.
    """
    own = present or {}
    if is_stamped(own):
        _take_over_span(own, sent)
        return None
    fields = sent.correlation.outgoing(sent.span_id)
    used = body_bytes + size(own)
    if len(own) + len(fields) <= room:
        separate = {name: _text(value) for name, value in fields.items()}
        if used + LARGEST_CONTEXT <= max_bytes or used + size(separate) <= max_bytes:
            return {**own, **separate}
    packed = {
        wire.PACKED: {
            # Binary: a String that holds JSON breaks the filter policies of subscribers.
            "DataType": "Binary",
            "BinaryValue": sent.correlation.as_context(sent.span_id).encode(),
        }
    }
    if len(own) + 1 <= room and used + size(packed) <= max_bytes:
        return {**own, **packed}
    goes_untouched(sent, "it has no room left for attributes")
    return None


def is_stamped(attributes: dict[str, Any]) -> bool:
    """Whether a message has its fields already."""
    names = {str(name).lower() for name in attributes}
    return not names.isdisjoint((wire.ID, wire.TRACEPARENT, wire.PACKED))


def size(attributes: dict[str, Any]) -> int:
    """How many bytes attributes count for: names, types and values."""
    return sum(
        len(str(name)) + len(str(attribute.get("DataType", ""))) + _length(attribute)
        for name, attribute in attributes.items()
    )


def _length(attribute: dict[str, Any]) -> int:
    value = attribute.get("StringValue", attribute.get("BinaryValue", ""))
    return len(value.encode("utf-8", "replace") if isinstance(value, str) else value)


def _text(value: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}


def _take_over_span(attributes: dict[str, Any], sent: Sent) -> None:
    for name, attribute in attributes.items():
        if str(name).lower() == wire.TRACEPARENT:
            found = wire.check([(wire.TRACEPARENT, attribute.get("StringValue"))])
            sent.span_id = found.parent_span_id or sent.span_id

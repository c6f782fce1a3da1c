"""Put the fields on a message as attributes: one each, else all in one, else none."""

from __future__ import annotations

from clew import payload, wire
from clew.forward.limits import MESSAGE_ATTRIBUTES, length
from clew.forward.sending import goes_untouched, take_over

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from clew.invocation import Sent

    Attributes = dict[str, Any]


def stamped(own: Any, sent: Sent, room: int) -> Attributes | None:
    """The attributes that the message goes out with; None where they stay as they are.

    ``own`` are the user's, which are not changed; ``room`` is how many bytes more the
    message may have. What is there already stays: the user's own value of a field, and a trace
    or a packed context, which ``sent`` then takes over.
    """
    if not isinstance(own, dict):
        return None  # botocore says what is wrong with them
    names = {str(name).lower() for name in own}
    if wire.PACKED in names:
        take_over(sent, _unpacked(own))
        return None
    if _is_written_for_us(own, sent):
        theirs = (wire.TRACEPARENT, wire.TRACESTATE, wire.BAGGAGE)
        own = {name: one for name, one in own.items() if name.lower() not in theirs}
        names = {name.lower() for name in own}
    traced = wire.TRACEPARENT in names
    for more in _ways(sent, names, traced=traced):
        if len(own) + len(more) <= MESSAGE_ATTRIBUTES and size(more) <= room:
            if traced or wire.ID in names:
                _take_over_present(sent, own)
            return {**own, **more} if more else None
    if traced:
        _take_over_present(sent, own)
    else:
        goes_untouched(sent, "it has no room left for attributes")
    return None


def _ways(sent: Sent, names: set[str], *, traced: bool) -> Iterator[Attributes]:
    """The attributes to add, in the order in which they are tried: the baggage goes first."""
    whole = sent.correlation
    for one in (whole, whole.without_baggage()) if whole.baggage else (whole,):
        fields = one.outgoing(sent.span_id)
        written = wire.NODE_NAMES if payload.is_for_node() else {}
        yield {
            written.get(name, name): _text(value)
            for name, value in fields.items()
            if name not in names
        }
        if not traced:
            # Binary: a String that holds JSON breaks the filter policies of subscribers.
            context = one.as_context(sent.span_id).encode()
            yield {wire.PACKED: {"DataType": "Binary", "BinaryValue": context}}


def _is_written_for_us(own: Attributes, sent: Sent) -> bool:
    """Whether OpenTelemetry has put on already what we would: the trace of its current span."""
    theirs = next((one for name, one in own.items() if name.lower() == wire.TRACEPARENT), None)
    if not isinstance(theirs, dict):
        return False
    ours = sent.correlation.outgoing(sent.span_id)[wire.TRACEPARENT]
    return theirs.get("StringValue") == ours


def size(attributes: Attributes) -> int:
    """How many bytes attributes count for: names, types and values."""
    return sum(
        length(name)
        + length(attribute.get("DataType"))
        + length(attribute.get("StringValue", attribute.get("BinaryValue")))
        for name, attribute in attributes.items()
    )


def _text(value: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}


def _unpacked(attributes: Attributes) -> list[tuple[object, object]]:
    for name, attribute in attributes.items():
        if name.lower() == wire.PACKED:
            value = attribute.get("BinaryValue") or attribute.get("StringValue") or b""
            raw = value.encode() if isinstance(value, str) else bytes(value)
            return payload.pairs(payload.decode_object(raw) or {})
    return []


def _take_over_present(sent: Sent, own: Attributes) -> None:
    """The user's own id or trace goes along with the fields that were missing."""
    theirs = {name.lower(): attribute.get("StringValue") for name, attribute in own.items()}
    ours = sent.correlation.outgoing(sent.span_id)
    take_over(sent, {**ours, **theirs}.items())

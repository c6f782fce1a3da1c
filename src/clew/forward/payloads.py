"""Put the fields into a JSON payload, byte for byte as it was but for them."""

from __future__ import annotations

from clew import payload, wire
from clew.forward.sending import goes_untouched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clew.invocation import Sent


def stamped(data: object, sent: Sent, *, max_bytes: int) -> bytes | None:
    """``data`` with the fields of ``sent`` spliced in; None where it goes out as it is.

    That is where it is not a JSON object (``sent`` is then marked), where it would pass
    ``max_bytes``, or where it has a context already, whose span ``sent`` takes over.
    """
    raw = data.encode() if isinstance(data, str) else data
    if not isinstance(raw, bytes | bytearray | memoryview):
        goes_untouched(sent, "its payload is a file or a stream")
        return None
    raw = bytes(raw)
    value = payload.decode_object(raw)
    if value is None:
        # Not a fault, and often the case: gzip, protobuf, text. The entry alone says so.
        sent.carried = False
        return None
    context = payload.take_from(value)
    if context is not None:
        found = wire.check(payload.pairs(context))
        sent.span_id = found.parent_span_id or sent.span_id
        return None
    done = payload.splice(
        raw, payload.context_field(), sent.correlation.as_context(sent.span_id), empty=not value
    )
    if len(done) > max_bytes:
        goes_untouched(sent, "it would pass the service's limit of its size")
        return None
    return done

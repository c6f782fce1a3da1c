"""Put the fields into a JSON payload, byte for byte as it was but for them."""

from __future__ import annotations

from clew import payload, wire
from clew.forward.sending import goes_untouched, take_over
from clew.forward.together import Together

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.correlation import Correlation
    from clew.forward.sending import Messages
    from clew.invocation import Sent

_SPAN = 16


class Splicer:
    """Puts the fields of one correlation into payloads; from one to the next the span differs.

    ``added`` is how many bytes each of them grows by, at most.
    """

    __slots__ = ("_correlation", "_head", "_head_text", "_tail", "_tail_text", "added")

    def __init__(self, correlation: Correlation) -> None:
        self._correlation = correlation
        name = payload.context_field()
        head, self._tail_text = correlation.around_span(for_node=name != wire.CONTEXT)
        self._head_text = f'"{name}":{head}'
        self._head = self._head_text.encode()
        self._tail = self._tail_text.encode()
        self.added = len(self._head) + _SPAN + len(self._tail) + len(",")

    def into(self, data: object, sent: Sent, room: int) -> bytes | str | None:
        """``data`` with the fields of ``sent`` spliced in; None where it goes out as it is.

        That is where it is not a JSON object (``sent`` then says so), where it would grow by more
        than ``room`` bytes, or where it has a context already, whose span ``sent`` takes over.
        Text stays text; anything else comes back as bytes.
        """
        if not isinstance(data, str | bytes | bytearray):
            goes_untouched(sent, "its payload is a file or a stream")
            return None
        value = object_in(data)
        if value is None:
            # Not a fault, and often the case: gzip, protobuf, text. The entry alone says so.
            sent.carried = False
        elif has_context(value):
            context = payload.take_from(value)
            if context is None:
                goes_untouched(sent, "it has a member of its own that is named as the context")
            else:
                take_over(sent, payload.pairs(context))
        elif self.added > room:
            if self._correlation.baggage:  # which can be larger than all the rest
                return Splicer(self._correlation.without_baggage()).into(data, sent, room)
            goes_untouched(sent, "it would pass the service's limit of its size")
        else:
            return self.splice(data, sent.span_id, empty=not value)
        return None

    def into_all(self, all_data: list[Any], all_sent: Messages) -> list[bytes | str | None]:
        """`into` for a batch in which there is room for each, at half its price."""
        opening, ending, decode = b"{" + self._head, self._tail + b",", payload.decoder()
        name, other = wire.CONTEXT_ALIASES
        if isinstance(all_sent, Together):
            begins, spans = all_sent.spans()
            opening += begins
        else:
            spans = [sent.span_id.encode() for sent in all_sent]
        done: list[bytes | str | None] = []
        for data, span in zip(all_data, spans, strict=True):
            # The common case first; whatever is special in any way is looked at again.
            if type(data) is bytes and data[:1] == b"{":
                try:
                    value = decode(data)
                    if value and name not in value and other not in value:
                        done.append(b"".join((opening, span, ending, data[1:])))
                        continue
                except Exception:  # noqa: BLE001, S110  (it is no JSON)
                    pass
            done.append(self.into(data, all_sent[len(done)], self.added))
        return done

    def splice(self, data: str | bytes | bytearray, span_id: str, *, empty: bool) -> str | bytes:
        """``data``, a JSON object without a context, with one as its first member."""
        if isinstance(data, str):
            brace = data.index("{") + 1
            member = self._head_text + span_id + self._tail_text
            return data[:brace] + member + ("" if empty else ",") + data[brace:]
        brace = data.index(b"{") + 1
        raw = self._head + span_id.encode() + self._tail
        return bytes(data[:brace] + raw + (b"" if empty else b",") + data[brace:])


def object_in(data: str | bytes | bytearray) -> dict[str, Any] | None:
    """The JSON object that ``data`` is, or None."""
    if isinstance(data, str):
        return payload.decode_text(data)
    try:
        return payload.decode_text(data.decode())
    except UnicodeDecodeError:
        return None


def has_context(value: dict[str, Any]) -> bool:
    """Whether an object was stamped already."""
    return wire.CONTEXT in value or wire.CONTEXT_ALIASES[1] in value

"""Records whose payload comes in base64, with a context inside its JSON object."""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64

from clew import payload, wire
from clew.capture import nested
from clew.capture.record import Record, members

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


#: The lengths of most call chains as they come in -> with the function that they come to.
_SHORT = {str(length): length + 1 for length in range(10)}


class EncodedRecord(Record):
    """A record whose `payload` is the JSON object that was sent (a dict), else the bytes."""

    __slots__ = ("_taken",)

    def __init__(self, raw: Any) -> None:
        super().__init__(raw)
        self._taken: payload.Taken | None = None

    def _encoded(self) -> object:
        """What came as base64."""
        raise NotImplementedError

    def _open(self) -> payload.Taken:
        taken = self._taken
        if taken is None:
            encoded = self._encoded()
            try:
                taken = self._split(a2b_base64(encoded, strict_mode=True))  # type: ignore[arg-type]
            except (Base64Error, TypeError, ValueError):
                # Not base64: the handler gets what came, untouched.
                self.problem = "a record's data is not base64"
                data = encoded.encode("utf-8", "surrogatepass") if isinstance(encoded, str) else b""
                taken = payload.Taken(data, None, None)
            self._taken = taken
        return taken

    def _split(self, data: bytes) -> payload.Taken:
        taken = nested.take(data)
        if taken.value is None and payload.looks_like_object(data):
            self.problem = "a record's data begins as a JSON object and is none"
        return taken

    def came_with(self) -> Iterable[tuple[object, object]]:
        return payload.pairs(self._open().context)

    @property
    def chain_length(self) -> int:
        if self._correlation is None or self._correlation.is_pending:
            context = (self._taken or self._open()).context
            if context is None:
                return 1
            length = context.get(wire.CHAIN) if type(context) is dict else None
            if type(length) is str and length in _SHORT:  # most are: no need to look further
                return _SHORT[length]
        return self.correlation.chain_length

    def unopened(self) -> tuple[str, str, str, str] | None:
        if self._correlation is None or not self._correlation.is_pending:
            return None
        context = self._open().context
        if type(context) is not dict or wire.TRACESTATE in context:
            return None  # the state may name another span than the parent
        own_id, traceparent = context.get(wire.ID), context.get(wire.TRACEPARENT)
        if type(own_id) is not str or type(traceparent) is not str or not wire.is_value(own_id):
            return None
        found = wire.parse_traceparent(traceparent)
        return (self.span_id, found[1], found[0], own_id) if found is not None else None

    @property
    def payload(self) -> Any:
        """The JSON object that was sent (a dict), or the bytes where it is anything else."""
        taken = self._open()
        return taken.data if taken.value is None else taken.value

    @property
    def data(self) -> bytes:
        """The bytes that were sent."""
        return self._open().data

    @property
    def _raw(self) -> dict[str, Any]:
        return members(self.raw)

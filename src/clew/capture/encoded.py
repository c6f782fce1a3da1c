"""Records whose payload comes in base64, with a context inside its JSON object."""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64

from clew import payload, wire
from clew.capture import nested
from clew.capture.as_came import line_of, receive_as_came, told_by
from clew.capture.receive import own_xray
from clew.capture.record import Record, members, span_after
from clew.pending import PendingCorrelation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from clew.capture.as_came import Told
    from clew.correlation import Correlation

#: Stands for what a record has not been asked for yet.
_UNOPENED = object()
_CHAIN, _DEBUG = wire.CHAIN, wire.DEBUG
#: Members whose objects need a closer look.
_SPECIAL = frozenset((*nested.WRAPPERS, payload.OTHER_NAME))
#: The lengths of most call chains as they come in -> with the function that they come to.
_SHORT = {str(length): length + 1 for length in range(10)}


class EncodedRecord(Record):
    """A record whose `payload` is the JSON object that was sent (a dict), else the bytes."""

    __slots__ = ("_context", "_encoded", "_is_told", "_taken", "_value")

    #: Whether nothing but the context comes with a record of this kind.
    _all_in_context = False

    def __init__(self, raw: Any, encoded: object) -> None:
        Record.__init__(self, raw)  # not by way of `super`: a batch has thousands
        #: What came as base64.
        self._encoded = encoded
        #: The object that was sent, or None where it is none; and the context that came in it.
        self._value: Any = _UNOPENED
        self._context: object = None
        self._is_told = False
        #: The bytes with them, where somebody asked.
        self._taken: payload.Taken | None = None

    def _open(self) -> payload.Taken:
        taken = self._all()
        self._context = taken.context
        self._value = taken.value
        return taken

    def _all(self) -> payload.Taken:
        if self._taken is None:
            self._taken = self._take()
        return self._taken

    def _take(self) -> payload.Taken:
        encoded = self._encoded
        try:
            return self._split(a2b_base64(encoded, strict_mode=True))  # type: ignore[arg-type]
        except (Base64Error, TypeError, ValueError):
            # Not base64: the handler gets what came, untouched.
            self.problem = "a record's data is not base64"
            data = encoded.encode("utf-8", "surrogatepass") if isinstance(encoded, str) else b""
            return payload.Taken(data, None, None)

    def _split(self, data: bytes) -> payload.Taken:
        taken = nested.take(data)
        if taken.value is None and payload.looks_like_object(data):
            self.problem = "a record's data begins as a JSON object and is none"
        return taken

    def _came(self) -> object:
        """The context that came in it, or None."""
        context = self._context  # looked at first: another thread may let it go meanwhile
        return self._open().context if self._value is _UNOPENED else context

    def came_with(self) -> Iterable[tuple[object, object]]:
        return payload.pairs(self._came())

    def receive_into(self, correlation: Correlation) -> None:
        if not self._all_in_context or not receive_as_came(
            self._came(),
            self.arrival.invocation,
            span_after(self.arrival.first_span, self.place),
            correlation,
            is_told=self._is_told,
        ):
            super().receive_into(correlation)

    def line_members(self) -> str | None:
        if not self._all_in_context:
            return None
        arrival = self.arrival
        return line_of(
            self._came(),
            span_after(arrival.first_span, self.place),
            own_xray(arrival.invocation)[0],
            is_told=self._is_told,
        )

    @property
    def chain_length(self) -> int:
        if self._unseen:
            context = self._came()
            if context is None:
                return 1
            length = context.get(_CHAIN) if type(context) is dict else None
            if type(length) is str and length in _SHORT:  # most are: no need to look further
                return _SHORT[length]
        return self.correlation.chain_length

    @property
    def payload(self) -> Any:
        """The JSON object that was sent (a dict), or the bytes where it is anything else."""
        value = self._value
        if value is _UNOPENED:
            value = self._open().value
        return self._all().data if value is None else value

    @property
    def data(self) -> bytes:
        """The bytes that were sent."""
        return self._all().data

    @property
    def _raw(self) -> dict[str, Any]:
        return members(self.raw)

    @staticmethod
    def _open_ahead(records: list[EncodedRecord]) -> Told | None:
        """Left for later are those among which one is no JSON object, or may be wrapped."""
        try:
            all_data = [a2b_base64(one._encoded, strict_mode=True) for one in records]  # type: ignore[arg-type]
        except (Base64Error, TypeError, ValueError):
            return None
        taken = payload.take_all(all_data, _SPECIAL)
        if taken is None:
            return None
        told = told_by(taken[1]) if records[0]._all_in_context else None
        is_told = told is not None
        for one, value, context in zip(records, *taken, strict=True):
            one._value = value
            one._context = context
            one._is_told = is_told
        return told

    @staticmethod
    def _longest_chain(records: list[EncodedRecord]) -> int:
        try:
            lengths = {one._context[_CHAIN] for one in records}  # type: ignore[index]
            return max([_SHORT[length] for length in lengths])
        except (KeyError, TypeError):  # one has no context, or a long chain, or was not opened
            return max([one.chain_length for one in records])

    @staticmethod
    def _let_go(records: list[EncodedRecord]) -> None:
        for one in records:
            one._value = _UNOPENED
            # The two hold each other. What was looked at, too, would be made again as it is, unless
            # it was decided here whether to log at DEBUG.
            if type(one._correlation) is PendingCorrelation or (
                type(one._context) is dict and _DEBUG in one._context
            ):
                one._correlation = None
            one._context = one._taken = None

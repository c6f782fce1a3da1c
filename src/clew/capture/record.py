"""One record of a batch, opened when it is first asked for."""

from __future__ import annotations

import json
from json.encoder import encode_basestring_ascii as quote

from clew.capture.receive import fallback_id, receive
from clew.correlation import NONE, Correlation, new_span_id
from clew.wire import UNREADABLE, check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any

    from clew.invocation import Invocation
    from clew.log.logger import RecordLogger


class Arrival:
    """What the records of one event have in common.

    ``edge_id`` is the id that an event without one gets; the ``count`` records of a batch are told
    apart by their place in it. ``debug_sample_rate`` is as in `receive`.
    """

    __slots__ = ("_first_span", "count", "debug_sample_rate", "edge_id", "invocation")

    def __init__(
        self, invocation: Invocation | None, edge_id: str, count: int, debug_sample_rate: float
    ) -> None:
        self.invocation = invocation
        self.edge_id = edge_id
        self.count = count
        self.debug_sample_rate = debug_sample_rate
        # One random number for all: the next ones are as good as random to anybody else.
        self._first_span = int(new_span_id(), 16)

    def own_id(self, index: int) -> str:
        """The id of the record at ``index``, where none came with it."""
        return fallback_id(self.edge_id, index if self.count > 1 else None)

    def span_id(self, index: int) -> str:
        """The span of the receive of the record at ``index``."""
        return f"{(self._first_span + index) % _SPANS or 1:016x}"


_SPANS = 1 << 64
#: Of a record that belongs to no event: made by hand.
_NOWHERE = Arrival(None, "", 1, 0.0)


class Record:
    """One record: what the sender sent, and the correlation that came with it.

    Each event source has its own kind with the service's names beside these.
    """

    __slots__ = (
        "_arrival",
        "_correlation",
        "_decoded",
        "_index",
        "_key",
        "_reason",
        "attempts",
        "dropped",
        "error",
        "ms",
        "outcome",
        "problem",
        "raw",
    )

    def __init__(self, raw: Any) -> None:
        #: The record as Lambda gave it, clew's additions included.
        self.raw = raw
        #: How many fields broke a limit and were left out; known once `correlation` was looked at.
        self.dropped = 0
        #: Why the record could not be read, or ""; known once it was opened.
        self.problem = ""
        #: What became of it, as the ``invocation`` line says it.
        self.outcome = "pending"
        self.attempts = 0
        self.ms = 0.0
        self.error = ""
        self._correlation: Correlation | None = None
        self._arrival = _NOWHERE
        self._index = 0

    def attach(self, arrival: Arrival, index: int) -> None:
        """Say which event this record came in, as the how manieth, before anything is asked."""
        self._arrival = arrival
        self._index = index

    def arrive_in(self, message: Record, *, with_its_correlation: bool = True) -> None:
        """Be received as ``message`` was, which held this record, and under its correlation.

        Else under that which came with the record itself.
        """
        self._arrival = message._arrival
        self._index = message._index
        if with_its_correlation:
            self._correlation = message.correlation

    @property
    def correlation(self) -> Correlation:
        """The correlation that came with this record, or a fresh one."""
        if self._correlation is None:
            self._correlation = Correlation.pending(self._receive)
        return self._correlation

    @property
    def chain_length(self) -> int:
        """How many functions its call chain has, this one included."""
        return self.correlation.chain_length

    @property
    def span_id(self) -> str:
        """The span of this receive (16 hex digits)."""
        return self._arrival.span_id(self._index)

    @property
    def place(self) -> str:
        """`position` as members of JSON, a comma before each."""
        return "".join(
            f',"{name}":{quote(value)}' for name, value in self.position.items() if value
        )

    def unopened(self) -> tuple[str, str, str, str] | None:
        """(span, parent span, trace, id) of a record whose correlation nobody looked at.

        None where somebody did, or where it takes a look to tell.
        """
        return None

    def _receive(self) -> Correlation:
        try:
            inbound = check(self.came_with())
        except Exception:  # noqa: BLE001  (a malformed record has a fresh correlation)
            inbound = check((UNREADABLE,))
        arrival = self._arrival
        correlation = receive(
            inbound,
            arrival.own_id(self._index),
            arrival.invocation,
            arrival.debug_sample_rate,
            span_id=self.span_id,
        )
        self.dropped = inbound.dropped  # a decision that does not count, too
        return correlation

    @property
    def logger(self) -> RecordLogger:
        """A logger whose lines carry this record's correlation, whichever is in force."""
        from clew.log.logger import RecordLogger

        return RecordLogger(self.correlation)

    @property
    def payload(self) -> Any:
        """What the sender sent, without clew's additions."""
        raise NotImplementedError

    @property
    def data(self) -> bytes:
        """The payload's bytes as the sender had them."""
        raise NotImplementedError

    def json(self) -> Any:
        """The payload, decoded from JSON.

        Raises ``ValueError`` if it is not JSON in UTF-8.
        """
        return json.loads(self.data.decode("utf-8"))

    @property
    def decoded(self) -> Any:
        """What the handler's ``decode`` made of the record; None where it has none."""
        return getattr(self, "_decoded", None)

    @decoded.setter
    def decoded(self, value: Any) -> None:
        self._decoded = value

    def fail(self, reason: str | BaseException) -> None:
        """Say that this record failed, and go on: the handler's ``on_failure`` is for it then.

        For a function that takes whole batches, or one that cannot raise where it finds out.
        """
        from clew.log.encode import as_text

        self._reason = reason
        self.outcome = "failed"
        named = f"{type(reason).__name__}: " if isinstance(reason, BaseException) else ""
        self.error = named + as_text(reason)

    @property
    def reason(self) -> str | BaseException:
        """What `fail` was told, or ""."""
        return getattr(self, "_reason", "")

    @property
    def idempotency_key(self) -> str:
        """The same text for this record however often it comes, also after a redrive.

        Its place in its stream or queue, with the source's ARN; "" where the event does not say.
        """
        found: str = getattr(self, "_key", "")
        if not found:
            from clew.streams.identity import key_of

            self._key = found = key_of(self)
        return found

    @idempotency_key.setter
    def idempotency_key(self, value: str) -> None:
        self._key = value

    @property
    def position(self) -> dict[str, str]:
        """The service's own names for this record (message id, sequence number, shard id)."""
        return {}

    def came_with(self) -> Iterable[tuple[object, object]]:
        """The (name, value) pairs that came with this record, unchecked."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.position!r}, {(self._correlation or NONE).id!r})"


def text(value: object) -> str:
    """``value`` if it is a str, else "": for the fields of an event that may be malformed."""
    return value if isinstance(value, str) else ""


def members(value: object) -> dict[str, Any]:
    """``value`` if it is a dict, else an empty one: for what may be malformed or not there."""
    return value if isinstance(value, dict) else {}


def moment(seconds: Any) -> datetime | None:
    """The UTC time that is ``seconds`` after 1970, or None where that is no time."""
    from datetime import UTC, datetime

    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
    except (OverflowError, OSError, TypeError, ValueError):
        return None


def moment_ms(milliseconds: Any) -> datetime | None:
    """`moment` of a number of milliseconds, which some services write as text."""
    try:
        return moment(float(milliseconds) / 1000)
    except (OverflowError, TypeError, ValueError):
        return None

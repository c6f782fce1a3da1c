"""One record of a batch, opened when it is first asked for."""

from __future__ import annotations

import json

from clew.capture.receive import fallback_id, receive
from clew.correlation import NONE, new_span_id
from clew.pending import PendingCorrelation, pending
from clew.wire import MAX_VALUE, UNREADABLE, check, is_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any

    from clew.capture.as_came import Told
    from clew.capture.several import Rows
    from clew.correlation import Correlation
    from clew.invocation import Invocation
    from clew.log.logger import RecordLogger


class Arrival:
    """What the records of one event have in common.

    ``edge_id`` is the id that an event without one gets; the ``count`` records of a batch are told
    apart by their place in it. ``debug_sample_rate`` is as in `receive`.
    """

    __slots__ = ("count", "debug_sample_rate", "edge_id", "first_span", "invocation")

    def __init__(
        self, invocation: Invocation | None, edge_id: str, count: int, debug_sample_rate: float
    ) -> None:
        self.invocation = invocation
        self.edge_id = edge_id
        self.count = count
        self.debug_sample_rate = debug_sample_rate
        # One random number for all: the next ones are as good as random to anybody else.
        self.first_span = int(new_span_id(), 16)

    def own_id(self, index: int) -> str:
        """The id of the record at ``index``, where none came with it."""
        return fallback_id(self.edge_id, index if self.count > 1 else None)

    @property
    def names_records(self) -> bool:
        """Whether the ids of records without one follow from the event's and their place."""
        return self.count > 1 and is_value(self.edge_id, MAX_VALUE - 8)


_SPANS = 1 << 64


def span_after(first: int, index: int) -> str:
    """The span at ``index`` of those that begin with the number ``first``: 16 hex digits."""
    return f"{(first + index) % _SPANS or 1:016x}"


#: Of a record that belongs to no event: made by hand.
_NOWHERE = Arrival(None, "", 1, 0.0)


class Record:
    """One record: what the sender sent, and the correlation that came with it.

    Each event source has its own kind with the service's names beside these.
    """

    __slots__ = (
        "_correlation",
        "_decoded",
        "_key",
        "_reason",
        "arrival",
        "attempts",
        "dropped",
        "error",
        "ms",
        "outcome",
        "place",
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
        #: Its place in the batch that it came in, from 0.
        self.place = 0
        #: The event that it came in.
        self.arrival = _NOWHERE
        self._correlation: Correlation | None = None

    def arrive_in(self, message: Record, *, with_its_correlation: bool = True) -> None:
        """Be received as ``message`` was, which held this record, and under its correlation.

        Else under that which came with the record itself.
        """
        self.arrival = message.arrival
        self.place = message.place
        if with_its_correlation:
            self._correlation = message.correlation

    @property
    def correlation(self) -> Correlation:
        """The correlation that came with this record, or a fresh one."""
        if self._correlation is None:
            self._correlation = pending(self, self.arrival.invocation)
        return self._correlation

    @property
    def _unseen(self) -> bool:
        """Whether nobody looked at the correlation, so that nothing has ids of its own making."""
        return self._correlation is None or type(self._correlation) is PendingCorrelation

    @property
    def chain_length(self) -> int:
        """How many functions its call chain has, this one included."""
        return self.correlation.chain_length

    @property
    def span_id(self) -> str:
        """The span of this receive (16 hex digits)."""
        return span_after(self.arrival.first_span, self.place)

    def receive_into(self, correlation: Correlation) -> None:
        """Make ``correlation`` of what came with this record. Never raises."""
        try:
            inbound = check(self.came_with())
        except Exception:  # noqa: BLE001  (a malformed record has a fresh correlation)
            inbound = check((UNREADABLE,))
        arrival = self.arrival
        receive(
            inbound,
            arrival.own_id(self.place),
            arrival.invocation,
            arrival.debug_sample_rate,
            span_id=self.span_id,
            into=correlation,
        )
        self.dropped = inbound.dropped  # a decision that does not count, too

    def line_members(self) -> str | None:
        """What a log line has of the correlation; None where that has to be made first."""
        return None

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

    # Of several records of one kind, at a lower price than one by one: see `clew.capture.several`.

    @staticmethod
    def _longest_chain(records: list[Any]) -> int:
        lengths: list[int] = [one.chain_length for one in records]
        return max(lengths)

    @staticmethod
    def _open_ahead(records: list[Any]) -> Told | None:  # noqa: ARG004  (most have no base64)
        return None

    @staticmethod
    def _rows(records: list[Any], told: Told | None) -> Rows | None:  # noqa: ARG004
        return None

    @staticmethod
    def _let_go(records: list[Any]) -> None:
        """Called only of those that have rows."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.position!r}, {(self._correlation or NONE).id!r})"


def attach(records: list[Record], arrival: Arrival) -> None:
    """Say of the records of one event, before anything is asked, that they came in this one."""
    for place, record in enumerate(records):
        record.arrival, record.place = arrival, place


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

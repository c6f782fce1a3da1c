"""One record of a batch, opened when it is first asked for."""

from __future__ import annotations

import json

from clew.capture.receive import receive
from clew.correlation import NONE
from clew.wire import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any

    from clew.correlation import Correlation
    from clew.invocation import Invocation
    from clew.log.logger import RecordLogger


class Record:
    """One record: what the sender sent, and the correlation that came with it.

    Each event source has its own kind with the service's names beside these.
    """

    __slots__ = (
        "_correlation",
        "_invocation",
        "_own_id",
        "_sample_rate",
        "dropped",
        "problem",
        "raw",
    )

    def __init__(self, raw: Any) -> None:
        #: The record as Lambda gave it, clew's additions included.
        self.raw = raw
        #: How many fields broke a limit and were left out; known once `correlation` was asked for.
        self.dropped = 0
        #: Why the record could not be read, or ""; known once it was opened.
        self.problem = ""
        self._correlation: Correlation | None = None
        self._invocation: Invocation | None = None
        self._own_id = ""
        self._sample_rate = 0.0

    def attach(self, invocation: Invocation, own_id: str, debug_sample_rate: float) -> None:
        """Say which invocation this record belongs to, before its correlation is asked for."""
        self._invocation = invocation
        self._own_id = own_id
        self._sample_rate = debug_sample_rate

    @property
    def correlation(self) -> Correlation:
        """The correlation that came with this record, or a fresh one."""
        if self._correlation is None:
            try:
                inbound = check(self.came_with())
            except Exception:  # noqa: BLE001  (a malformed record has a fresh correlation)
                inbound = check(())
                inbound.dropped = 1
            self.dropped = inbound.dropped
            self._correlation = receive(inbound, self._own_id, self._invocation, self._sample_rate)
        return self._correlation

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

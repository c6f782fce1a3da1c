"""A captured event, as the public `clew.capture` gives it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.capture.record import Record
    from clew.correlation import Correlation
    from clew.errors import LoopDetected
    from clew.invocation import Invocation


class Delivery:
    """One Lambda event and the correlation that came in with it.

    ``source`` names where it came from (``"aws:kinesis"``, ``"unknown"``); ``event`` is the event
    without clew's own additions; ``correlation`` is the request's, or for a batch of several
    records that of the invocation; ``records`` has one `Record` each; ``dropped`` counts the
    fields that broke a limit; ``problem`` says why an event could not be read, or is "".
    """

    __slots__ = (
        "correlation",
        "dropped",
        "event",
        "invocation",
        "loops",
        "problem",
        "records",
        "source",
    )

    def __init__(
        self,
        *,
        source: str,
        event: Any,
        correlation: Correlation,
        records: list[Record],
        invocation: Invocation,
        problem: str = "",
        dropped: int = 0,
    ) -> None:
        self.source = source
        self.event = event
        self.correlation = correlation
        self.records = records
        self.invocation = invocation
        self.problem = problem
        self.dropped = dropped
        #: The records whose call chains go in a circle; None where nobody looked, or none does.
        self.loops: dict[Record, LoopDetected] | None = None

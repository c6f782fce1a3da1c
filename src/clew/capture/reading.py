"""What a source's module found in an event."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from clew.capture.record import Record


class Reading:
    """What one event holds.

    ``source`` is its name (``"aws:kinesis"``); ``event`` is what the user's handler gets;
    ``pairs`` are the (name, value) pairs that came in for the request as a whole, unchecked;
    ``id`` is the id that a request without one gets, or ""; ``records`` are those of a batch;
    ``problem`` says why an event could not be read, or "".
    """

    __slots__ = ("event", "id", "pairs", "problem", "records", "source")

    def __init__(
        self,
        source: str,
        event: Any,
        *,
        pairs: Iterable[tuple[object, object]] = (),
        id: str = "",  # noqa: A002  (the field's own name)
        records: list[Record] | None = None,
        problem: str = "",
    ) -> None:
        self.source = source
        self.event = event
        self.pairs = pairs
        self.id = id
        self.records = records if records is not None else []
        self.problem = problem

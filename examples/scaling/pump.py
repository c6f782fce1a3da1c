"""Sends the readings of many meters to a stream, so many a second, and counts them."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import clew.streams

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clew.streams import Progress

METERS = tuple(f"meter-{number:03}" for number in range(400))
_TICK_S = 0.5


class Pump:
    """A thread that puts readings until it is stopped. Each meter numbers its own from 1."""

    def __init__(self, stream: str, client: Any) -> None:
        self.sent: dict[str, int] = {}
        self.refused = 0
        self.bytes = 0
        self._stream, self._client = stream, client
        self._halt = threading.Event()
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def start(self, *, records_per_s: float, size: int, meters: Iterable[str] = METERS) -> None:
        """Send from now on; ``size`` is the bytes of a reading."""
        self._halt.clear()
        arguments = (records_per_s, size, tuple(meters))
        self._thread = threading.Thread(target=self._run, args=arguments, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send no more, once all that was begun is in the stream. Raises what went wrong."""
        self._halt.set()
        if self._thread is not None:
            self._thread.join()
        self.check()

    def check(self) -> None:
        """Raise what went wrong, if something did."""
        if self._error is not None:
            raise self._error

    @property
    def records(self) -> int:
        """How many readings are in the stream."""
        return sum(self.sent.values())

    def _run(self, records_per_s: float, size: int, meters: tuple[str, ...]) -> None:
        at, due = 0, 0.0
        try:
            while not self._halt.is_set():
                began = time.monotonic()
                due += records_per_s * _TICK_S
                some = [meters[(at + n) % len(meters)] for n in range(int(due))]
                at, due = at + len(some), due - len(some)
                self._put(some, size)
                self._halt.wait(_TICK_S - (time.monotonic() - began))
        except Exception as error:  # noqa: BLE001 - raised in the thread that asks
            self._error = error

    def _put(self, meters: list[str], size: int) -> None:
        records = []
        numbers = dict(self.sent)
        for meter in meters:
            numbers[meter] = number = numbers.get(meter, 0) + 1
            reading = {"meter": meter, "number": number, "of": "x" * size}
            records.append((meter, reading))
        refused, sent = self.refused, self.bytes

        def count(progress: Progress) -> None:
            self.refused = refused + progress.refused
            self.bytes = sent + progress.bytes

        # Each meter's readings stay in their order, also when the stream refuses some of them.
        clew.streams.put(self._stream, records, client=self._client, on_progress=count)
        self.sent = numbers

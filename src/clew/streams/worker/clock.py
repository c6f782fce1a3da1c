"""Two clocks: one that never jumps, for waiting, and the stream's own, for ages."""

from __future__ import annotations

import threading
import time
from email.utils import parsedate_to_datetime
from typing import NamedTuple

#: How far the clock may be off: how coarse an HTTP date is, and how long an answer takes.
CLOCK_TOLERANCE_S = 2.0


class Instant(NamedTuple):
    """A moment, on both clocks."""

    #: Seconds of a clock that only goes forward, from no particular beginning.
    steady: float
    #: Seconds since the epoch, as the stream counts them when it stamps records.
    wall: float


class Clock:
    """Tells the time by the service that stamps the records, not by this machine.

    The age of a record decides whether it is given up. A machine whose clock is wrong, or is set
    while the worker runs, must not give up records because of that.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offset = time.time() - time.monotonic()

    def now(self) -> Instant:
        """This moment."""
        steady = time.monotonic()
        return Instant(steady, steady + self._offset)

    def saw(self, http_date: str) -> None:
        """Correct the clock by the ``Date`` header of an answer of the service."""
        try:
            told = parsedate_to_datetime(http_date).timestamp()
        except ValueError:
            return
        with self._lock:
            steady = time.monotonic()
            if abs(told - (steady + self._offset)) > CLOCK_TOLERANCE_S:
                self._offset = told - steady

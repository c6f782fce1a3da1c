"""Lines to a sink: in requests, again after a while where it is busy, at least once.

What the sink refuses for good is found by halving where it does not say which line it was.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from random import uniform
from typing import TYPE_CHECKING

from clew.shipping.answers import (
    BusyError,
    Outcome,
    RefusedError,
    TooLargeError,
    UnusableError,
)
from clew.shipping.batches import Parcel, halves, requests_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from clew.shipping.lines import Line
    from clew.shipping.sinks import Sink

FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 20.0
#: A request needs at least so much time to be begun.
LEAST_S = 1.0
#: No single request may take longer.
LONGEST_REQUEST_S = 30.0
#: Busy answers in a row, after which a sink is left alone where no time bounds the whole.
MAX_TRIES = 10
#: Requests that are spent on finding what is refused in one request. Then all of it counts as
#: refused, which a dead letter keeps.
MAX_HALVINGS = 64


@dataclass(frozen=True, slots=True)
class Report:
    """What became of lines. Each is sent, refused or left."""

    sent: int
    #: With the sink's reasons.
    refused: tuple[tuple[Line, str], ...]
    left: tuple[Line, ...]
    #: Why some are left; "" if none is.
    why: str
    requests: int
    bytes_packed: int


class _Request:
    """Parcels on their way, and how often they may still be halved."""

    __slots__ = ("halvings", "parcels")

    def __init__(self, parcels: list[Parcel], halvings: list[int] | None = None) -> None:
        self.parcels = parcels
        #: One number for all that came out of one request.
        self.halvings = [MAX_HALVINGS] if halvings is None else halvings


def deliver(
    lines: Iterable[Line],
    sink: Sink,
    *,
    left_s: Callable[[], float] = lambda: float("inf"),
    sleep: Callable[[float], None] = time.sleep,
    to_the_end: bool = True,
) -> Report:
    """Send lines, in their order, and say what became of each.

    Args:
        lines: Read as they are needed.
        sink: Where they go.
        left_s: How many seconds are left. Nothing is begun, and nothing waited for, that has no
            room in them.
        sleep: Waits.
        to_the_end: Whether lines are read, and count as left, when nothing more can be sent. Of
            those in a file there may be more than memory holds.
    """
    return _Delivery(sink, left_s, sleep).run(lines, to_the_end=to_the_end)


class _Delivery:
    def __init__(
        self, sink: Sink, left_s: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self.sink = sink
        self.left_s = left_s
        self.sleep = sleep
        self.refused: list[tuple[Line, str]] = []
        self.sent = self.requests = self.size = self.tries = 0
        self.why = ""

    def run(self, lines: Iterable[Line], *, to_the_end: bool) -> Report:
        left: list[Line] = []
        sink = self.sink
        parcels = (Parcel(line, sink.pack(line)) for line in lines)
        for parcels_of_one in requests_of(parcels, sink.max_lines, sink.max_bytes):
            if self.why:
                if not to_the_end:
                    break
                left += [parcel.line for parcel in parcels_of_one]
                continue
            waiting = deque((_Request(parcels_of_one),))
            while waiting and not self.why:
                waiting.extendleft(reversed(self._one(waiting.popleft())))
            left += [parcel.line for request in waiting for parcel in request.parcels]
        return Report(
            self.sent, tuple(self.refused), tuple(left), self.why, self.requests, self.size
        )

    def _one(self, request: _Request) -> list[_Request]:
        """Send one; what is to be sent in its place."""
        timeout_s = min(self.left_s() - LEAST_S / 2, LONGEST_REQUEST_S)
        if timeout_s < LEAST_S / 2:
            self.why = "the time is nearly up"
            return [request]
        self.requests += 1
        try:
            outcome = self.sink.send(request.parcels, timeout_s)
        except BusyError as error:
            outcome = Outcome(tuple(range(len(request.parcels))), {}, str(error), error.wait_s)
        except TooLargeError as error:
            return self._in_two(request, str(error))
        except RefusedError as error:
            request.halvings[0] -= 1
            return self._in_two(request, str(error))
        except UnusableError as error:
            self.why = str(error)
            return [request]
        return self._settle(request, outcome)

    def _settle(self, request: _Request, outcome: Outcome) -> list[_Request]:
        parcels = request.parcels
        for place, reason in outcome.refused.items():
            self.refused.append((parcels[place].line, reason))
        again = [parcels[place] for place in outcome.again]
        taken = len(parcels) - len(again) - len(outcome.refused)
        if taken or not again:
            self.tries = 0
            self.sent += taken
            gone = set(outcome.again) | outcome.refused.keys()
            self.size += sum(len(one.data) for at, one in enumerate(parcels) if at not in gone)
        if not again:
            return []
        self._wait(outcome)
        return [_Request(again, request.halvings)]

    def _in_two(self, request: _Request, reason: str) -> list[_Request]:
        parcels = request.parcels
        if len(parcels) == 1 or request.halvings[0] <= 0:
            self.refused += [(parcel.line, reason) for parcel in parcels]
            return []
        return [_Request(half, request.halvings) for half in halves(parcels)]

    def _wait(self, outcome: Outcome) -> None:
        """Leave the sink alone for a while, or give up: then ``why`` says so."""
        self.tries += 1
        longest = min(FIRST_WAIT_S * 2 ** (self.tries - 1), LONGEST_WAIT_S)
        # Random, so that a thousand functions do not come back at the same moment.
        wait_s = max(uniform(longest / 2, longest), outcome.wait_s)  # noqa: S311
        if self.tries >= MAX_TRIES or self.left_s() < wait_s + LEAST_S:
            self.why = outcome.why or "the sink is busy"
            return
        self.sleep(wait_s)

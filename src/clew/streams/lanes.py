"""Records side by side in threads: each key in order, never more than so many at once."""

from __future__ import annotations

import threading
from contextvars import copy_context
from time import perf_counter as clock

from clew.log.internal import failed
from clew.streams.drive import handle
from clew.streams.schedule import Schedule
from clew.streams.steps import steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clew.streams.batch import Batch
    from clew.streams.schedule import Turn


def in_lanes(batch: Batch, lanes: int) -> None:
    """Run all records in at most ``lanes`` threads, until they are done or the time is up.

    A record that hangs is left to its thread, and returned; the thread is given no other. Raises
    what ends a process (no `Exception`) and came out of one of them.
    """
    schedule = Schedule(batch.records, batch.source.key)
    crew = _Crew(batch, schedule)
    started: list[threading.Thread] = []
    for number in range(min(lanes, schedule.keys)):
        thread = threading.Thread(
            target=copy_context().run, args=(crew.work,), name=f"clew-lane-{number}", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:  # the system has no more: those that there are do it all
            failed("starting a lane")
            break
        started.append(thread)
    if not started:
        crew.work()
    for thread in started:
        left_s = batch.deadline.left_s()
        thread.join(None if left_s == float("inf") else max(left_s, 0.0))
    schedule.close()
    crew.over.set()
    if any(thread.is_alive() for thread in started):
        batch.why = "the function's time is nearly up"
    if crew.fatal is not None:
        raise crew.fatal


class _Crew:
    """What the lanes of one batch have in common."""

    __slots__ = ("batch", "fatal", "over", "schedule", "slowest_s")

    def __init__(self, batch: Batch, schedule: Schedule) -> None:
        self.batch = batch
        self.schedule = schedule
        self.slowest_s = 0.0
        #: Ends the waits between attempts.
        self.over = threading.Event()
        #: What ends a process, where a function raised it.
        self.fatal: BaseException | None = None

    def work(self) -> None:
        """One lane: a record after the other, for as long as there are any for it."""
        batch, schedule = self.batch, self.schedule
        turn: Turn | None = schedule.take()
        try:
            while turn is not None:
                if not batch.deadline.has_room(self.slowest_s):
                    batch.why = "the function's time is nearly up"
                    schedule.close()
                    return
                began = clock()
                goes_on = handle(
                    batch, turn.record, steps(batch, turn.record, more=turn.more), self.over.wait
                )
                self.slowest_s = max(self.slowest_s, clock() - began)
                turn = schedule.take(turn, goes_on=goes_on)
        except BaseException as error:  # noqa: BLE001  (raised again where the batch began)
            self.fatal = self.fatal or error
            schedule.close()
            self.over.set()

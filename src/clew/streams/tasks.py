"""Functions that are coroutines: one record at a time, or side by side in asyncio tasks.

One event loop for each thread that a handler runs in, kept from one invocation to the next: what
the user's code made in it (a session of an HTTP client, say) goes on working.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from functools import partial
from time import perf_counter as clock

from clew.correlation import reset_current, set_current
from clew.errors import ClewError
from clew.handlers.run import say
from clew.streams.batch import engine_failed
from clew.streams.failure import RecordFailed, failure_of
from clew.streams.schedule import Schedule
from clew.streams.steps import CALL, steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any

    from clew.capture import Record
    from clew.streams.batch import Batch
    from clew.streams.schedule import Turn
    from clew.streams.steps import Steps

#: What cancelled tasks get to end in (seconds).
_GRACE_S = 0.1


class _EndedError(Exception):
    """Carries what ends a process out of a task."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(error)
        self.error = error


class _Loop:
    """An event loop that is closed when its thread ends."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()

    def __del__(self) -> None:
        with suppress(Exception):  # at the end of a process there may be little left
            self.loop.close()


_of_thread = threading.local()


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end in this thread's loop. Raises what it raises."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        work.close()
        message = (
            "An asynchronous handler was called inside a running event loop. Lambda calls "
            "handlers outside of one: call it in a thread, with asyncio.to_thread."
        )
        raise ClewError(message)
    if not hasattr(_of_thread, "kept"):
        _of_thread.kept = _Loop()
    return _of_thread.kept.loop.run_until_complete(work)


def in_tasks(batch: Batch, lanes: int | None) -> None:
    """Run all records in at most ``lanes`` tasks, until they are done or the time is up.

    With None, one at a time; a record that is returned then stops what comes behind it in its
    source, not only its key.

    What is not done by then is cancelled and returned. Raises what ends a process (no
    `Exception`) and came out of one of them.
    """
    run(_in_tasks(batch, lanes))


async def _in_tasks(batch: Batch, lanes: int | None) -> None:
    source = batch.source
    schedule = Schedule(batch.records, source.scope if lanes is None else source.key)
    crew = _Crew(batch, schedule)
    working = {
        asyncio.create_task(crew.work(), name=f"clew-lane-{number}")
        for number in range(min(lanes or 1, schedule.keys))
    }
    if working:
        left_s = batch.deadline.left_s()
        timeout = None if left_s == float("inf") else max(left_s, 0.0)
        _, working = await asyncio.wait(working, timeout=timeout)
    schedule.close()
    if working:
        batch.why = "the function's time is nearly up"
        batch.late = True
        for task in working:
            task.cancel()
        await asyncio.wait(working, timeout=_GRACE_S)
    if crew.fatal is not None:
        raise crew.fatal


class _Crew:
    """What the tasks of one batch have in common."""

    __slots__ = ("batch", "fatal", "schedule", "slowest_s")

    def __init__(self, batch: Batch, schedule: Schedule) -> None:
        self.batch = batch
        self.schedule = schedule
        self.slowest_s = 0.0
        #: What ends a process, where a function raised it.
        self.fatal: BaseException | None = None

    async def work(self) -> None:
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
                goes_on = await handle(
                    batch, turn.record, steps(batch, turn.record, more=turn.more)
                )
                self.slowest_s = max(self.slowest_s, clock() - began)
                turn = schedule.take(turn, goes_on=goes_on)
        except asyncio.CancelledError:
            schedule.close()
        except BaseException as error:  # noqa: BLE001  (raised again where the batch began)
            self.fatal = self.fatal or error
            schedule.close()


async def handle(batch: Batch, record: Record, taking: Steps) -> bool:
    """Take all steps of a record. A failure of clew's own returns the record."""
    try:
        return await drive(taking, partial(attempt, batch, record))
    except Exception as error:  # noqa: BLE001  (nothing of clew's breaks the batch)
        engine_failed("handling a record", batch, record, error)
        return False


async def drive(taking: Steps, call: Callable[[], Awaitable[object]]) -> bool:
    """`clew.streams.drive.drive` for a function that is awaited."""
    try:
        answer: Any = None
        problem: Exception | None = None
        while True:
            step = taking.send(answer) if problem is None else taking.throw(problem)
            answer = problem = None
            if step is CALL:
                answer = await call()
            elif type(step) is float:
                await asyncio.sleep(step)
            else:
                try:
                    answer = await asyncio.to_thread(step)
                except Exception as error:  # noqa: BLE001  (the steps know what to make of it)
                    problem = error
    except StopIteration as done:
        return bool(done.value)
    finally:
        taking.close()


async def attempt(batch: Batch, record: Record) -> Exception | None:
    """Await the function once for ``record``, under its correlation: why it failed, or None.

    Raises what ends a process, and ``CancelledError`` where this task is cancelled.
    """
    record.attempts += 1
    token = set_current(record.correlation)
    began = clock()
    try:
        await batch.plan.function(record)
    except asyncio.CancelledError as error:
        if batch.late:
            raise
        return RecordFailed(f"the function was cancelled from inside: {error!r}")
    except Exception as error:  # noqa: BLE001  (the policy is asked)
        return error
    except BaseException as error:
        record.outcome, record.error = "failed", say(error)
        raise
    finally:
        record.ms += (clock() - began) * 1000
        reset_current(token)
    return failure_of(record) if record.outcome == "failed" else None


def whole(batch: Batch) -> None:
    """`clew.streams.whole.whole` for a function that is awaited; cancelled when the time is up."""
    run(_whole(batch))


async def _whole(batch: Batch) -> None:
    from clew.streams.whole import whole_steps

    working = asyncio.create_task(drive(whole_steps(batch), lambda: _call_once(batch)))
    left_s = batch.deadline.left_s()
    await asyncio.wait({working}, timeout=None if left_s == float("inf") else max(left_s, 0.0))
    if not working.done():
        batch.why = "the function's time is nearly up"
        batch.late = True
        working.cancel()
        await asyncio.wait({working}, timeout=_GRACE_S)
        if not working.done() or working.cancelled():
            return
    try:
        working.result()
    except _EndedError as ended:
        raise ended.error from None


async def _call_once(batch: Batch) -> BaseException | None:
    from clew.streams.whole import ended, note

    began = clock()
    try:
        batch.result = await batch.plan.function(list(batch.todo))
    except asyncio.CancelledError as error:
        if batch.late:
            raise
        return RecordFailed(f"the function was cancelled from inside: {error!r}")
    except Exception as error:  # noqa: BLE001  (the policy is asked)
        return error
    except BaseException as error:  # noqa: BLE001  (raised again where the batch began)
        ended(batch, error)
        raise _EndedError(error) from None
    finally:
        note(batch, began)
    return None

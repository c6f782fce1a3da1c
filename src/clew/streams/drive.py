"""Take the steps of records in this thread, one record at a time."""

from __future__ import annotations

import time
from functools import partial
from time import perf_counter as clock

from clew.correlation import current, reset_current, set_current
from clew.handlers.run import say
from clew.streams.batch import engine_failed
from clew.streams.failure import failure_of
from clew.streams.turns import find_loops, in_turn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from clew.capture import Record
    from clew.streams.batch import Batch
    from clew.streams.steps import Steps


def one_at_a_time(batch: Batch) -> None:
    """Run all records in their order. Raises what ends a process (no `Exception`)."""
    token = set_current(current())
    try:
        plain = batch.plan.is_plain and batch.mail is None and not batch.loops
        at, slowest_s = _until_a_failure(batch) if plain else (0, 0.0)
        if at < len(batch.records):
            if plain and not batch.loops:
                find_loops(batch, [*batch.records[at:]])
            _carefully(batch, at, slowest_s)
    finally:
        reset_current(token)


def _until_a_failure(batch: Batch) -> tuple[int, float]:
    """Run records for as long as each is simply done, or nothing has to wait for one that is not.

    Where to go on, and what the slowest took. Nearly all batches are nothing but this, hence the
    care for every step of it.
    """
    function = batch.plan.function
    stop_at, longest = batch.deadline.stop_at, batch.deadline.longest_s
    slowest, index = 0.0, -1
    began = clock()
    for index, record in enumerate(in_turn(batch)):
        if began + slowest >= stop_at:
            return index, slowest
        set_current(record.correlation)
        record.attempts = 1
        error: Exception | None = None
        try:
            function(record)
        except Exception as raised:  # noqa: BLE001  (the policy is asked)
            error = raised
        except BaseException as raised:
            _ended(record, raised, began)
            raise
        now = clock()
        took = now - began
        record.ms = took * 1000
        if took > slowest:
            slowest = took if took < longest else longest
        if error is None:
            if record.outcome == "pending":
                record.outcome = "done"
                began = now
                continue
            error = failure_of(record)
        if not _settle(batch, record, error, began) or batch.letter_waits():
            return index + 1, slowest
        began = clock()
    return index + 1, slowest


def _settle(batch: Batch, record: Record, error: Exception, began: float) -> bool:
    """What comes after the first failure of a record; whether all others may go on as before."""
    from clew.streams.steps import settle

    if handle(batch, record, settle(batch, record, error, began)):
        return True
    batch.stopped.add(batch.source.scope(record))
    return False


def _carefully(batch: Batch, at: int, slowest: float) -> None:
    """Run the records from ``at`` on, but those that have to stay behind one that is returned."""
    from clew.streams.steps import steps

    source, stopped = batch.source, batch.stopped
    for index in range(at, len(batch.records)):
        if stopped and source.stops_all:
            batch.why = batch.why or "a record before them was returned"
            return
        if not batch.deadline.has_room(slowest):
            batch.why = "the function's time is nearly up"
            return
        record = batch.records[index]
        scope = source.scope(record)
        if scope in stopped:
            batch.why = batch.why or "a record before them was returned"
            continue
        letters = batch.letters
        if letters is not None and letters.keys and source.key(record) in letters.keys:
            write_letters(batch)
            if scope in stopped or (stopped and source.stops_all):
                batch.why = batch.why or "a record before them was returned"
                continue
        began = clock()
        if not handle(batch, record, steps(batch, record)):
            stopped.add(scope)
        slowest = max(slowest, clock() - began)


def write_letters(batch: Batch) -> None:
    """Write the dead letters that wait."""
    from clew.streams.letters import write_in_time

    taken = batch.letters.take() if batch.letters is not None else []
    if taken:
        batch.settle_letters(write_in_time(taken, batch.deadline))


def handle(
    batch: Batch,
    record: Record,
    taking: Steps,
    wait: Callable[[float], object] = time.sleep,
) -> bool:
    """Take all steps of a record here and now. A failure of clew's own returns the record.

    Raises what ends a process (no `Exception`).
    """
    try:
        return drive(taking, partial(attempt, batch, record), wait)
    except Exception as error:  # noqa: BLE001  (nothing of clew's breaks the batch)
        engine_failed("handling a record", batch, record, error)
        return False


def drive(
    taking: Steps, call: Callable[[], object], wait: Callable[[float], object] = time.sleep
) -> bool:
    """Take steps to their end; what they return. See `clew.streams.steps`."""
    from clew.streams.steps import CALL

    try:
        answer: Any = None
        problem: Exception | None = None
        while True:
            step = taking.send(answer) if problem is None else taking.throw(problem)
            answer = problem = None
            if step is CALL:
                answer = call()
            elif type(step) is float:
                wait(step)
            else:
                try:
                    answer = step()
                except Exception as error:  # noqa: BLE001  (the steps know what to make of it)
                    problem = error
    except StopIteration as done:
        return bool(done.value)
    finally:
        taking.close()


def attempt(batch: Batch, record: Record) -> Exception | None:
    """Call the function once for ``record``, under its correlation: why it failed, or None.

    Raises what ends a process (no `Exception`).
    """
    record.attempts += 1
    token = set_current(record.correlation)
    began = clock()
    try:
        batch.plan.function(record)
    except Exception as error:  # noqa: BLE001  (the policy is asked)
        return error
    except BaseException as error:
        _ended(record, error, began)
        raise
    finally:
        record.ms += (clock() - began) * 1000
        reset_current(token)
    return failure_of(record) if record.outcome == "failed" else None


def _ended(record: Record, error: BaseException, began: float) -> None:
    """Something that ends a process came out of the function."""
    record.outcome, record.error = "failed", say(error)
    record.ms = record.ms or (clock() - began) * 1000

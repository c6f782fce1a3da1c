"""Functions that take all records of a batch at once, and say which of them failed."""

from __future__ import annotations

from functools import partial
from time import perf_counter as clock

from clew.handlers.run import say
from clew.log.internal import warn_once
from clew.streams import told
from clew.streams.batch import FINAL
from clew.streams.deadline import UP
from clew.streams.decide import AGAIN
from clew.streams.drive import drive
from clew.streams.failure import PartialFailure, RecordFailed, as_error, failure_of
from clew.streams.steps import CALL, claim, decision_on, decode, end, let_go, loop, settle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Hashable
    from typing import Any

    from clew.capture import Record
    from clew.streams.batch import Batch
    from clew.streams.idempotency import Idempotency
    from clew.streams.steps import Steps


#: The share of the time after which no more records are looked up in the idempotency table: they
#: have to be marked there too, and the function has to run between.
_LOOK_UP = 1 / 3


def whole(batch: Batch) -> None:
    """Give the function its records. Raises what ends a process (no `Exception`)."""
    drive(whole_steps(batch), lambda: call_once(batch))


def whole_steps(batch: Batch) -> Steps:
    """As `clew.streams.steps.steps`, of all records together; `CALL` is for ``batch.todo``."""
    twins: dict[Record, Record] = {}
    batch.todo = yield from _ready(batch, twins)
    taken = list(batch.todo)
    began = clock()
    due = not batch.records  # the last call of a tumbling window has none
    if batch.todo and batch.deadline.left_s() <= 0:
        batch.why = UP
        batch.todo = []
    while batch.todo or due:
        due = False
        error = yield CALL
        if error is not None and not batch.todo:
            batch.error = error
        batch.todo = yield from _after(batch, error, began)
    for record, first in twins.items():
        if first.outcome in FINAL:
            batch.repeats += first.outcome != "returned"
            batch.end(record, "returned" if first.outcome == "returned" else "done")
    if batch.plan.idempotency is not None:
        for record in taken:
            if batch.deadline.left_s() <= 0:  # the report counts for more than what is left here
                warn_once("marks", "no time was left to mark all records in the idempotency table")
                break
            yield from let_go(batch, record, batch.plan.idempotency, record.outcome)
    return True


def _ready(batch: Batch, twins: dict[Record, Record]) -> Generator[Any, Any, list[Record]]:
    """The records that the function is given: those that are not done, and can be decoded.

    Of several that the idempotency table knows by one key it is the first; the others go into
    ``twins``, and end as that does. They would wait in vain for the batch that they are in.
    """
    store = batch.plan.idempotency
    known_by: dict[str, Record] = {}
    ready: list[Record] = []
    enough_s = batch.deadline.left_s() * (1 - _LOOK_UP)
    for record in batch.records:
        if store is not None:
            if batch.deadline.left_s() < enough_s:
                batch.why = UP
                break
            first = known_by.get(_key_of(record, store))
            if first is not None:
                twins[record] = first
                continue
            known = yield from claim(batch, record, store)
            if known is not None:
                continue
            if record.idempotency_key:
                known_by[record.idempotency_key] = record
        problem = loop(batch, record) or decode(batch, record)
        if problem is None:
            ready.append(record)
            continue
        yield from settle(batch, record, problem, clock(), permanent=True)
        if store is not None:
            yield from let_go(batch, record, store, record.outcome)
    return ready


def _key_of(record: Record, store: Idempotency) -> str:
    """The key of a record; "" where the user's function fails, which its claim tells."""
    try:
        return store.key_of(record)
    except Exception:  # noqa: BLE001  (the user's own function)
        return ""


def _after(
    batch: Batch, error: Exception | None, began: float
) -> Generator[Any, Any, list[Record]]:
    """What comes after a call for ``batch.todo``: the records that the next one is for."""
    failures = _failures(batch, batch.todo, error)
    again: list[Record] = []
    wait_s = 0.0
    for record in batch.todo:
        problem = failures.get(record)
        if problem is None:
            record.error = ""
            batch.end(record, "done")
            continue
        decision = decision_on(batch, record, problem, began)
        if decision.what == AGAIN:
            told.trying_again(record, problem, decision.wait_s)
            again.append(record)
            wait_s = max(wait_s, decision.wait_s)
        else:
            yield from end(batch, record, problem, decision, began)
    if not again:
        return []
    yield wait_s
    if batch.deadline.left_s() <= 0:
        for record in again:
            batch.give_back(record, failures[record])
        return []
    batch.retries += len(again)
    for record in again:
        batch.reopen(record)
        if batch.plan.idempotency is not None:
            yield partial(batch.plan.idempotency.renew, batch, record)
    return again


def _failures(batch: Batch, todo: list[Record], error: Exception | None) -> dict[Record, Exception]:
    """Which records failed, and why: as the function raised, marked or returned it."""
    marked = {record: failure_of(record) for record in todo if record.outcome == "failed"}
    if isinstance(error, PartialFailure):
        known = set(todo)
        told_of = {
            record: as_error(reason) for record, reason in error.failures.items() if record in known
        }
        if len(told_of) == len(error.failures) and told_of:
            return {**marked, **told_of}
        problem = RecordFailed("PartialFailure named what is no record of this batch")
        return dict.fromkeys(todo, problem) | marked | told_of
    if error is not None:
        return dict.fromkeys(todo, error) | marked
    return _returned(batch, todo) | marked


def _returned(batch: Batch, todo: list[Record]) -> dict[Record, Exception]:
    """The records that the function named in ``batchItemFailures`` itself.

    As Lambda reads it: what comes behind a record in a stream (or a FIFO group) comes again too,
    so a function may have stopped there.
    """
    result, source = batch.result, batch.source
    listed = result.get("batchItemFailures") if isinstance(result, dict) else None
    if not listed or not batch.report:
        return {}
    entries = listed if isinstance(listed, list) else [listed]
    names = {repr(one.get("itemIdentifier") if isinstance(one, dict) else one) for one in entries}
    if not names <= {repr(source.identifier(record)) for record in todo}:
        return dict.fromkeys(todo, RecordFailed("batchItemFailures named no record of the batch"))
    problem = RecordFailed("the function named it, or one before it, in batchItemFailures")
    stopped: set[Hashable] = set()
    failed: dict[Record, Exception] = {}
    for record in todo:
        if source.scope(record) in stopped or repr(source.identifier(record)) in names:
            stopped.add(source.scope(record))
            failed[record] = problem
    return failed


def call_once(batch: Batch) -> Exception | None:
    """Call the function for ``batch.todo``: what it raised, or None.

    Raises what ends a process (no `Exception`).
    """
    began = clock()
    try:
        batch.result = batch.plan.function(list(batch.todo))
    except Exception as error:  # noqa: BLE001  (the policy is asked)
        return error
    except BaseException as error:
        ended(batch, error)
        raise
    finally:
        note(batch, began)
    return None


def note(batch: Batch, began: float) -> None:
    """Count one attempt for each record of ``batch.todo``."""
    took = (clock() - began) * 1000
    for record in batch.todo:
        record.attempts += 1
        record.ms += took


def ended(batch: Batch, error: BaseException) -> None:
    """Something that ends a process came out of the function."""
    for record in batch.todo:
        if record.outcome not in FINAL:
            record.outcome, record.error = "failed", say(error)

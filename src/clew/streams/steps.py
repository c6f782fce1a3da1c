"""What happens to one record, step by step, whoever takes the steps: a loop, a thread or a task.

A generator yields a step and gets its result: `CALL` calls the user's function for the record and
gives the exception or None; a float is a wait in seconds; anything else is called, as it may take a
while (a dead letter, the idempotency store). It returns whether records behind this one that have
to keep their order with it may run.
"""

from __future__ import annotations

import os
import time
from functools import partial
from time import perf_counter as clock

from clew.capture.record import members
from clew.errors import LoopDetected
from clew.handlers.loops import STREAMS
from clew.log.internal import failed
from clew.streams import told
from clew.streams.batch import engine_failed
from clew.streams.decide import AGAIN, DEAD_LETTER, LATER, RETURN, SKIP, Decision, decide
from clew.streams.failure import NotAnEnvelope, RecordFailed, as_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    from clew.capture import Record
    from clew.streams.batch import Batch
    from clew.streams.idempotency import Idempotency

    Steps = Generator[Any, Any, bool]

#: The step that calls the user's function.
CALL = "call"
#: How long a record that another invocation has in hand is waited for at a time (seconds).
_LOOK_AGAIN_S = 0.2


def steps(batch: Batch, record: Record, *, more: bool = False) -> Steps:
    """All steps of a record. ``more`` says that records of its key come behind it."""
    began = clock()
    problem = batch.mail.problems.get(record) if batch.mail is not None else None
    if problem is not None and not isinstance(problem, NotAnEnvelope):
        batch.give_back(record, problem)  # it may be opened another time
        return False
    store = batch.plan.idempotency
    if store is not None:
        goes_on = yield from claim(batch, record, store)
        if goes_on is not None:
            return goes_on
    problem = problem or loop(batch, record) or decode(batch, record)
    error = problem or (yield CALL)
    if error is None:
        goes_on = True
        batch.end(record, "done")
    else:
        goes_on = yield from settle(
            batch, record, error, began, more=more, permanent=problem is not None
        )
    if store is not None:  # one that was done too late to be reported is done all the same
        yield from let_go(batch, record, store, "done" if error is None else record.outcome)
    return goes_on


def settle(
    batch: Batch,
    record: Record,
    error: Exception,
    began: float,
    *,
    more: bool = False,
    permanent: bool = False,
) -> Steps:
    """The steps of a record whose first attempt failed with ``error``; it ``began`` then."""
    while True:
        if batch.closed:  # it took longer than there was time, and was reported
            return False
        decision = decision_on(batch, record, error, began, permanent=permanent)
        if decision.what != AGAIN:
            return (yield from end(batch, record, error, decision, began, more=more))
        batch.retries += 1
        told.trying_again(record, error, decision.wait_s)
        yield decision.wait_s
        if batch.closed or batch.deadline.left_s() <= 0:
            batch.give_back(record, error)
            return False
        if batch.plan.idempotency is not None:
            yield partial(batch.plan.idempotency.renew, batch, record)
        batch.reopen(record)
        found = yield CALL
        if found is None:
            batch.end(record, "done")
            record.error = ""
            return True
        error = found


def decision_on(
    batch: Batch, record: Record, error: Exception, began: float, *, permanent: bool = False
) -> Decision:
    """What the handler's policy says of a record that failed."""
    message = batch.message_of(record)
    decision = decide(
        batch.plan.policy,
        error,
        attempts=record.attempts,
        elapsed_s=clock() - began,
        left_s=batch.deadline.left_s(),
        chance=int.from_bytes(os.urandom(4), "big") / 0xFFFF_FFFF,
        permanent=permanent,
        receives=getattr(message, "receive_count", 1) or 1,
        age_s=_age_s(message),
    )
    of_stream = batch.source.name in STREAMS
    if decision.what == RETURN and of_stream and isinstance(error, LoopDetected):
        return Decision(SKIP)  # it would hold up its shard until it expires
    return decision


def end(
    batch: Batch,
    record: Record,
    error: Exception,
    decision: Decision,
    began: float,
    *,
    more: bool = False,
) -> Steps:
    """The steps of a record that is not tried again here."""
    if decision.what == SKIP:
        batch.end(record, "skipped", error)
        told.given_up(record, batch.invocation, error, "record skipped")
        return True
    if decision.what == DEAD_LETTER and decision.letter is not None:
        from clew.streams.letters import letter_for, write_in_time

        key = batch.source.key(record)
        waiting = letter_for(
            record,
            batch.source.name,
            error,
            key=key,
            invocation=batch.invocation,
            policy=batch.plan.policy,
            began=began,
            previous=batch.envelope_of(record),
        )
        at_once = more or batch.plan.idempotency is not None
        taken = batch.collect_letters().add(decision.letter, waiting, at_once=at_once)
        if taken:
            written = yield partial(write_in_time, taken, batch.deadline)
            return record not in batch.settle_letters(written)
        return True
    if decision.what == LATER:
        batch.later.append((batch.message_of(record), decision.wait_s))
    elif decision.what == RETURN and decision.why:
        batch.why = decision.why
    batch.give_back(record, error)
    return False


def loop(batch: Batch, record: Record) -> Exception | None:
    """Why a record is not run that goes in a circle; None where it does not."""
    return batch.loops.get(batch.message_of(record)) if batch.loops else None


def decode(batch: Batch, record: Record) -> Exception | None:
    """Decode a record, if the handler decodes: why it could not be."""
    if batch.plan.decode is None:
        return None
    try:
        record.decoded = batch.plan.decode(record.data)
    except Exception as error:  # noqa: BLE001  (it is the record's failure, whatever it is)
        from clew.handlers.run import say

        record.error = say(error)
        return error
    return None


def claim(batch: Batch, record: Record, store: Idempotency) -> Generator[Any, Any, bool | None]:
    """Take a record in hand: None where it is to be run, else whether its key goes on."""
    try:
        key = store.key_of(record)
    except Exception as error:  # noqa: BLE001  (the user's own function)
        found: bool = yield from settle(batch, record, as_error(error), clock(), permanent=True)
        return found
    try:
        while True:
            held_s = yield partial(store.claim, batch, record, key)
            if held_s is None:
                return None
            if held_s == 0:
                batch.repeats += 1
                batch.end(record, "done")
                return True
            wait_s = min(held_s, _LOOK_AGAIN_S)
            if batch.closed or wait_s >= batch.deadline.left_s():
                break
            yield wait_s
    except Exception as error:  # noqa: BLE001  (the store's: the record was not run)
        engine_failed("claiming a record in the idempotency table", batch, record, error)
        batch.why = "the idempotency table could not be asked"
        return False
    batch.give_back(record, RecordFailed("another invocation has this record in hand"))
    return False


def let_go(
    batch: Batch, record: Record, store: Idempotency, outcome: str
) -> Generator[Any, Any, None]:
    """Mark a claimed record as finished, or free it for its next attempt."""
    try:
        yield partial(store.finish, batch, record, outcome)
    except Exception:  # noqa: BLE001  (it is done all the same, and may be done twice)
        failed("marking a record in the idempotency table")


def _age_s(record: Any) -> float:
    """Seconds since an SQS message was first received; 0 for what is none."""
    first = members(members(record.raw).get("attributes")).get("ApproximateFirstReceiveTimestamp")
    try:
        return max(time.time() - float(first) / 1000, 0.0) if first else 0.0
    except (TypeError, ValueError):
        return 0.0

"""One invocation: run the records of a batch, and tell their source what is left over."""

from __future__ import annotations

from clew.log.internal import failed
from clew.streams import told
from clew.streams.batch import Batch
from clew.streams.deadline import Deadline, remaining_s
from clew.streams.drive import one_at_a_time, write_letters
from clew.streams.failure import Unfinished
from clew.streams.policy import DeadLetter
from clew.streams.sources import source_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.capture import Delivery, Record
    from clew.streams.batch import Mail
    from clew.streams.plan import Plan
    from clew.streams.sources import Source


def run_batch(
    plan: Plan,
    delivery: Delivery,
    context: Any,
    mail: Mail | None = None,
) -> Any:
    """Run all of ``delivery.records``, and answer as their source reads it.

    Raises what ends a process (no `Exception`); and where nothing is reported, the first error.
    """
    batch = _open(plan, delivery, context, mail)
    try:
        _run(batch)
        if batch.letter_waits():
            write_letters(batch)
    except Exception as error:  # noqa: BLE001  (clew's own: what is not done is returned)
        failed("running a batch")
        batch.why = f"clew itself failed: {type(error).__name__}"
    except BaseException:
        batch.close(fatal=True)
        raise
    returned = batch.close()
    if batch.error is not None:
        raise batch.error
    _tell(batch, delivery)
    if batch.report:
        return _answer(batch, returned)
    if returned:
        _raise(batch, returned)
    return batch.result


def _open(plan: Plan, delivery: Delivery, context: Any, mail: Mail | None) -> Batch:
    deadline = Deadline(remaining_s(context), _write_s(plan))
    # Whatever the handler is for, the answer goes to whoever delivered the records.
    source = plan.source if mail is not None else source_of(delivery.source, plan.source)
    batch = Batch(plan, source, delivery.records, delivery.invocation, deadline=deadline, mail=mail)
    batch.loops = delivery.loops or {}
    return batch


def _tell(batch: Batch, delivery: Delivery) -> None:
    """Tell the queue which messages wait, and CloudWatch what there was."""
    if not batch.records:  # an event without any has an entry of its own
        for entry in delivery.invocation.received:
            entry.outcome = "done"
    if batch.later:
        from clew.streams.visibility import hide

        hide(batch.later)
    from clew.streams.metrics import namespace, write_metrics

    if namespace():
        write_metrics(batch, delivery)


def _run(batch: Batch) -> None:
    plan = batch.plan
    if plan.is_async:
        from clew.streams import tasks

        if plan.whole:
            tasks.whole(batch)
        else:
            tasks.in_tasks(batch, plan.lanes)
    elif plan.whole:
        from clew.streams.whole import whole

        whole(batch)
    elif plan.lanes:
        from clew.streams.lanes import in_lanes

        in_lanes(batch, plan.lanes)
    else:
        one_at_a_time(batch)


def _write_s(plan: Plan) -> float:
    """What the slowest dead letter may take that the handler's policy writes."""
    last = plan.policy.chain()[-1]
    if not isinstance(last, DeadLetter):
        return 0.0
    from clew.streams.outbox import slowest_s

    return slowest_s(last)


def _answer(batch: Batch, returned: list[Record]) -> dict[str, Any]:
    """``batchItemFailures``, and what the function itself returned besides."""
    own = batch.result if isinstance(batch.result, dict) else {}
    return {**own, "batchItemFailures": identifiers(batch.source, returned)}


def identifiers(source: Source, returned: list[Record]) -> list[dict[str, Any]]:
    """The entries of ``batchItemFailures``. One that is empty means the whole batch."""
    try:
        return [
            {"itemIdentifier": source.identifier(record)} for record in source.reported(returned)
        ]
    except Exception:  # noqa: BLE001  (of records that are none, say)
        failed("naming the records that are returned")
        return [{"itemIdentifier": ""}]


def _raise(batch: Batch, returned: list[Record]) -> None:
    """Raise the first error, which the end of the invocation logs; log the others."""
    failures = [record for record in returned if record in batch.errors]
    said = {id(batch.errors[record]) for record in failures[:1]}
    for record in failures:
        record.outcome = "failed"
        error = batch.errors[record]
        if id(error) not in said:
            said.add(id(error))
            told.given_up(record, batch.invocation, error, "record returned")
    if failures:
        raise batch.errors[failures[0]]
    message = (
        f"{len(returned)} of {len(batch.records)} records were not run, and come again: "
        f"{batch.why or 'they are not done'}."
    )
    raise Unfinished(message)

"""A handler for the messages of an SQS queue, standard or FIFO."""

from __future__ import annotations

from clew.handlers.batches import Options, decorate
from clew.handlers.functions import takes_options
from clew.streams.sources import SQS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from clew.streams.idempotency import Idempotency
    from clew.streams.policy import Policy

    Handler = Callable[[Any, Any], Any]


@takes_options
def sqs_handler(
    *,
    on_failure: Policy,
    batch: bool = False,
    lanes: int | None = None,
    report: bool = True,
    decode: Callable[[bytes], Any] | None = None,
    idempotency: Idempotency | None = None,
    debug_sample_rate: float = 0.0,
) -> Callable[[Callable[..., Any]], Handler]:
    """Decorate a function that takes the messages of an SQS queue.

    One `SqsRecord` at a time, each with its own correlation in force; with ``batch=True`` the
    whole list at once. A coroutine function is awaited. Of a standard queue a message that is
    returned holds no other up; of a FIFO queue the rest of its message group is returned with it,
    not run.

    The arguments are those of `kinesis_handler`. The event source mapping needs
    ``FunctionResponseTypes: [ReportBatchItemFailures]``, or messages that are returned are
    deleted; with ``report=False`` one that fails is raised, and the whole batch comes again.
    With ``clew.retry(in_queue=True, ...)`` a message waits for its next attempt in the queue.

    >>> import clew
    >>> @clew.sqs_handler(
    ...     on_failure=clew.retry(times=4, backoff="30s", in_queue=True, then=clew.skip())
    ... )
    ... def each(record):
    ...     print(record.payload, record.receive_count)
    """
    options = Options(
        SQS,
        on_failure,
        batch=batch,
        lanes=lanes,
        report=report,
        decode=decode,
        idempotency=idempotency,
        debug_sample_rate=debug_sample_rate,
    )
    return lambda function: decorate(function, options)

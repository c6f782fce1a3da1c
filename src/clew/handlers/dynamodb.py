"""A handler for the changes of a table: DynamoDB streams."""

from __future__ import annotations

from clew.handlers.batches import Options, decorate
from clew.handlers.functions import takes_options
from clew.streams.sources import DYNAMODB

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from clew.streams.idempotency import Idempotency
    from clew.streams.policy import Policy

    Handler = Callable[[Any, Any], Any]


@takes_options
def dynamodb_handler(
    *,
    on_failure: Policy,
    batch: bool = False,
    lanes: int | None = None,
    report: bool = True,
    decode: Callable[[bytes], Any] | None = None,
    idempotency: Idempotency | None = None,
    debug_sample_rate: float = 0.0,
) -> Callable[[Callable[..., Any]], Handler]:
    """Decorate a function that takes the changes of a DynamoDB table.

    One `DynamoDBRecord` at a time, in order, each with its own correlation in force; with
    ``batch=True`` the whole list at once. A coroutine function is awaited. With ``lanes`` the
    changes of one item keep their order. The arguments are those of `kinesis_handler`, and the
    event source mapping needs ``FunctionResponseTypes: [ReportBatchItemFailures]``.

    >>> import clew
    >>> @clew.dynamodb_handler(on_failure=clew.halt())
    ... def each(record):
    ...     print(record.event_name, record.payload)
    """
    options = Options(
        DYNAMODB,
        on_failure,
        batch=batch,
        lanes=lanes,
        report=report,
        decode=decode,
        idempotency=idempotency,
        debug_sample_rate=debug_sample_rate,
    )
    return lambda function: decorate(function, options)

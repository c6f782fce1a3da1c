"""A handler that gives dead letters their second chance: the same function, another policy."""

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
def retry_handler(
    *,
    on_failure: Policy,
    lanes: int | None = None,
    report: bool = True,
    decode: Callable[[bytes], Any] | None = None,
    idempotency: Idempotency | None = None,
    debug_sample_rate: float = 0.0,
) -> Callable[[Callable[..., Any]], Handler]:
    """Decorate the function whose records were dead-lettered, to try them again.

    It takes the messages of the queue (or the topic) that `dead_letter` writes to, and calls the
    function with the record in each: the same `KinesisRecord`, say, that failed, under its own
    correlation. The function may be one that another handler has decorated.

    ``on_failure`` is for a record that fails again. A dead letter of it is the envelope that it
    came in, with its attempts and errors added, not one inside another. The other arguments are
    those of `sqs_handler`, and the event source mapping needs
    ``FunctionResponseTypes: [ReportBatchItemFailures]``. A message that is no dead letter fails
    at once, without another attempt.

    >>> import clew
    >>> @clew.kinesis_handler(
    ...     on_failure=clew.retry(
    ...         2, "5s", then=clew.dead_letter("arn:aws:sqs:eu-west-1:123456789012:again")
    ...     )
    ... )
    ... def each(record):
    ...     print(record.payload)
    >>> again = clew.retry_handler(
    ...     on_failure=clew.retry(
    ...         times=4,
    ...         backoff="30s",
    ...         in_queue=True,
    ...         then=clew.dead_letter("arn:aws:sqs:eu-west-1:123456789012:given-up"),
    ...     )
    ... )(each)
    """
    options = Options(
        SQS,
        on_failure,
        lanes=lanes,
        report=report,
        decode=decode,
        idempotency=idempotency,
        debug_sample_rate=debug_sample_rate,
    )

    def decorated(function: Any) -> Handler:
        wrapped = function.__wrapped__ if hasattr(function, "clew_options") else function
        return decorate(wrapped, options, from_letters=True)

    return decorated

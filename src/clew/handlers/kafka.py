"""A handler for the records of Kafka topics: MSK's and self-managed ones."""

from __future__ import annotations

from clew.handlers.batches import Options, decorate
from clew.handlers.functions import takes_options
from clew.streams.sources import KAFKA

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from clew.streams.idempotency import Idempotency
    from clew.streams.policy import Policy

    Handler = Callable[[Any, Any], Any]


@takes_options
def kafka_handler(
    *,
    on_failure: Policy,
    batch: bool = False,
    lanes: int | None = None,
    report: bool = True,
    decode: Callable[[bytes], Any] | None = None,
    idempotency: Idempotency | None = None,
    debug_sample_rate: float = 0.0,
) -> Callable[[Callable[..., Any]], Handler]:
    """Decorate a function that takes the records of Kafka topics.

    One `KafkaRecord` at a time, in the order of each partition, each with its own correlation in
    force; with ``batch=True`` the whole list at once. A coroutine function is awaited. A record
    that is returned stops its partition; with ``lanes`` its key. The arguments are those of
    `kinesis_handler`.

    The event source mapping needs ``FunctionResponseTypes: [ReportBatchItemFailures]``, which
    Lambda offers in provisioned mode (Lambda developer guide, "Configuring error handling
    controls for Kafka event sources"). Without it, set ``report=False``.

    >>> import clew
    >>> @clew.kafka_handler(on_failure=clew.halt())
    ... def each(record):
    ...     print(record.topic, record.key, record.payload)
    """
    options = Options(
        KAFKA,
        on_failure,
        batch=batch,
        lanes=lanes,
        report=report,
        decode=decode,
        idempotency=idempotency,
        debug_sample_rate=debug_sample_rate,
    )
    return lambda function: decorate(function, options)

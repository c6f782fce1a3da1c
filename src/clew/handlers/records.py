"""Handlers for the records of a Kinesis stream, and for the messages of an SNS topic."""

from __future__ import annotations

from clew.handlers.batches import Options, decorate
from clew.handlers.functions import takes_options
from clew.streams.policy import halt
from clew.streams.sources import KINESIS, SNS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, overload

    from clew.capture.sns import SnsRecord
    from clew.streams.idempotency import Idempotency
    from clew.streams.policy import Policy

    Handler = Callable[[Any, Any], Any]
else:

    def overload(signature):
        """At run time nothing; `typing` would cost a cold start."""
        return signature


@overload
def sns_handler(function: Callable[[SnsRecord], Any], /) -> Handler: ...
@overload
def sns_handler(
    *,
    on_failure: Policy | None = None,
    decode: Callable[[bytes], Any] | None = None,
    idempotency: Idempotency | None = None,
    debug_sample_rate: float = 0.0,
) -> Callable[[Callable[[SnsRecord], Any]], Handler]: ...


def sns_handler(
    function: Any = None,
    /,
    *,
    on_failure: Policy | None = None,
    decode: Callable[[bytes], Any] | None = None,
    idempotency: Idempotency | None = None,
    debug_sample_rate: float = 0.0,
) -> Any:
    """Decorate a function ``(record)`` that takes one SNS message, its correlation in force.

    A coroutine function is awaited. What it raises comes out unchanged, and Lambda tries again:
    that is ``clew.halt()``, if ``on_failure`` says nothing else. The arguments are those of
    `kinesis_handler`.

    >>> import clew
    >>> @clew.sns_handler
    ... def function(record):
    ...     print(record.payload, record.message_id)
    """
    options = Options(
        SNS,
        halt() if on_failure is None else on_failure,
        report=False,
        decode=decode,
        idempotency=idempotency,
        debug_sample_rate=debug_sample_rate,
    )
    return decorate(function, options) if function is not None else lambda it: decorate(it, options)


@takes_options
def kinesis_handler(
    *,
    on_failure: Policy,
    batch: bool = False,
    lanes: int | None = None,
    report: bool = True,
    decode: Callable[[bytes], Any] | None = None,
    idempotency: Idempotency | None = None,
    debug_sample_rate: float = 0.0,
) -> Callable[[Callable[..., Any]], Handler]:
    """Decorate a function that takes the records of a Kinesis stream.

    One `KinesisRecord` at a time, in order, each with its own correlation in force; with
    ``batch=True`` the whole list at once, where each record has ``.correlation`` and ``.logger``.
    A coroutine function is awaited.

    The event source mapping needs ``FunctionResponseTypes: [ReportBatchItemFailures]``: the
    handler answers with the sequence number from which the stream has to go on, and without that
    setting Lambda does not read it, and goes on after the batch.

    Args:
        on_failure: What a record that fails does: ``clew.halt()``, ``clew.skip()``,
            ``clew.dead_letter(...)`` or ``clew.retry(...)``. It has to be given, so that the next
            reader sees the choice.
        batch: Hand over the whole list. Which records failed is said by ``record.fail(reason)``
            or by raising `PartialFailure`; any other exception means all of them.
        lanes: Run so many partition keys side by side, at most: in threads, or of a coroutine
            function in tasks. Each key keeps its order, and one that fails stops alone. With
            ``lanes=1`` a record that hangs does not take the batch's report with it.
        report: False raises what is left over, and Lambda delivers the whole batch again: for a
            mapping without ``ReportBatchItemFailures``.
        decode: Called with each record's bytes; what it returns is ``record.decoded``. Where it
            raises, that record failed, and is not tried again.
        idempotency: Where repeats are remembered: ``clew.idempotency(table)``.
        debug_sample_rate: The share (0 to 1) of call chains to log at DEBUG, asked only where no
            decision came in.

    Raises `ClewError`, when decorating, for what cannot be meant.

    >>> import clew
    >>> @clew.kinesis_handler(on_failure=clew.halt())
    ... def each(record):
    ...     print(record.payload, record.partition_key)
    """
    options = Options(
        KINESIS,
        on_failure,
        batch=batch,
        lanes=lanes,
        report=report,
        decode=decode,
        idempotency=idempotency,
        debug_sample_rate=debug_sample_rate,
    )
    return lambda function: decorate(function, options)

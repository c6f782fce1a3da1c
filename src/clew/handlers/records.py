"""Handlers for batches: one record at a time under its own correlation, or the whole list."""

from __future__ import annotations

from functools import wraps
from time import perf_counter as clock

from clew.correlation import reset_current, set_current
from clew.errors import ClewError
from clew.handlers.run import check_rate, prepare, run, say
from clew.log.internal import failed
from clew.streams.policy import Policy, halt, skip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, overload

    from clew.capture import Delivery, Record
    from clew.capture.kinesis import KinesisRecord
    from clew.capture.sns import SnsRecord
    from clew.invocation import Invocation

    Handler = Callable[[Any, Any], Any]
else:

    def overload(signature):
        """At run time nothing; `typing` would cost a cold start."""
        return signature


@overload
def sns_handler(function: Callable[[SnsRecord], Any], /) -> Handler: ...
@overload
def sns_handler(
    *, debug_sample_rate: float = 0.0
) -> Callable[[Callable[[SnsRecord], Any]], Handler]: ...


def sns_handler(function: Any = None, /, *, debug_sample_rate: float = 0.0) -> Any:
    """Decorate a function ``(record)`` that takes one SNS message, its correlation in force.

    What it raises comes out unchanged, and Lambda tries again. ``debug_sample_rate`` is the
    share (0 to 1) of call chains to log at DEBUG, asked only where no decision came in.

    >>> import clew
    >>> @clew.sns_handler
    ... def function(record):
    ...     print(record.payload, record.message_id)
    """
    rate = check_rate(debug_sample_rate)

    def decorate(wrapped: Callable[[SnsRecord], Any]) -> Handler:
        return _decorate(wrapped, "aws:sns", batch=False, on_failure=halt(), rate=rate)

    return decorate if function is None else decorate(function)


def kinesis_handler(
    *, on_failure: Policy, batch: bool = False, debug_sample_rate: float = 0.0
) -> Callable[[Callable[..., Any]], Handler]:
    """Decorate a function that takes the records of a Kinesis stream.

    One `KinesisRecord` at a time, in order, each with its own correlation in force; with
    ``batch=True`` the whole list at once, where each record has ``.correlation`` and ``.logger``.

    ``on_failure`` says what a record that fails does: ``clew.halt()`` or ``clew.skip()``. It has
    to be given, so that the next reader sees the choice. (A whole batch that fails can only
    halt.) ``debug_sample_rate`` is the share (0 to 1) of call chains to log at DEBUG, asked only
    where no decision came in. Raises `ClewError`, when decorating, for what is neither.

    >>> import clew
    >>> @clew.kinesis_handler(on_failure=clew.halt())
    ... def each(record):
    ...     print(record.payload, record.partition_key)
    """
    rate = check_rate(debug_sample_rate)
    policy = _checked(on_failure, batch=batch)

    def decorate(wrapped: Callable[[KinesisRecord], Any]) -> Handler:
        return _decorate(wrapped, "aws:kinesis", batch=batch, on_failure=policy, rate=rate)

    return decorate


def _checked(on_failure: object, *, batch: bool) -> Policy:
    if not isinstance(on_failure, Policy):
        message = f"on_failure has to be clew.halt() or clew.skip(), not {on_failure!r}."
        raise ClewError(message)
    if batch and on_failure != halt():
        message = (
            "batch=True hands over all records at once, so on_failure can only be clew.halt()."
        )
        raise ClewError(message)
    return on_failure


def _decorate(
    wrapped: Callable[[Any], Any], source: str, *, batch: bool, on_failure: Policy, rate: float
) -> Handler:
    prepare()

    @wraps(wrapped)
    def invoke(event: Any, context: Any) -> Any:
        def whole(delivery: Delivery) -> Any:
            return wrapped(delivery.records)

        def each(delivery: Delivery) -> None:
            one_at_a_time(delivery, wrapped, on_failure)

        return run(
            event,
            context,
            whole if batch else each,
            debug_sample_rate=rate,
            records_of=source,
            received_by_body=not batch,
        )

    return invoke


def one_at_a_time(delivery: Delivery, function: Callable[[Any], Any], on_failure: Policy) -> None:
    """Give each record to ``function`` in order; a failure is raised, or with `skip` logged."""
    skips = on_failure == skip()
    for record in delivery.records:
        token = set_current(record.correlation)
        started = clock()
        record.attempts += 1
        try:
            function(record)
            record.outcome = "done"
        except BaseException as error:
            record.outcome, record.error = "failed", say(error)
            if not skips or not isinstance(error, Exception):
                raise
            record.outcome = "skipped"
            _log_skipped(record, delivery.invocation, error)
        finally:
            record.ms += (clock() - started) * 1000
            reset_current(token)


def _log_skipped(record: Record, invocation: Invocation, error: Exception) -> None:
    """A skipped record is lost to this function: say so, with what DEBUG would have said."""
    try:
        from clew.log.recorder import write_held

        write_held(invocation, only=record.correlation)
        record.logger.error("record skipped", exc_info=error, extra=record.position)
    except Exception:  # noqa: BLE001  (logging never breaks the batch)
        failed("logging a skipped record")

"""A handler for Firehose data transformation: one record in, its transformed data out."""

from __future__ import annotations

import json
from binascii import b2a_base64
from functools import wraps

from clew.errors import ClewError
from clew.handlers.functions import check_function, takes_options
from clew.handlers.run import attempt, check_rate, prepare, run
from clew.log.internal import failed, warn
from clew.log.recorder import write_held
from clew.streams.policy import Policy, halt, skip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from clew.capture import Delivery, Record
    from clew.capture.firehose import FirehoseRecord
    from clew.invocation import Invocation, Received

    Handler = Callable[[Any, Any], Any]

#: Lambda developer guide, "Lambda quotas": a response may have 6 MB; the JSON around the data of
#: each record is counted, and a little is left for what is not.
MAX_RESPONSE = 6_000_000
_AROUND = 120


class Result:
    """What becomes of a record that is not transformed. There are two: `DROP` and `FAIL`."""

    __slots__ = ("_name", "result")

    def __init__(self, name: str, result: str) -> None:
        self._name = name
        #: Firehose's own word for it.
        self.result = result

    def __repr__(self) -> str:
        return f"clew.{self._name}"


#: Leave the record out on purpose: Firehose counts it as processed and delivers nothing for it.
DROP = Result("DROP", "Dropped")
#: The record cannot be transformed: Firehose delivers it, as it was, to its error output.
FAIL = Result("FAIL", "ProcessingFailed")


class Transformed:
    """A record's new data, with keys for Firehose's dynamic partitioning.

    ``data`` is what a `firehose_handler`'s function may return by itself; ``partition_keys`` are
    texts by name, which the stream's prefix has as ``!{partitionKeyFromLambda:name}``.
    """

    __slots__ = ("data", "partition_keys")

    def __init__(self, data: object, *, partition_keys: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.partition_keys = dict(partition_keys or {})


@takes_options
def firehose_handler(
    *, on_failure: Policy, debug_sample_rate: float = 0.0
) -> Callable[[Callable[[FirehoseRecord], Any]], Handler]:
    """Decorate a function ``(record)`` that transforms one `FirehoseRecord`.

    It returns the new data: bytes, a str (UTF-8), or a dict or list, which becomes JSON; or
    `Transformed`, to give partition keys with it; or ``clew.DROP``; or ``clew.FAIL``. Each record
    has its own correlation in force. Firehose gets every record's id back with its result
    (Firehose developer guide, "Required parameters for data transformation"). Nothing is added
    between records: end the data with a newline where the destination wants lines.

    ``on_failure`` says what a record does for which the function raises: ``clew.halt()`` raises
    it, and Firehose tries the whole batch again (three times by default); ``clew.skip()`` logs
    it, and the record alone goes to the error output. To return nothing is such a failure.
    ``debug_sample_rate`` is the share (0 to 1) of call chains to log at DEBUG, asked only where
    no decision came in. Raises `ClewError`, when decorating, for what is neither.

    A batch's answer may have 6 MB; records that it has no room for go to the error output, with a
    warning (a smaller buffer in the stream's Lambda processor avoids that).

    >>> import clew
    >>> @clew.firehose_handler(on_failure=clew.skip())
    ... def each(record):
    ...     if not isinstance(record.payload, dict):
    ...         return clew.FAIL
    ...     return {**record.payload, "seen": True}
    """
    rate = check_rate(debug_sample_rate)
    if on_failure not in (halt(), skip()):
        message = f"on_failure has to be clew.halt() or clew.skip(), not {on_failure!r}."
        raise ClewError(message)

    def decorate(wrapped: Callable[[FirehoseRecord], Any]) -> Handler:
        check_function(wrapped)
        prepare()

        @wraps(wrapped)
        def invoke(event: Any, context: Any) -> Any:
            def body(delivery: Delivery) -> dict[str, Any]:
                return _answer(delivery, wrapped, on_failure)

            return run(
                event,
                context,
                body,
                debug_sample_rate=rate,
                received_by_body=True,
                loops_by_body=True,
            )

        invoke.clew_policy = on_failure  # type: ignore[attr-defined]
        return invoke

    return decorate


def _answer(
    delivery: Delivery, function: Callable[[FirehoseRecord], Any], on_failure: Policy
) -> dict[str, Any]:
    entries: list[dict[str, Any]] = []
    size = without_room = 0
    for record, received in zip(delivery.records, delivery.invocation.received, strict=False):
        entry = _entry(record, received, delivery, function, on_failure)
        size += _size(entry)
        if size > MAX_RESPONSE:
            size -= _size(entry)
            entry = {"recordId": entry["recordId"], "result": FAIL.result, "data": ""}
            size += _size(entry)
            received.outcome, received.error = "failed", "the answer has no room for it"
            without_room += 1
        entries.append(entry)
    if delivery.source != "aws:firehose":
        warn("this is no event of Firehose: no record was transformed", source=delivery.source)
    if without_room:
        warn("the answer to Firehose has no room for all records", failed=without_room)
    return {"records": entries}


def _entry(
    record: Any,
    received: Received | Record,
    delivery: Delivery,
    function: Callable[[FirehoseRecord], Any],
    on_failure: Policy,
) -> dict[str, Any]:
    """A record's part of the answer. Raises what ``function`` raises, unless it is skipped."""
    entry: dict[str, Any] = {"recordId": record.record_id}
    loop = (delivery.loops or {}).get(record)
    if loop is not None:
        received.outcome, received.error = "failed", f"LoopDetected: {loop}"
        return entry | _untouched(record)
    try:
        outcome: dict[str, Any] = attempt(received, lambda: _outcome(record, function(record)))
        return entry | outcome
    except Exception as error:
        if on_failure != skip():
            raise
        received.outcome = "skipped"
        _log_failed(record, received, delivery.invocation, error)
        return entry | _untouched(record)


def _log_failed(
    record: Any, received: Received | Record, invocation: Invocation, error: Exception
) -> None:
    """The error output has the record and not the reason: say it, with what DEBUG would have."""
    try:
        write_held(invocation, only=received.correlation)
        record.logger.error("record not transformed", exc_info=error, extra=received.position)
    except Exception:  # noqa: BLE001  (logging never breaks the batch)
        failed("logging a record that was not transformed")


def _outcome(record: Any, returned: object) -> dict[str, Any]:
    if returned is DROP:
        return {"result": DROP.result, "data": ""}
    if returned is FAIL:
        return _untouched(record)
    keys: dict[str, str] = {}
    if isinstance(returned, Transformed):
        keys, returned = returned.partition_keys, returned.data
    done = {"result": "Ok", "data": b2a_base64(_bytes(returned), newline=False).decode()}
    return {**done, "metadata": {"partitionKeys": keys}} if keys else done


def _untouched(record: Any) -> dict[str, Any]:
    return {"result": FAIL.result, "data": record.raw_data}


def _bytes(returned: object) -> bytes:
    if isinstance(returned, bytes | bytearray | memoryview):
        return bytes(returned)
    if isinstance(returned, str):
        return returned.encode()
    if isinstance(returned, dict | list):
        return json.dumps(returned, ensure_ascii=False, separators=(",", ":")).encode()
    message = (
        f"The function returned {type(returned).__name__} for a record. Return bytes, a str, "
        f"a dict, a list, clew.Transformed, clew.DROP or clew.FAIL."
    )
    raise ClewError(message)


def _size(entry: dict[str, Any]) -> int:
    return _AROUND + sum(len(str(value)) for value in entry.values())

"""Stamp a message by hand, for code that builds and sends messages in its own way."""

from __future__ import annotations

from clew import wire
from clew.correlation import current, new_span_id
from clew.forward.payloads import Splicer, has_context, object_in
from clew.forward.sending import going_out
from clew.log.internal import failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from clew.correlation import Correlation

    Message = TypeVar("Message")


def stamp(data: Message, correlation: Correlation | None = None) -> Message:
    """``data`` with the fields of ``correlation``, or of the one in force, for one send.

    A JSON object as ``bytes``, ``bytearray`` or ``str`` gets the context as its first member,
    every other byte as it was. A ``dict`` of ``str`` to ``str`` is taken to be HTTP headers (a
    message's attributes are not): a copy gets those that it does not have. Anything else, what is
    stamped already, and everything where no correlation is in force, comes back as it is. Each
    call is a send with a span of its own. Never raises.

    What carries a correlation already keeps it when it is sent through a client that clew hooks.
    So the records of a batch can each be stamped with their own:

    >>> import clew
    >>> event = {"Records": []}
    >>> kinesis_records = [
    ...     {"Data": clew.stamp(record.data, record.correlation), "PartitionKey": "1"}
    ...     for record in clew.capture(event).records
    ... ]
    """
    try:
        correlation = current() if correlation is None else correlation
        done = _stamped(data, going_out(correlation)) if correlation else None
    except Exception:  # noqa: BLE001  (the message is the caller's, and stays what it is)
        failed("stamping a message")
        return data
    return data if done is None else done


def _stamped(data: Any, correlation: Correlation) -> Any:
    if isinstance(data, dict):
        return _with_headers(data, correlation)
    value = object_in(data) if isinstance(data, str | bytes | bytearray) else None
    if value is None or has_context(value):
        return None
    done = Splicer(correlation).splice(data, new_span_id(), empty=not value)
    return bytearray(done) if isinstance(data, bytearray) and isinstance(done, bytes) else done


def _with_headers(headers: dict[Any, Any], correlation: Correlation) -> dict[Any, Any] | None:
    if not all(isinstance(one, str) for pair in headers.items() for one in pair):
        return None
    names = {name.lower() for name in headers}
    if wire.TRACEPARENT in names:
        return None
    fields = correlation.outgoing(new_span_id())
    return {**headers, **{name: value for name, value in fields.items() if name not in names}}

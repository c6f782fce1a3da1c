"""One log line as text. Pure: from what is known to JSON, without a look at the clock."""

from __future__ import annotations

import time

from clew import wire
from clew.log.encode import as_text, encode, quote
from clew.log.redact import MASK, is_secret, redact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Any

    from clew.correlation import Correlation

#: Names that clew writes; a caller's field of the same name gets ``_`` after it.
RESERVED = frozenset(
    [
        "timestamp",
        "level",
        "message",
        "logger",
        "requestId",
        "function",
        "version",
        "coldStart",
        "traceId",
        "spanId",
        "parentSpanId",
        "xrayTraceId",
        "flightRecorder",
        "exception",
    ]
)
MAX_STACK = 50
#: Bytes of JSON that the message has, and all of the caller's fields together: with the exception
#: and clew's own fields a line stays under 200 kB.
MAX_MESSAGE = 64_000
MAX_FIELDS = 64_000
MAX_FIELD_NAME = 256
#: Of an exception's text and of each line of its stack, so much is kept (characters).
MAX_ERROR = 8_000
MAX_STACK_LINE = 300

#: The last second and its text: a tuple in one place, so that two threads never mix two seconds.
_last = [(0, "1970-01-01T00:00:00")]


def timestamp(at: float) -> str:
    """Seconds since the epoch as RFC 3339 in UTC with milliseconds."""
    second, milliseconds = divmod(int(at * 1000), 1000)
    known, text = _last[0]
    if second != known:
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        _last[0] = (second, text)
    return f"{text}.{milliseconds:03d}Z"


def build(
    *,
    at: float,
    level: str,
    message: str,
    logger: str,
    correlation: Correlation,
    fields: Iterable[tuple[str, Any]] = (),
    exception: dict[str, Any] | None = None,
    flight_recorder: bool = False,
) -> str:
    """The line, with its line break.

    ``at`` is seconds since the epoch; ``fields`` are the caller's own, of which secret ones are
    masked, long ones cut to text, and those past 64 kB of fields left out.
    """
    parts = [
        f'{{"timestamp":"{timestamp(at)}","level":{quote(level)},'
        f'"message":{_fitting(message, MAX_MESSAGE)},"logger":{quote(logger)}'
    ]
    invocation = correlation.invocation
    if invocation is not None:
        parts.append(invocation.log_prefix)
    if correlation:
        parts.append(correlation.as_json())
    if flight_recorder:
        parts.append('"flightRecorder":true')
    names: set[str] = set()
    room = MAX_FIELDS
    for name, value in fields:
        member = field(name, value, correlation, names, room)
        room -= len(member)
        if room < 0:
            break
        parts.append(member)
    if exception is not None:
        parts.append(f'"exception":{encode(exception)}')
    return ",".join(parts) + "}\n"


def field(
    name: object,
    value: Any,
    correlation: Correlation,
    names: set[str],
    room: int = MAX_FIELDS,
) -> str:
    """One of the caller's fields as a JSON member.

    ``names`` are those that the line has; a value that would take more than ``room`` bytes is cut.
    """
    text = (name if isinstance(name, str) else as_text(name))[:MAX_FIELD_NAME]
    if is_secret(text):
        value = MASK
    elif isinstance(value, dict | list | tuple):
        value = redact(value)
    shown = encode(value)
    left = room - len(text) - 100
    if len(shown) > left:
        shown = _fitting(value if isinstance(value, str) else shown, max(left, 100))
    if text in RESERVED or text in correlation or wire.is_field(text):
        text += "_"
    while text in names:
        text += "_"
    names.add(text)
    return f"{quote(text)}:{shown}"


def _fitting(text: str, limit: int) -> str:
    """``text`` as a JSON string of at most ``limit`` bytes; where it is cut, it says so."""
    shown = quote(text)
    keep = limit
    while len(shown) > limit:
        keep = keep * 2 // 3
        shown = quote(f"{text[:keep]}… ({len(text)} characters)")
    return shown


def describe(
    kind: type[BaseException] | None,
    error: BaseException | None,
    traceback: TracebackType | None,
) -> dict[str, Any] | None:
    """An exception as the ``exception`` field: type, message and stack (outermost first).

    A stack of more than 100 lines keeps its ends; what is long is cut. Never raises.
    """
    if kind is None or error is None:
        return None
    from traceback import format_exception

    try:
        lines = "".join(format_exception(kind, error, traceback)).splitlines()
        stack = [line[:MAX_STACK_LINE] for line in lines]
    except Exception:  # noqa: BLE001  (an exception's own __str__ may raise)
        stack = []
    if len(stack) > MAX_STACK * 2:
        left_out = len(stack) - MAX_STACK * 2
        stack = [*stack[:MAX_STACK], f"… {left_out} lines …", *stack[-MAX_STACK:]]
    name = (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )
    return {"type": name, "message": as_text(error)[:MAX_ERROR], "stack": stack}

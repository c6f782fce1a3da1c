"""One log line as text. Pure: from what is known to JSON, without a look at the clock."""

from __future__ import annotations

import time

from clew import wire
from clew.log.encode import as_text, encode, quote
from clew.log.redact import MASK, is_secret, redact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
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
#: Bytes of JSON that the message has, and all of the caller's fields together: with the exception
#: and clew's own fields a line stays under 200 kB.
MAX_MESSAGE = 64_000
MAX_FIELDS = 64_000
MAX_FIELD_NAME = 256
#: Bytes of JSON that an exception has: escapes can make twelve of one character.
MAX_EXCEPTION = 60_000

#: The last millisecond and its text: a tuple in one place, so that two threads never mix two.
_last = [(0, "1970-01-01T00:00:00.000Z")]


def timestamp(at: float) -> str:
    """Seconds since the epoch as RFC 3339 in UTC with milliseconds."""
    milliseconds = int(at * 1000)
    known, text = _last[0]
    if milliseconds != known:
        second, rest = divmod(milliseconds, 1000)
        if second == known // 1000:
            text = f"{text[:20]}{rest:03d}Z"
        else:
            whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            text = f"{whole}.{rest:03d}Z"
        _last[0] = (milliseconds, text)
    return text


def build(
    *,
    at: float,
    level: str,
    message: str,
    logger: str,
    correlation: Correlation,
    fields: Mapping[Any, Any] | None = None,
    exception: dict[str, Any] | None = None,
    flight_recorder: bool = False,
) -> str:
    """The line, with its line break.

    ``at`` is seconds since the epoch; ``fields`` are the caller's own, of which secret ones are
    masked, long ones cut to text, and those past 64 kB of fields left out.
    """
    shown = quote(message)
    if len(shown) > MAX_MESSAGE:
        shown = _fitting(message, MAX_MESSAGE)
    line = (
        f'{{"timestamp":"{timestamp(at)}","level":{quote(level)},'
        f'"message":{shown},"logger":{quote(logger)}'
    )
    invocation = correlation.invocation
    if invocation is not None:
        line = f"{line},{invocation.log_prefix}"
    ids = correlation.as_json()
    if ids:
        line = f"{line},{ids}"
    if flight_recorder:
        line += ',"flightRecorder":true'
    if fields:
        line += _plain_members(fields, correlation) or _members(fields, correlation)
    if exception is not None:
        line = f'{line},"exception":{_exception(exception)}'
    return line + "}\n"


#: Names of fields that need no second look, and how each begins a member: made once a name.
_plain_names: dict[str, str] = {}
_MAX_PLAIN_NAMES = 1024
_MAX_PLAIN_TEXT = 1000
_MAX_PLAIN_FIELDS = 30


def _plain_members(fields: Mapping[Any, Any], correlation: Correlation) -> str:
    """The members of fields that are all short text or whole numbers; "" where one is not."""
    members, looks = "", correlation.holds_any_name
    if len(fields) > _MAX_PLAIN_FIELDS:
        return ""
    for name, value in fields.items():
        opening = _plain_names.get(name) or _plain_name(name)
        kind = type(value)
        if not opening or (looks and name in correlation):
            return ""
        if kind is str and len(value) <= _MAX_PLAIN_TEXT:
            members = f"{members}{opening}{quote(value)}"
        elif kind is int and -_LARGE < value < _LARGE:
            members = f"{members}{opening}{value}"
        else:
            return ""
    return members


_LARGE = 10**18


def _plain_name(name: object) -> str:
    """How a field of this name begins a member, if the name stands as it is; else ""."""
    if (
        type(name) is not str
        or len(name) > MAX_FIELD_NAME
        or name in RESERVED
        or name.endswith("_")  # another field's name may have become this one
        or is_secret(name)
        or wire.is_field(name)
    ):
        return ""
    if len(_plain_names) < _MAX_PLAIN_NAMES:
        _plain_names[name] = f",{quote(name)}:"
    return f",{quote(name)}:"


def _members(fields: Mapping[Any, Any], correlation: Correlation) -> str:
    """The members of fields of any kind: as many as there is room for."""
    parts = [""]
    names: set[str] = set()
    room = MAX_FIELDS
    for name, value in fields.items():
        member = field(name, value, correlation, names, room)
        room -= len(member)
        if room < 0:
            break
        parts.append(member)
    return ",".join(parts)


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
    """An exception as the ``exception`` field, with what led to it; None for none. Never raises."""
    if kind is None or error is None:
        return None
    from clew.log.exceptions import described

    return described(kind, error, traceback)


def _exception(found: dict[str, Any]) -> str:
    """The value of the ``exception`` field: as much of it as there is room for."""
    shown = encode(found)
    if len(shown) > MAX_EXCEPTION:
        found = {name: found[name] for name in ("type", "message", "stack")}
        shown = encode(found)
    if len(shown) > MAX_EXCEPTION:
        shown = encode({**found, "message": found["message"][: MAX_EXCEPTION // 20], "stack": []})
    return shown

"""CloudWatch messages into typed values. Pure, and nothing that a message holds makes it raise.

A log is untrusted: a field of the wrong type is as good as absent, and a line that is no JSON
object is kept as text.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from clew import wire
from clew.log.line import RESERVED
from clew.stories.columns import one_by_one, read_columns
from clew.stories.cut import members_of
from clew.stories.lines import (
    EPOCH,
    Invocation,
    Lines,
    LogLine,
    ReceivedEntry,
    SentEntry,
    TextLine,
    Thrown,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clew.stories.lines import RawLine

#: CloudWatch Logs takes events of up to 1 MB ("CloudWatch Logs quotas"); longer is no log line.
MAX_MESSAGE = 1 << 20

_LAST_MS = 253_402_300_799_999  # the end of the year 9999, the last that datetime knows
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
#: The outcome in what an invocation writes when it is about to be stopped.
TIMEOUT = "timeout"
_TIMEOUT = "Task timed out (Lambda reports the status timeout)"
#: How the local cloud says it, without naming the invocation; what to search for, and the whole.
STOPPED = ("Task timed out", "Worker process died")
_STOPPED = re.compile(r"Task timed out after [0-9.]+ seconds|Worker process died").fullmatch


def read(raw_lines: Iterable[RawLine]) -> Lines:
    """Parse messages and put the chunks of each invocation together. Never raises.

    CloudWatch may deliver a line twice; the same message at the same time in the same stream
    counts once.
    """
    ordinary: list[LogLine] = []
    texts: list[TextLine] = []
    invocations: dict[tuple[str, ...], Invocation] = {}
    for raw in dict.fromkeys(raw_lines):
        parsed = parse(raw)
        if isinstance(parsed, LogLine):
            ordinary.append(parsed)
        elif isinstance(parsed, TextLine):
            texts.append(parsed)
        else:
            line = parsed.line
            # A retried invocation keeps its request id, but every attempt has a span of its own.
            own = line.span or str(parsed.started_ms)
            key = (line.log_group, line.function, line.request_id, own)
            known = invocations.get(key)
            invocations[key] = parsed if known is None else _joined(known, parsed)
    return Lines(
        tuple(sorted(ordinary, key=lambda line: line.at_ms)),
        tuple(sorted(invocations.values(), key=lambda one: one.started_ms)),
        tuple(sorted(_placed(texts), key=lambda line: line.at_ms)),
    )


def _placed(texts: list[TextLine]) -> list[TextLine]:
    """Give the invocation's request id to what ended it: the one that its stream has around it.

    A stream is of one process, which has one invocation at a time.
    """
    if not any(_is_of_nobody(text) for text in texts):
        return texts
    spans: dict[tuple[str, str], dict[str, tuple[int, int]]] = {}
    for text in texts:
        if text.bookkeeping and text.request_id:
            of_stream = spans.setdefault((text.log_group, text.stream), {})
            start, end = of_stream.get(text.request_id, (text.at_ms, text.at_ms))
            of_stream[text.request_id] = min(start, text.at_ms), max(end, text.at_ms)
    return [
        replace(text, request_id=_around(text, spans.get((text.log_group, text.stream), {})))
        if _is_of_nobody(text)
        else text
        for text in texts
    ]


def _is_of_nobody(text: TextLine) -> bool:
    return not text.request_id and _STOPPED(text.message) is not None


def _around(text: TextLine, spans: dict[str, tuple[int, int]]) -> str:
    around = [one for one, (start, end) in spans.items() if start <= text.at_ms <= end]
    return around[0] if len(around) == 1 else ""


def _joined(one: Invocation, other: Invocation) -> Invocation:
    if (one.outcome == TIMEOUT) != (other.outcome == TIMEOUT):
        # Written when its time was nearly up, and then it came to its end all the same.
        return other if one.outcome == TIMEOUT else one
    if other.chunks <= one.chunks:
        return one
    # Only the first chunk is sure to hold more than the entries.
    first, second = (one, other) if min(one.chunks) < min(other.chunks) else (other, one)
    return replace(
        first,
        received=first.received + second.received,
        sent=first.sent + second.sent,
        chunks=first.chunks | second.chunks,
        chunks_total=max(first.chunks_total, second.chunks_total),
    )


def parse(raw: RawLine) -> LogLine | Invocation | TextLine:
    """One message as what it is. Never raises."""
    at_ms = min(max(raw.at_ms, 0), _LAST_MS)
    found: Any = None
    if len(raw.message) <= MAX_MESSAGE and raw.message.lstrip()[:1] == "{":
        try:
            found = json.loads(raw.message)
        except (ValueError, RecursionError):  # half a line, or nested beyond reason
            found = None
            cut = members_of(raw.message)
            if wire.ID in cut or "spanId" in cut:  # half a line, of which enough is there
                return _ordinary_or_invocation(raw, at_ms, cut, cut=True)
    if not isinstance(found, dict):
        return _text_line(raw, at_ms)
    if _text(found, "type").startswith("platform."):
        return _platform_line(raw, at_ms, found)
    return _ordinary_or_invocation(raw, at_ms, found)


def _memory(record: dict[str, Any]) -> str:
    """What a report says of the memory, as the text format has it."""
    metrics = record.get("metrics")
    facts = metrics if isinstance(metrics, dict) else {}
    size, used = _whole(facts, "memorySizeMB"), _whole(facts, "maxMemoryUsedMB")
    if size is None or used is None:
        return ""
    return f" Memory Size: {size} MB Max Memory Used: {used} MB"


def _ordinary_or_invocation(
    raw: RawLine, at_ms: int, found: dict[str, Any], *, cut: bool = False
) -> LogLine | Invocation:
    line = _log_line(raw, at_ms, found, cut=cut)
    entries = isinstance(found.get("received"), list) or isinstance(found.get("sent"), list)
    if line.message == "invocation" and line.logger == "clew" and (entries or cut):
        return _invocation(line, found)
    return line


def _text_line(raw: RawLine, at_ms: int) -> TextLine:
    message = raw.message[:MAX_MESSAGE].rstrip()
    named = _UUID.search(message, 0, 1000)
    return TextLine(at_ms, raw.log_group, message, named[0] if named else "", raw.stream)


def _platform_line(raw: RawLine, at_ms: int, found: dict[str, Any]) -> TextLine:
    """Lambda's words in its JSON log format (Lambda guide, "Telemetry API Event reference")."""
    record = found.get("record")
    facts: dict[str, Any] = record if isinstance(record, dict) else {}
    status, kind = _text(facts, "status"), _text(facts, "errorType")
    message = f"REPORT {_text(found, 'type')}"
    if status == "timeout":
        message = _TIMEOUT
    elif status in ("error", "failure"):
        message += f" Status: {status}" + (f" Error Type: {kind}" if kind else "") + _memory(facts)
    return TextLine(at_ms, raw.log_group, message, _text(facts, "requestId"), raw.stream)


def _log_line(raw: RawLine, at_ms: int, found: dict[str, Any], *, cut: bool = False) -> LogLine:
    chain = _text(found, wire.CHAIN)
    group_function = raw.log_group.rpartition("/")[2]
    return LogLine(
        at_ms=time_ms(found.get("timestamp"), at_ms),
        log_group=raw.log_group,
        level=_text(found, "level"),
        message=_text(found, "message"),
        logger=_text(found, "logger"),
        function=_text(found, "function") or group_function,
        request_id=_text(found, "requestId"),
        cold_start=found.get("coldStart") is True,
        ids={
            name: value
            for name, value in found.items()
            if name.startswith(wire.PREFIX) and isinstance(value, str)
        },
        debug=_text(found, wire.DEBUG),
        user_agent=_text(found, wire.USER_AGENT),
        trace_id=_text(found, "traceId"),
        span=_text(found, "spanId"),
        parent=_text(found, "parentSpanId"),
        flight_recorder=found.get("flightRecorder") is True,
        exception=_thrown(found.get("exception")),
        fields={
            name: value
            for name, value in found.items()
            if name not in RESERVED and not wire.is_field(name)
        },
        stream=raw.stream,
        chain=int(chain) if chain.isascii() and chain.isdigit() and len(chain) < 7 else 0,
        cut=cut,
        text="" if _text(found, wire.ID) else raw.message,
    )


def _invocation(line: LogLine, found: dict[str, Any]) -> Invocation:
    chunk = max(_whole(found, "chunk") or 1, 1)
    return Invocation(
        line=line,
        source=_text(found, "source"),
        outcome=_text(found, "outcome"),
        started_ms=time_ms(found.get("startedAt"), line.at_ms),
        duration_ms=_number(found, "durationMs"),
        received=(
            *(_received(entry, line) for entry in _objects(found.get("received"))),
            *(
                entry
                for group in _objects(found.get("done"))
                for entry in read_columns(group, line)
            ),
        ),
        sent=tuple(
            _sent(each, line)
            for entry in _objects(found.get("sent"))
            for each in (one_by_one(entry) if "count" in entry else (entry,))
        ),
        chunks=frozenset((chunk,)),
        # Of what was cut off nothing is known, not even how much it was.
        chunks_total=max(_whole(found, "chunks") or 1, 1) + line.cut,
    )


def _received(entry: dict[str, Any], line: LogLine) -> ReceivedEntry:
    return ReceivedEntry(
        span=_text(entry, "span"),
        parent=_text(entry, "parent"),
        trace=_text(entry, "trace"),
        id=_text(entry, "id") or line.id,
        outcome=_text(entry, "outcome"),
        attempts=max(_whole(entry, "attempts") or 0, 0),
        ms=_number(entry, "ms"),
        position=_position(entry),
        error=_text(entry, "error"),
    )


def _sent(entry: dict[str, Any], line: LogLine) -> SentEntry:
    return SentEntry(
        service=_text(entry, "service"),
        operation=_text(entry, "operation"),
        target=_text(entry, "target"),
        span=_text(entry, "span"),
        parent=_text(entry, "parent"),
        trace=_text(entry, "trace"),
        id=_text(entry, "id") or line.id,
        at_ms=time_ms(entry.get("at"), line.at_ms),
        outcome=_text(entry, "outcome"),
        status=_whole(entry, "status") or 0,
        error=_text(entry, "error"),
        carried=entry.get("carried") is not False,
        position=_position(entry),
    )


_OWN = (
    frozenset(ReceivedEntry.__dataclass_fields__) | SentEntry.__dataclass_fields__.keys() | {"at"}
)


def _position(entry: dict[str, Any]) -> dict[str, str]:
    """The service's own names for a message: whatever text stands beside clew's members."""
    return {
        name: value for name, value in entry.items() if name not in _OWN and isinstance(value, str)
    }


def _thrown(value: object) -> Thrown | None:
    if not isinstance(value, dict):
        return None
    stack = value.get("stack")
    frames = tuple(one for one in stack if isinstance(one, str)) if isinstance(stack, list) else ()
    return Thrown(_text(value, "type"), _text(value, "message"), frames)


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(found: dict[str, Any], name: str) -> str:
    value = found.get(name)
    return value if isinstance(value, str) else ""


def _number(found: dict[str, Any], name: str) -> float | None:
    value = found.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int) and value.bit_length() > 64:
        return None
    return float(value) if math.isfinite(value) and value >= 0 else None


def _whole(found: dict[str, Any], name: str) -> int | None:
    value = _number(found, name)
    return None if value is None else min(int(value), 10**9)


def time_ms(value: object, otherwise: int) -> int:
    """RFC 3339 as milliseconds since the epoch; ``otherwise`` where it is none, or before it."""
    if not isinstance(value, str) or len(value) > 40:
        return otherwise
    try:
        at = datetime.fromisoformat(value)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        at_ms = (at - EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        return otherwise
    return at_ms if 0 <= at_ms <= _LAST_MS else otherwise

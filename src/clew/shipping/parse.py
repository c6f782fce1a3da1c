"""A batch of log events into lines. Pure, and nothing that a message holds makes it raise."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from clew.shipping import stacks
from clew.shipping.lines import NO_FACTS, UNREAD, Line, Origin, json_object
from clew.shipping.platform import FIRST, facts_of_event, facts_of_text, problem_of, word_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: CloudWatch Logs takes events of up to 1 MB ("CloudWatch Logs quotas").
MAX_MESSAGE = 1 << 20
#: The last moment that `datetime` knows.
MAX_MS = 253_402_300_799_999

#: As Lambda's JSON format calls the request's id, and as Powertools does.
_REQUEST_IDS = ("requestId", "AWSRequestId", "function_request_id", "aws_request_id")
_BAD = frozenset({"ERROR", "CRITICAL", "FATAL"})
_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
#: Lambda's text format in Python: ``[INFO]\t2026-01-02T03:04:05.678Z\t<id>\tmessage``.
_PYTHON = re.compile(rf"\[([A-Z]{{4,8}})\]\t[0-9T:.Z-]{{20,30}}\t({_ID})\t", re.ASCII)
#: In Node.js, ``2026-01-02T03:04:05.678Z\t<id>\tINFO\tmessage``; a timeout has blanks.
_NODE = re.compile(
    rf"[0-9T:.Z-]{{20,30}}[\t ](?:({_ID})|undefined)[\t ](?:([A-Z]{{4,8}})\t)?", re.ASCII
)
_NAMED = re.compile(rf"RequestId: ({_ID}) ", re.ASCII)

#: How a line begins that clew wrote (docs/reference/log-line.md): level and request id are known
#: from there, without the whole of it.
_OF_CLEW = re.compile(
    r'\{"timestamp":"[^"\\]{20,30}","level":"([A-Z]{4,8})","message":"(?:[^"\\]|\\.){0,512}",'
    r'"logger":"[^"\\]{0,256}","requestId":"([^"\\]{0,64})",'
).match


def lines_of(batch: Mapping[str, Any]) -> list[Line]:
    """The lines of one batch, in their order; none of a message that only tests the connection."""
    events = batch.get("logEvents")
    if batch.get("messageType") != "DATA_MESSAGE" or not isinstance(events, list):
        return []
    filters = batch.get("subscriptionFilters")
    origin = Origin(
        _text(batch.get("logGroup")),
        _text(batch.get("logStream")),
        _text(batch.get("owner")),
        tuple(_text(one) for one in filters) if isinstance(filters, list) else (),
    )
    return read_events(origin, _events(events))


def _events(events: Iterable[object]) -> Iterable[tuple[int, str, str]]:
    for event in events:
        if isinstance(event, dict) and type(message := event.get("message")) is str:
            at_ms = event.get("timestamp")
            id_ = event.get("id")
            yield (
                at_ms if type(at_ms) is int and 0 <= at_ms <= MAX_MS else 0,
                message,
                id_ if type(id_) is str else "",
            )


def read_events(origin: Origin, events: Iterable[tuple[int, str, str]]) -> list[Line]:
    """The lines of one log stream.

    Args:
        origin: The stream.
        events: Of each event, in order: when it was (ms), its text, its id.
    """
    lines: list[Line] = []
    # A stream is of one process, which has one invocation at a time.
    current = ""
    stack: stacks.Stack | None = None
    parts: list[str] = []  # of the stack at hand, which is the last line
    for at_ms, message, id_ in events:
        first = message[:1]
        if first == "{" and len(message) <= MAX_MESSAGE:
            if (found := _OF_CLEW(message)) and found[1] not in _BAD:
                _end(stack, parts, lines)
                stack = None
                request_id = found[2]
                lines.append(
                    Line(at_ms, message, id_, origin, "", found[1], request_id, UNREAD, NO_FACTS)
                )
                continue
            members = json_object(message)
            if members is not None:
                _end(stack, parts, lines)
                stack = None
                line = _object(at_ms, message, id_, origin, members, current)
                if line.kind in ("start", "report"):
                    current = line.request_id if line.kind == "start" else ""
                lines.append(line)
                continue
        elif first in FIRST and (kind := word_of(message)):
            _end(stack, parts, lines)
            stack = None
            request_id, facts = facts_of_text(kind, message)
            if kind == "start":
                current = request_id
            lines.append(
                Line(at_ms, message, id_, origin, kind, "", request_id or current, None, facts)
            )
            if kind in ("end", "report"):
                current = ""
            continue
        if stack is not None and (longer := stacks.continued(stack, at_ms, message)) is not None:
            parts.append(message)
            stack = longer
            continue
        _end(stack, parts, lines)
        stack = stacks.begun(at_ms, message)
        parts.append(message)
        lines.append(_plain(at_ms, message, id_, origin, current))
    _end(stack, parts, lines)
    return lines


def _end(stack: stacks.Stack | None, parts: list[str], lines: list[Line]) -> None:
    """Make one line of a stack that came in parts."""
    if stack is None:
        return
    if len(parts) > 1:
        first = lines[-1]
        text = "\n".join([one.removesuffix("\n") for one in parts])
        problem = first.facts.get("problem") or problem_of(text[-4096:])
        lines[-1] = Line(
            first.at_ms, text, first.event_id, first.origin, "",
            first.level or ("ERROR" if problem else ""), first.request_id, None,
            {"problem": problem} if problem else first.facts, len(parts),
        )  # fmt: skip
    parts.clear()


def _object(  # noqa: PLR0917 - an event, taken apart
    at_ms: int, message: str, id_: str, origin: Origin, members: dict[str, Any], current: str
) -> Line:
    type_ = members.get("type")
    if type(type_) is str and type_.startswith("platform."):
        kind, request_id, facts = facts_of_event(members)
        return Line(at_ms, message, id_, origin, kind, "", request_id or current, members, facts)
    level = members.get("level")
    level = level.upper()[:16] if type(level) is str else ""
    own = members.get("requestId")  # as clew and Lambda call it
    request_id = own if type(own) is str else _first(members) or current
    told: Mapping[str, Any] = NO_FACTS
    if level in _BAD and (problem := _problem(members)):
        told = {"problem": problem}
    return Line(at_ms, message, id_, origin, "", level, request_id, members, told)


def _first(members: dict[str, Any]) -> str:
    for name in _REQUEST_IDS:
        if type(value := members.get(name)) is str:
            return value
    return ""


def _problem(members: dict[str, Any]) -> str:
    for name in ("errorType", "message", "errorMessage"):
        value = members.get(name)
        if type(value) is str and (problem := problem_of(value[:4096])):
            return problem
    return ""


def _plain(at_ms: int, message: str, id_: str, origin: Origin, current: str) -> Line:
    level = request_id = ""
    if found := _PYTHON.match(message):
        level, request_id = found[1], found[2]
    elif found := _NODE.match(message):
        request_id, level = found[1] or "", found[2] or ""
    elif found := _NAMED.match(message):
        request_id = found[1]
    problem = problem_of(message[:4096])
    return Line(
        at_ms, message, id_, origin, "",
        "ERROR" if problem and not level else level,
        request_id or current, None, {"problem": problem} if problem else NO_FACTS,
    )  # fmt: skip


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""

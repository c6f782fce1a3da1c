"""A story as what JSON can hold; docs/how-to/read-a-story.md describes the shape. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from clew.stories.naming import rfc3339

if TYPE_CHECKING:
    from clew.stories.lines import LogLine, TextLine, Thrown
    from clew.stories.model import Break, Gap, Hop, Send, Story

#: The log line itself is cut deeper than 16 levels.
_MAX_DEPTH = 32


def story_json(story: Story) -> dict[str, Any]:
    """The story as dicts, lists and strings. Offsets count from the start of the story."""
    return {
        "id": story.id,
        "at": rfc3339(story.at_ms),
        "duration_ms": story.duration_ms,
        "functions": list(story.functions),
        "trace_ids": list(story.trace_ids),
        "debug": story.debug,
        "user_agent": story.user_agent or None,
        "breaks": [_break(one, story) for one in story.breaks],
        "gaps": [_gap(one, story) for one in story.gaps],
        "notes": list(story.notes),
        "hops": [_hop(hop, story) for hop in story.hops],
        "sends": [_send(send, story) for send in story.sends],
    }


def _break(one: Break, story: Story) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "sentence": one.sentence,
        "function": one.function,
        "target": one.target or None,
        "unknown": one.unknown or None,
        "hop": one.hop,
        **_time(one.at_ms, story),
    }


def _gap(one: Gap, story: Story) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "sentence": one.sentence,
        "function": one.function,
        "hops": list(one.hops),
        **_time(one.at_ms, story),
    }


def _hop(hop: Hop, story: Story) -> dict[str, Any]:
    return {
        "number": hop.number,
        "depth": hop.depth,
        "above": hop.above,
        "function": hop.function,
        "source": hop.source or None,
        "span": hop.span or None,
        "parent": hop.parent or None,
        "request_id": hop.request_id or None,
        "log_group": hop.log_group,
        **_time(hop.at_ms, story),
        "duration_ms": hop.duration_ms,
        "outcome": hop.outcome,
        "ending": hop.ending or None,
        "error": hop.error or None,
        "exception": _thrown(hop.exception),
        "attempts": hop.attempts,
        "delivery": hop.delivery,
        "deliveries": hop.deliveries,
        "cold_start": hop.cold_start,
        "position": dict(hop.position),
        "ids_added": dict(hop.ids_added),
        "note": hop.note or None,
        "broken": hop.broken.sentence if hop.broken else None,
        "sends": [_send(send, story) for send in hop.sends],
        "lines": [_line(line, story) for line in hop.lines],
        "texts": [_text(line, story) for line in hop.texts],
    }


def _send(send: Send, story: Story) -> dict[str, Any]:
    return {
        "function": send.function,
        "service": send.service,
        "operation": send.operation,
        "target": send.target,
        "span": send.span or None,
        **_time(send.at_ms, story),
        "outcome": send.outcome,
        "status": send.status or None,
        "error": send.error or None,
        "carried": send.carried,
        "position": dict(send.position),
        "received_by": list(send.received_by),
        "note": send.note or None,
        "broken": send.broken.sentence if send.broken else None,
    }


def _line(line: LogLine, story: Story) -> dict[str, Any]:
    return {
        **_time(line.at_ms, story),
        "level": line.level,
        "message": line.message,
        "logger": line.logger or None,
        "flight_recorder": line.flight_recorder,
        "cut": line.cut,
        "exception": _thrown(line.exception),
        "fields": _plain(line.fields, _MAX_DEPTH),
    }


def _text(line: TextLine, story: Story) -> dict[str, Any]:
    return {**_time(line.at_ms, story), "message": line.message}


def _thrown(thrown: Thrown | None) -> dict[str, Any] | None:
    if thrown is None:
        return None
    return {"type": thrown.type, "message": thrown.message, "stack": list(thrown.stack)}


def _plain(value: Any, depth: int) -> Any:
    """A caller's value without what Python's JSON reads and others do not (NaN, endless depth)."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict | list) and depth == 0:
        return "<too deep>"
    if isinstance(value, dict):
        return {name: _plain(inner, depth - 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, depth - 1) for inner in value]
    return value


def _time(at_ms: int, story: Story) -> dict[str, Any]:
    return {"at": rfc3339(at_ms), "offset_ms": at_ms - story.at_ms}

"""A line as a JSON object for sinks that take any: TCP, OpenSearch, Firehose, S3. Pure."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clew.shipping.lines import Line

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
#: Deeper is text; OpenSearch takes 20 levels, unless told otherwise.
_DEPTH = 20


def document(line: Line) -> dict[str, Any]:
    """The line with what clew knows of it.

    ``at``, ``logGroup``, ``stream``, ``message`` and ``eventId`` are as ``clew store import``
    reads them; what is empty is left out. ``fields`` are the members of a line that is JSON.
    """
    origin = line.origin
    found: dict[str, Any] = {
        "timestamp": timestamp(line.at_ms),
        "at": line.at_ms,
        "logGroup": origin.log_group,
        "stream": origin.stream,
        "message": line.message,
        "eventId": line.event_id,
        "owner": origin.owner,
        "function": origin.function,
        "version": origin.version,
        "requestId": line.request_id,
        "level": line.level,
        "kind": line.kind,
        **line.facts,
    }
    return {name: value for name, value in found.items() if value != ""}


def to_json(value: Any) -> bytes:
    """JSON in UTF-8; halves of surrogate pairs become question marks.

    Python reads and writes NaN and infinities, which are no JSON: they become text, as does what
    is nested beyond reason.
    """
    try:
        text = _encode(value)
    except (ValueError, RecursionError):
        text = _encode(_plain(value, 0))
    return text.encode("utf-8", "replace")


def _plain(value: Any, depth: int) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if depth >= _DEPTH and isinstance(value, dict | list):
        return "…"
    if isinstance(value, dict):
        return {str(name): _plain(one, depth + 1) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one, depth + 1) for one in value]
    return value


def timestamp(at_ms: int) -> str:
    """RFC 3339 with milliseconds."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"

"""clew's fields as values, for the lines that other libraries write."""

from __future__ import annotations

from clew.correlation import current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any


def in_force() -> dict[str, str | bool]:
    """What every line of clew's carries here and now, by its name in the log line."""
    correlation = current()
    invocation = correlation.invocation
    found: dict[str, str | bool] = {}
    if invocation is not None:
        found = {
            "requestId": invocation.request_id,
            "function": invocation.function,
            "version": invocation.version,
            "coldStart": invocation.cold_start,
        }
    if not correlation:
        return found
    found.update(correlation)
    for name, value in (
        ("traceId", correlation.trace_id),
        ("spanId", correlation.span_id),
        ("parentSpanId", correlation.parent_span_id),
        ("xrayTraceId", correlation.xray_trace_id),
    ):
        if value:
            found[name] = value
    return found


def put_into(members: MutableMapping[str, Any], fields: dict[str, str | bool]) -> None:
    """Put ``fields`` into the members of a line; one of the caller's own gets ``_`` at its end."""
    for name, value in fields.items():
        if name in members:
            members[_free(name, members)] = members[name]
        members[name] = value


def _free(name: str, members: MutableMapping[str, Any]) -> str:
    while name in members:
        name += "_"
    return name

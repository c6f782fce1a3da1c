"""EventBridge: a context inside ``detail``.

Rules, the archive's replays and schedules send the same shape. A schedule's own default event has
text as its detail (EventBridge Scheduler user guide, "Templated targets").
"""

from __future__ import annotations

from clew import payload
from clew.capture import nested
from clew.capture.reading import Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAME = "aws:events"


def matches(event: dict[str, Any]) -> bool:
    """Whether ``event`` is an event of a bus or a schedule."""
    return "detail-type" in event and "detail" in event and "source" in event


def read(event: dict[str, Any]) -> Reading:
    """The handler gets the event without the context; the record of a Lambda destination is read
    as that.
    """
    detail = event["detail"]
    if isinstance(detail, str):
        return _read_text(event, detail)
    if not isinstance(detail, dict):
        return Reading(NAME, event)
    if "requestContext" in detail and not nested.places(detail, depth=0):
        from clew.capture import destination

        if destination.matches(detail):
            inner = destination.read(detail)
            same = inner.event is detail
            whole = event if same else {**event, "detail": inner.event}
            return Reading(NAME, whole, pairs=inner.pairs)
    stripped = dict(detail)
    context = payload.take_from(stripped)
    if context is None:
        return Reading(NAME, event)
    return Reading(NAME, {**event, "detail": stripped}, pairs=payload.pairs(context))


def _read_text(event: dict[str, Any], detail: str) -> Reading:
    opened = nested.open_message(detail)
    if opened.message is detail:
        return Reading(NAME, event, pairs=opened.pairs)
    return Reading(NAME, {**event, "detail": opened.message}, pairs=opened.pairs)

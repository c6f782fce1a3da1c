"""A decorated handler that is called by another one is a part of it, not a hop of its own."""

from __future__ import annotations

from clew.correlation import current
from clew.log.internal import failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.capture import Delivery
    from clew.invocation import Invocation


def inside(event: Any, context: Any) -> Delivery | None:
    """What the inner handler is given, under the correlation in force; None where it is a hop.

    It is part of the outer one where it is called in the same invocation with the outer one's own
    event, or with one that brings neither an id nor a trace. What has records, or brings ids, was
    sent by somebody, and is received. Never raises.
    """
    outer = current().invocation
    if outer is None or outer.delivery is None:  # nearly always
        return None
    try:
        return _inside(event, context, outer, outer.delivery)
    except Exception:  # noqa: BLE001  (an event of any shape may come in)
        failed("looking whether a handler was called by another")
        return None


def _inside(event: Any, context: Any, outer: Invocation, delivery: Delivery) -> Delivery | None:
    from clew.capture import Delivery as Made
    from clew.capture import read
    from clew.wire import ID, check

    request_id = getattr(context, "aws_request_id", None) or outer.request_id
    if request_id != outer.request_id:  # something of an earlier invocation was left in force
        return None
    if event is outer.event or event is delivery.event:
        return delivery
    reading = read(event)
    inbound = check(reading.pairs)
    if reading.records or ID in inbound.fields or inbound.trace_id:
        return None
    return Made(
        source=reading.source,
        event=reading.event,
        correlation=current(),
        records=[],
        invocation=outer,
        problem=reading.problem,
    )

"""CloudWatch alarms: straight to the function, through SNS (also in SQS) or EventBridge.

An alarm is nobody's request: it carries no ids, and its receiver begins a correlation. What it
says has three shapes, which `alarm_in` makes one of.
"""

from __future__ import annotations

import json

from clew.capture.delivery import Delivery
from clew.capture.reading import Reading
from clew.capture.record import Record, members, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

NAME = "aws:cloudwatch"


def matches(event: dict[str, Any]) -> bool:
    """Whether ``event`` is an alarm whose action is the function itself."""
    return event.get("source") == "aws.cloudwatch" and isinstance(event.get("alarmData"), dict)


def read(event: dict[str, Any]) -> Reading:
    """Nothing rides in it."""
    return Reading(NAME, event)


class Alarm:
    """An alarm that changed its state.

    ``name`` and ``arn`` are the alarm's; ``state`` and ``previous_state`` are ``OK``, ``ALARM``
    or ``INSUFFICIENT_DATA``; ``reason`` says why in a sentence; ``changed_at`` is the time of the
    change (UTC), or None where it does not say; ``raw`` is the whole, as it came.
    """

    __slots__ = ("arn", "changed_at", "name", "previous_state", "raw", "reason", "state")

    def __init__(
        self,
        raw: dict[str, Any],
        *,
        name: object,
        arn: object,
        state: object,
        previous_state: object,
        reason: object,
        changed_at: object,
    ) -> None:
        self.raw = raw
        self.name = text(name)
        self.arn = text(arn)
        self.state = text(state)
        self.previous_state = text(previous_state)
        self.reason = text(reason)
        self.changed_at = _time(text(changed_at))

    def __repr__(self) -> str:
        return f"Alarm({self.name!r}, {self.previous_state!r} -> {self.state!r})"


def alarm_in(source: object) -> Alarm | None:
    """The alarm in ``source``, or None where there is none. Never raises.

    ``source`` is a Lambda event, what `clew.capture` gave for one, or a record of SNS or SQS. Of
    an event with several records the first that has an alarm counts.
    """
    from clew.capture import capture

    if isinstance(source, Record):
        return _of(_decoded(source))
    delivery = source if isinstance(source, Delivery) else capture(source)
    return _of(delivery.event) or next(
        (alarm for record in delivery.records if (alarm := _of(_decoded(record)))), None
    )


def _of(value: object) -> Alarm | None:
    event = members(value)
    if "AlarmName" in event and "NewStateValue" in event:
        return Alarm(
            event,
            name=event["AlarmName"],
            arn=event.get("AlarmArn"),
            state=event["NewStateValue"],
            previous_state=event.get("OldStateValue"),
            reason=event.get("NewStateReason"),
            changed_at=event.get("StateChangeTime"),
        )
    if event.get("source") != "aws.cloudwatch":
        return None
    resources = event.get("resources")
    arn = resources[0] if isinstance(resources, list) and resources else event.get("alarmArn")
    said = members(event.get("detail", event.get("alarmData")))
    state = members(said.get("state"))
    if "alarmName" not in said or not state:
        return None
    return Alarm(
        event,
        name=said["alarmName"],
        arn=arn,
        state=state.get("value"),
        previous_state=members(said.get("previousState")).get("value"),
        reason=state.get("reason"),
        changed_at=state.get("timestamp"),
    )


def _decoded(record: Record) -> object:
    try:
        payload = record.payload
        return json.loads(payload) if isinstance(payload, str) else payload
    except (NotImplementedError, ValueError, RecursionError):
        return None


def _time(written: str) -> datetime | None:
    from datetime import datetime

    try:
        return datetime.fromisoformat(written)
    except ValueError:
        return None

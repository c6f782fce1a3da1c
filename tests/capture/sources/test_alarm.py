"""Alarms of CloudWatch: three shapes, one meaning, and no ids."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from clew import alarm_in, capture

from ..events import REQUEST_ID, Context, sns
from .events import (
    ALARM_ARN,
    alarm_action,
    alarm_notification,
    alarm_on_bus,
    notification,
    sqs,
    sqs_record,
)

ALARMS = {
    "its own action": alarm_action(),
    "EventBridge": alarm_on_bus(),
    "SNS": sns(json.dumps(alarm_notification())),
    "SNS in SQS": sqs(sqs_record(json.dumps(notification(json.dumps(alarm_notification()))))),
    "raw delivery": sqs(sqs_record(json.dumps(alarm_notification()))),
    "EventBridge in SQS": sqs(sqs_record(json.dumps(alarm_on_bus()))),
}


@pytest.mark.parametrize("way", ALARMS)
def test_an_alarm_is_found_wherever_it_came(way: str) -> None:
    delivery = capture(ALARMS[way], Context())
    assert delivery.correlation.id == REQUEST_ID, "an alarm begins a correlation"
    for source in (ALARMS[way], delivery, *delivery.records):
        alarm = alarm_in(source)
        assert alarm is not None
        assert (alarm.name, alarm.arn) == ("slow", ALARM_ARN)
        assert (alarm.previous_state, alarm.state) == ("OK", "ALARM")
        assert alarm.reason == "Threshold Crossed"
        assert alarm.changed_at == datetime(2021, 1, 1, 0, 0, 1, 234000, UTC)
        assert repr(alarm) == "Alarm('slow', 'OK' -> 'ALARM')"


@pytest.mark.parametrize(
    "source",
    [
        None,
        {},
        [],
        sns("text"),
        sns('{"AlarmName": "slow"}'),
        {"source": "aws.cloudwatch", "alarmData": {}},
        {"source": "aws.cloudwatch", "alarmData": {"alarmName": "slow", "state": None}},
        {"source": "aws.ec2", "detail-type": "", "detail": {"alarmName": "slow", "state": {}}},
    ],
)
def test_other_events_have_none(source: Any) -> None:
    assert alarm_in(source) is None


@pytest.mark.parametrize("junk", [None, 7, [], {}, "yesterday"])
def test_an_alarm_that_lacks_something(junk: Any) -> None:
    said = {**alarm_notification(), "StateChangeTime": junk, "OldStateValue": junk}
    alarm = alarm_in(sns(json.dumps(said)))
    assert alarm is not None
    assert (alarm.state, alarm.changed_at) == ("ALARM", None)

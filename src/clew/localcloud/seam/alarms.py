"""CloudWatch alarms that look at the right metric, by themselves, and tell of it as AWS does.

The emulator's alarms take every metric of the name, whatever its dimensions, as one period of one
metric, and look only when a metric is put.
"""

from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ministack.core.responses import get_account_id, get_region, new_uuid, request_scope
from ministack.services import cloudwatch

from clew.localcloud.seam import alarm_maths
from clew.localcloud.seam.alarm_state import judge
from clew.localcloud.seam.emulator_parts import around

if TYPE_CHECKING:
    from collections.abc import Callable

    Alarm = dict[str, Any]

_log = logging.getLogger("clew")
_ACTIONS = {
    "ALARM": "AlarmActions",
    "OK": "OKActions",
    "INSUFFICIENT_DATA": "InsufficientDataActions",
}


def install() -> None:
    """Put clew's evaluation in the place of the emulator's."""
    around(cloudwatch, "_evaluate_alarm", _evaluate)
    around(cloudwatch, "_dispatch_alarm_actions", _tell)
    alarm_maths.install()


def evaluate_all() -> None:
    """Look at every alarm of every account and region."""
    scopes = {(account, region) for (account, region, _name), _ in cloudwatch._alarms.all_items()}
    for account, region in scopes:
        with request_scope(account, region):
            cloudwatch._evaluate_all_alarms()


def put_metrics(account: str, region: str, namespace: str, data: list[dict[str, Any]]) -> None:
    """As PutMetricData, which looks at the alarms afterwards."""
    with request_scope(account, region):
        asked = {"Namespace": namespace, "MetricData": data}
        cloudwatch._put_metric_data({}, asked, False, True)


def _evaluate(_original: Callable[..., None], alarm: Alarm) -> None:
    values = alarm_maths.values_of(alarm, time.time())
    if values is None:
        return
    judgement = judge(alarm, values)
    before = alarm["StateValue"]
    if judgement is None or judgement.state == before:
        return
    alarm["StateValue"] = judgement.state
    alarm["StateReason"] = judgement.reason
    alarm["StateUpdatedTimestamp"] = int(time.time())
    cloudwatch._record_history(alarm["AlarmName"], before, *judgement)
    cloudwatch._dispatch_alarm_actions(alarm, before, *judgement)
    cloudwatch._evaluate_parent_alarms(alarm)


def _tell(
    original: Callable[..., None], alarm: Alarm, old_state: str, new_state: str, reason: str
) -> None:
    if not alarm.get("MetricName") and not alarm.get("Metrics"):
        original(alarm, old_state, new_state, reason)  # a composite alarm
        return
    if not alarm.get("ActionsEnabled", True):
        return
    message = json.dumps(_message(alarm, old_state, new_state, reason))
    subject = f'{new_state}: "{alarm["AlarmName"]}" in {get_region()}'[:100]
    for action in alarm.get(_ACTIONS.get(new_state, "")) or []:
        if not cloudwatch._is_sns_action_arn(action):
            continue
        from ministack.services import sns

        try:
            sns._fanout(action, new_uuid(), message, subject)
        except Exception:  # noqa: BLE001 - as the emulator: one topic's failure is not another's
            _log.exception("The alarm %s could not tell %s", alarm["AlarmName"], action)


def _message(alarm: Alarm, old_state: str, new_state: str, reason: str) -> dict[str, Any]:
    """What CloudWatch publishes to a topic, name by name."""
    trigger: dict[str, Any] = {
        **(alarm_maths.told(alarm) if alarm.get("Metrics") else _metric_told(alarm)),
        "EvaluationPeriods": alarm.get("EvaluationPeriods", 1),
        "ComparisonOperator": alarm.get("ComparisonOperator", ""),
        "Threshold": alarm.get("Threshold", 0),
        "TreatMissingData": alarm.get("TreatMissingData") or "",
        "EvaluateLowSampleCountPercentile": "",
    }
    if alarm.get("DatapointsToAlarm"):
        trigger["DatapointsToAlarm"] = alarm["DatapointsToAlarm"]
    return {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription") or None,
        "AWSAccountId": get_account_id(),
        "AlarmConfigurationUpdatedTimestamp": _time(
            alarm.get("AlarmConfigurationUpdatedTimestamp", 0)
        ),
        "NewStateValue": new_state,
        "NewStateReason": reason,
        "StateChangeTime": _time(time.time()),
        "Region": get_region(),  # on AWS its long name, as in "US East (N. Virginia)"
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": old_state,
        "OKActions": alarm.get("OKActions") or [],
        "AlarmActions": alarm.get("AlarmActions") or [],
        "InsufficientDataActions": alarm.get("InsufficientDataActions") or [],
        "Trigger": trigger,
    }


def _metric_told(alarm: Alarm) -> dict[str, Any]:
    extended = alarm.get("ExtendedStatistic")
    return {
        "MetricName": alarm["MetricName"],
        "Namespace": alarm["Namespace"],
        "StatisticType": "ExtendedStatistic" if extended else "Statistic",
        **(
            {"ExtendedStatistic": extended}
            if extended
            else {"Statistic": _constant_case(alarm.get("Statistic") or "Average")}
        ),
        "Unit": alarm.get("Unit"),
        "Dimensions": [
            {"value": each["Value"], "name": each["Name"]} for each in alarm.get("Dimensions") or []
        ],
        "Period": alarm.get("Period", 60),
    }


def _constant_case(statistic: str) -> str:
    return "SAMPLE_COUNT" if statistic == "SampleCount" else statistic.upper()


def _time(seconds: float) -> str:
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "+0000")

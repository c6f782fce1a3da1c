"""Alarms in every form in which CloudWatch tells of them, as its user guide documents them."""

from __future__ import annotations

import json
from typing import Any

ACCOUNT, REGION = "123456789012", "eu-central-1"
CHANGED = "2026-11-25T10:02:31.482+0000"
BYTES_REASON = (
    "Threshold Crossed: 1 out of the last 1 datapoints [5.6623104E7 (25/11/26 10:01:00)] was"
    " greater than or equal to the threshold (5.0331648E7) (minimum 1 datapoint for OK -> ALARM"
    " transition)."
)


def arn(name: str) -> str:
    return f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"


def through_sns(message: dict[str, Any]) -> dict[str, Any]:
    """The Lambda event of a topic that was told."""
    return {
        "Records": [
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms:1d3c",
                "Sns": {
                    "Type": "Notification",
                    "MessageId": "5e8a9d1c-0000-5000-8000-000000000001",
                    "TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms",
                    "Subject": f'ALARM: "{message.get("AlarmName")}" in EU (Frankfurt)',
                    "Message": json.dumps(message),
                    "Timestamp": "2026-11-25T10:02:31.530Z",
                    "SignatureVersion": "1",
                    "MessageAttributes": {},
                },
            }
        ]
    }


def message(
    name: str,
    trigger: dict[str, Any],
    *,
    state: str = "ALARM",
    reason: str = BYTES_REASON,
    changed: str = CHANGED,
) -> dict[str, Any]:
    """What a topic is told."""
    return {
        "AlarmName": name,
        "AlarmDescription": None,
        "AWSAccountId": ACCOUNT,
        "AlarmConfigurationUpdatedTimestamp": "2026-11-25T09:00:00.000+0000",
        "NewStateValue": state,
        "NewStateReason": reason,
        "StateChangeTime": changed,
        "Region": "EU (Frankfurt)",
        "AlarmArn": arn(name),
        "OldStateValue": "OK",
        "OKActions": [],
        "AlarmActions": [f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"],
        "InsufficientDataActions": [],
        "Trigger": trigger,
    }


def one_metric(metric: str, stream: str, shard: str = "", **more: Any) -> dict[str, Any]:
    """The trigger of an alarm on one metric."""
    dimensions = [{"value": stream, "name": "StreamName"}]
    if shard:
        dimensions.append({"value": shard, "name": "ShardId"})
    return {
        "MetricName": metric,
        "Namespace": "AWS/Kinesis",
        "StatisticType": "Statistic",
        "Statistic": "SUM",
        "Unit": None,
        "Dimensions": dimensions,
        "Period": 60,
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Threshold": 50331648.0,
        "TreatMissingData": "notBreaching",
        "EvaluateLowSampleCountPercentile": "",
    } | more


def metric_math(*streams: str) -> dict[str, Any]:
    """The trigger of an alarm on an expression: it has no dimensions of its own."""
    metrics: list[dict[str, Any]] = [
        {
            "Id": "fullest",
            "Expression": "MAX([m0/1048576/60/s, m1/1000/60/s])",
            "Label": "utilisation",
            "ReturnData": True,
        },
        {"Id": "s", "Expression": "2", "Label": "shards", "ReturnData": False},
    ]
    for stream in streams:
        for name in ("IncomingBytes", "IncomingRecords"):
            metrics.append(
                {
                    "Id": f"m{len(metrics) - 2}",
                    "MetricStat": {
                        "Metric": {
                            "Dimensions": [{"value": stream, "name": "StreamName"}],
                            "MetricName": name,
                            "Namespace": "AWS/Kinesis",
                        },
                        "Period": 60,
                        "Stat": "Sum",
                    },
                    "ReturnData": False,
                }
            )
    return {
        "Period": 60,
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 0.8,
        "TreatMissingData": "- TreatMissingData:                    missing",
        "EvaluateLowSampleCountPercentile": "",
        "Metrics": metrics,
    }


def _state(value: str, reason: str) -> dict[str, Any]:
    data = {"version": "1.0", "period": 60, "recentDatapoints": [56623104.0], "threshold": 5.0e7}
    return {
        "value": value,
        "reason": reason,
        "reasonData": json.dumps(data),
        "timestamp": CHANGED,
    }


def _configuration(metric: str, stream: str, shard: str) -> dict[str, Any]:
    dimensions = {"StreamName": stream} | ({"ShardId": shard} if shard else {})
    return {
        "description": "",
        "metrics": [
            {
                "id": "4f5f8a6c-0000-4000-8000-000000000001",
                "metricStat": {
                    "metric": {
                        "namespace": "AWS/Kinesis",
                        "name": metric,
                        "dimensions": dimensions,
                    },
                    "period": 60,
                    "stat": "Sum",
                },
                "returnData": True,
            }
        ],
    }


def through_event_bridge(name: str, metric: str, stream: str, shard: str = "") -> dict[str, Any]:
    """A CloudWatch Alarm State Change."""
    return {
        "version": "0",
        "id": "c4c1c1c9-6542-e61b-6ef0-8c4d36933a92",
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": ACCOUNT,
        "time": "2026-11-25T10:02:31Z",
        "region": REGION,
        "resources": [arn(name)],
        "detail": {
            "alarmName": name,
            "configuration": _configuration(metric, stream, shard),
            "previousState": _state("OK", "Threshold Crossed: no"),
            "state": _state("ALARM", BYTES_REASON),
        },
    }


def straight_to_the_function(name: str, metric: str, stream: str) -> dict[str, Any]:
    """What an alarm sends whose action is the function."""
    return {
        "source": "aws.cloudwatch",
        "alarmArn": arn(name),
        "accountId": ACCOUNT,
        "time": CHANGED,
        "region": REGION,
        "alarmData": {
            "alarmName": name,
            "state": _state("ALARM", BYTES_REASON),
            "previousState": _state("OK", "Threshold Crossed: no"),
            "configuration": _configuration(metric, stream, ""),
        },
    }


def composite(name: str) -> dict[str, Any]:
    """What a composite alarm sends to the function: no dimensions, only its rule."""
    return {
        "source": "aws.cloudwatch",
        "alarmArn": arn(name),
        "accountId": ACCOUNT,
        "time": CHANGED,
        "region": REGION,
        "alarmData": {
            "alarmName": name,
            "state": {
                "value": "ALARM",
                "reason": f"{arn('bytes')} transitioned to ALARM at Wednesday 25 November, 2026",
                "timestamp": CHANGED,
            },
            "previousState": {"value": "OK", "timestamp": CHANGED},
            "configuration": {"alarmRule": 'ALARM("bytes") OR ALARM("records")'},
        },
    }

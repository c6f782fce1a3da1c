"""Messages of queues, what SNS puts into them, and events of buses and schedules."""

from __future__ import annotations

import json
from typing import Any

from .common import QUEUE, Fields, body, encoded


def sqs_attributes(fields: dict[str, str]) -> dict[str, Any]:
    """Message attributes as SQS delivers them, one per field."""
    return {
        name: {
            "stringValue": value,
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": "String",
        }
        for name, value in fields.items()
    }


def sqs_packed(text: str) -> dict[str, Any]:
    """The one attribute with every field, binary."""
    return {"clew-context": {"binaryValue": encoded(text.encode()), "dataType": "Binary"}}


def sqs_record(
    text: Any = "hello", attributes: Any = None, number: int = 0, **system: Any
) -> dict[str, Any]:
    """One message of a queue."""
    return {
        "messageId": f"059f36b4-87a3-44ab-83d2-66197535{number:04d}",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": text,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1545082649183",
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": "1545082649185",
            **system,
        },
        "messageAttributes": {} if attributes is None else attributes,
        "md5OfBody": "5d41402abc4b2a76b9719d911017c592",
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE,
        "awsRegion": "eu-central-1",
    }


def sqs(*records: dict[str, Any]) -> dict[str, Any]:
    """An SQS event."""
    return {"Records": list(records or (sqs_record(),))}


def notification(message: Any, attributes: Any = None) -> dict[str, Any]:
    """What SNS puts into a queue without raw delivery."""
    return {
        "Type": "Notification",
        "MessageId": "dc1e94d9-56c5-5e96-808d-cc7f68faa162",
        "TopicArn": "arn:aws:sns:eu-central-1:111122223333:orders",
        "Message": message,
        "Timestamp": "2021-01-01T00:00:00.000Z",
        **({} if attributes is None else {"MessageAttributes": attributes}),
    }


def eventbridge(
    fields: Fields = None, *, kind: str = "order placed", **others: Any
) -> dict[str, Any]:
    """An event of a bus."""
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": kind,
        "source": "com.example.orders",
        "account": "111122223333",
        "time": "2021-11-12T00:00:00Z",
        "region": "eu-central-1",
        "resources": [],
        "detail": json.loads(body(fields)),
        **others,
    }


def schedule() -> dict[str, Any]:
    """What EventBridge Scheduler sends where the schedule has no input of its own."""
    return eventbridge(kind="Scheduled Event", source="aws.scheduler", detail="{}")

"""Queues of the local cloud, what is in them, and records whose function fails."""

from __future__ import annotations

import itertools
import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from capture.events import FIELDS, with_context
from log.lines import invocation

from .making import body, event, kinesis, number_of

if TYPE_CHECKING:
    from clew.localcloud import LocalCloud

_numbers = itertools.count(1)


def new_name(prefix: str = "dead") -> str:
    """A name that no test has had."""
    return f"{prefix}-{next(_numbers)}"


def new_queue(cloud: LocalCloud, suffix: str = "", **attributes: str) -> tuple[str, str]:
    """(URL, ARN) of a queue of its own."""
    client = cloud.client("sqs")
    url = client.create_queue(QueueName=new_name() + suffix, Attributes=attributes)["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return url, arn["QueueArn"]


def messages(cloud: LocalCloud, url: str, count: int = 1) -> list[dict[str, Any]]:
    """At least ``count`` messages of a queue, with all that came with them."""
    found: list[dict[str, Any]] = []
    client = cloud.client("sqs")
    for _ in range(40):
        got = client.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=1 if len(found) < count else 0,
            MessageAttributeNames=["All"],
            AttributeNames=["All"],
        ).get("Messages", [])
        found += got
        if len(found) >= count and not got:
            return found
    return found


def as_event(arn: str, received: list[dict[str, Any]]) -> dict[str, Any]:
    """What Lambda makes of messages."""
    return {
        "Records": [
            {
                "messageId": one["MessageId"],
                "receiptHandle": one["ReceiptHandle"],
                "body": one["Body"],
                "attributes": one["Attributes"],
                "messageAttributes": {
                    name: {
                        "dataType": value["DataType"],
                        "stringValue": value.get("StringValue"),
                        "binaryValue": b64encode(value.get("BinaryValue", b"")).decode(),
                    }
                    for name, value in one.get("MessageAttributes", {}).items()
                },
                "eventSource": "aws:sqs",
                "eventSourceARN": arn,
            }
            for one in received
        ]
    }


def batch(count: int) -> dict[str, Any]:
    """Records of one request each, of several keys."""
    raws = []
    for number in range(count):
        fields = {**FIELDS, "x-correlation-id": f"request-{number}"}
        raw = kinesis(number, f"key-{number % 4}")
        raw["kinesis"]["data"] = b64encode(with_context(body(number), fields)).decode()
        raws.append(raw)
    return event(raws)


def fails(*numbers: int) -> Any:
    """A function that fails for records of these numbers."""

    def each(record: Any) -> None:
        if number_of(record) in numbers:
            raise KeyError(number_of(record))

    return each


def outcomes(lines: list[dict[str, Any]]) -> list[str]:
    """What became of each record."""
    return [one["outcome"] for one in invocation(lines)["received"]]


def large(number: int, size: int) -> dict[str, Any]:
    """A record of so many bytes."""
    raw = kinesis(number, f"key-{number}")
    data = json.dumps({"n": number, "filler": "x" * size}).encode()
    raw["kinesis"]["data"] = b64encode(data).decode()
    return raw

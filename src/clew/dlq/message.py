"""A message of a queue, as it was received. Pure."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Message:
    """One message. ``queue_arn`` is the ARN of the queue that it was found in."""

    id: str
    body: str
    #: What the service says of it: ``SentTimestamp``, ``MessageGroupId``, …
    system: Mapping[str, str] = field(default_factory=dict)
    #: The sender's attributes, as boto3 gives and takes them.
    attributes: Mapping[str, Any] = field(default_factory=dict)
    queue_arn: str = ""
    #: What deletes it; the latest one counts.
    receipt: str = ""

    @property
    def sent_at(self) -> datetime | None:
        """When the queue took it. A standard queue's redrive policy keeps the first time."""
        return _moment(self.system.get("SentTimestamp"))

    @property
    def receives(self) -> int:
        """How often it was received before it was looked at now."""
        return max(_number(self.system.get("ApproximateReceiveCount")) - 1, 0)

    @property
    def group(self) -> str:
        """Its message group, or ""."""
        return self.system.get("MessageGroupId", "")

    @property
    def source_queue(self) -> str:
        """The ARN of the queue whose redrive policy moved it here, or ""."""
        return self.system.get("DeadLetterQueueSourceArn", "")

    def with_body(self, body: str) -> Message:
        """A copy with another body: what was inside of it."""
        return replace(self, body=body)

    def as_record(self, queue_arn: str = "") -> dict[str, Any]:
        """The record that Lambda would make of it, from the queue that it is said to be in.

        Lambda developer guide, "Using Lambda with Amazon SQS".
        """
        arn = queue_arn or self.source_queue or self.queue_arn
        return {
            "messageId": self.id,
            "receiptHandle": "",
            "body": self.body,
            "attributes": dict(self.system),
            "messageAttributes": {
                name: as_delivered(value) for name, value in self.attributes.items()
            },
            "eventSource": "aws:sqs",
            "eventSourceARN": arn,
            "awsRegion": arn.split(":")[3] if arn.count(":") >= 5 else "",
        }


def unwrapped(message: Message) -> tuple[Message, str]:
    """What SNS wrapped, with the topic's ARN; the message itself and "" where it did not.

    SNS developer guide, "Parsing message formats": an SQS subscription without raw delivery.
    """
    try:
        found = json.loads(message.body)
    except (ValueError, RecursionError):
        return message, ""
    if (
        isinstance(found, dict)
        and found.get("Type") == "Notification"
        and isinstance(found.get("Message"), str)
        and isinstance(found.get("TopicArn"), str)
    ):
        return message.with_body(found["Message"]), found["TopicArn"]
    return message, ""


def as_delivered(value: Mapping[str, Any]) -> dict[str, Any]:
    """A message attribute as Lambda gives it, of one as boto3 has it."""
    found: dict[str, Any] = {"dataType": value.get("DataType", "String")}
    if "StringValue" in value:
        found["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        found["binaryValue"] = b64encode(bytes(value["BinaryValue"])).decode()
    return found


def _moment(milliseconds: str | None) -> datetime | None:
    number = _number(milliseconds)
    return datetime.fromtimestamp(number / 1000, UTC) if 0 < number < 10**14 else None


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 16 else 0

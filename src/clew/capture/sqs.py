"""SQS: message attributes, as in SNS, and what other services put into a message's body.

SNS without raw delivery puts its notification there, EventBridge its event, a Lambda destination
its record, a dead-letter queue of asynchronous invocations the event itself.
"""

from __future__ import annotations

from clew import wire
from clew.capture import attributes
from clew.capture.nested import Opened, open_message
from clew.capture.reading import Reading
from clew.capture.record import Record, members, moment_ms, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any

NAME = "aws:sqs"


def read(event: dict[str, Any]) -> Reading:
    """One `SqsRecord` per message."""
    return Reading(NAME, event, records=records_of(event["Records"]))


def records_of(raws: list[Any]) -> list[Record]:
    """The records that came as ``raws``, of any shape."""
    return [SqsRecord(raw) for raw in raws]


class SqsRecord(Record):
    """A message of an SQS queue.

    `payload` is the text that the sender sent: the body, or what was published where SNS wrapped
    it. Names follow the Lambda developer guide, "Using Lambda with Amazon SQS".
    """

    __slots__ = ("_opened",)

    def __init__(self, raw: Any) -> None:
        super().__init__(raw)
        self._opened: Opened | None = None

    def _open(self) -> Opened:
        if self._opened is None:
            own = self._raw.get("messageAttributes")
            self._opened = open_message(self.body, own, "stringValue")
        return self._opened

    def came_with(self) -> Iterable[tuple[object, object]]:
        yield wire.XRAY, self._system.get("AWSTraceHeader")
        yield from self._open().pairs
        yield from attributes.pairs(
            self._raw.get("messageAttributes"), "stringValue", "binaryValue"
        )

    @property
    def payload(self) -> str:
        """The text that the sender sent."""
        return self._open().message

    @property
    def data(self) -> bytes:
        """The payload in UTF-8."""
        return self.payload.encode("utf-8", "surrogatepass")

    @property
    def body(self) -> str:
        """The message's body, as it came."""
        return text(self._raw.get("body"))

    @property
    def attributes(self) -> dict[str, Any]:
        """The message attributes that the sender set itself, as the queue has them."""
        return attributes.without_clew(self._raw.get("messageAttributes"))

    @property
    def published_attributes(self) -> dict[str, Any]:
        """The message attributes that an SNS publisher set, where SNS wrapped the message."""
        return attributes.without_clew(self._open().notification.get("MessageAttributes"))

    @property
    def topic_arn(self) -> str:
        """The topic that the message came through, where SNS wrapped it, else ""."""
        return text(self._open().notification.get("TopicArn"))

    @property
    def message_id(self) -> str:
        """SQS's id of the message; what ``batchItemFailures`` wants."""
        return text(self._raw.get("messageId"))

    @property
    def receipt_handle(self) -> str:
        """What deletes the message or changes how long it stays hidden."""
        return text(self._raw.get("receiptHandle"))

    @property
    def queue_arn(self) -> str:
        """The queue's ARN."""
        return text(self._raw.get("eventSourceARN"))

    @property
    def group_id(self) -> str:
        """The message group whose messages keep their order (FIFO queues), else ""."""
        return text(self._system.get("MessageGroupId"))

    @property
    def deduplication_id(self) -> str:
        """The id by which a FIFO queue drops repeats, else ""."""
        return text(self._system.get("MessageDeduplicationId"))

    @property
    def sequence_number(self) -> str:
        """The message's place in its FIFO queue, else ""."""
        return text(self._system.get("SequenceNumber"))

    @property
    def receive_count(self) -> int:
        """How often the message was received, this time included; 0 where it does not say."""
        count = text(self._system.get("ApproximateReceiveCount"))
        return int(count) if count.isascii() and count.isdecimal() and len(count) < 10 else 0

    @property
    def sent_at(self) -> datetime | None:
        """When the queue took it (UTC), or None where the event does not say."""
        return moment_ms(self._system.get("SentTimestamp"))

    @property
    def failure(self) -> dict[str, str]:
        """Of an event that a function could not handle: request id, error code and message.

        Lambda sets them on what it puts into the dead-letter queue of an asynchronously invoked
        function (Lambda developer guide, "Adding a dead-letter queue"). Else empty.
        """
        own = self._raw.get("messageAttributes")
        if not attributes.failed_request(own, "stringValue"):
            return {}
        return {
            name: text(members(members(own).get(name)).get("stringValue"))
            for name in ("RequestID", "ErrorCode", "ErrorMessage")
        }

    @property
    def position(self) -> dict[str, str]:
        """The message id, and in a FIFO queue the group and the sequence number."""
        place = {"messageId": self.message_id}
        if self.group_id:
            place["messageGroupId"] = self.group_id
        if self.sequence_number:
            place["sequenceNumber"] = self.sequence_number
        return place

    @property
    def _raw(self) -> dict[str, Any]:
        return members(self.raw)

    @property
    def _system(self) -> dict[str, Any]:
        return members(self._raw.get("attributes"))

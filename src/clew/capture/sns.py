"""SNS: message attributes, one per field or all packed into one."""

from __future__ import annotations

from clew.capture import attributes
from clew.capture.reading import Reading
from clew.capture.record import Record, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

NAME = "aws:sns"


def read(event: dict[str, Any]) -> Reading:
    """One `SnsRecord` per record (Lambda delivers one at a time)."""
    return Reading(NAME, event, records=[SnsRecord(raw) for raw in event["Records"]])


class SnsRecord(Record):
    """A message of an SNS topic. `payload` is the message as it was published, always text."""

    __slots__ = ()

    def _pairs(self) -> Iterable[tuple[object, object]]:
        return attributes.pairs(self._sns.get("MessageAttributes"), "Value")

    @property
    def payload(self) -> str:
        """The message, as it was published."""
        return text(self._sns.get("Message"))

    @property
    def data(self) -> bytes:
        """The message in UTF-8."""
        return self.payload.encode("utf-8", "surrogatepass")

    @property
    def attributes(self) -> dict[str, Any]:
        """The message attributes that the publisher set itself."""
        return attributes.without_clew(self._sns.get("MessageAttributes"))

    @property
    def subject(self) -> str:
        """The subject, or ""."""
        return text(self._sns.get("Subject"))

    @property
    def message_id(self) -> str:
        """SNS's id of the message."""
        return text(self._sns.get("MessageId"))

    @property
    def topic_arn(self) -> str:
        """The topic's ARN."""
        return text(self._sns.get("TopicArn"))

    @property
    def position(self) -> dict[str, str]:
        """The message id."""
        return {"messageId": self.message_id}

    @property
    def _sns(self) -> dict[str, Any]:
        inner = self.raw.get("Sns") if isinstance(self.raw, dict) else None
        return inner if isinstance(inner, dict) else {}

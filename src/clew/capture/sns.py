"""SNS: message attributes, one per field or all packed into one.

A service that publishes (EventBridge, a Lambda destination) wraps the sender's payload into the
message, and sets no attributes: then the context inside the message counts.
"""

from __future__ import annotations

from clew.capture import attributes
from clew.capture.nested import Opened, open_message
from clew.capture.reading import Reading
from clew.capture.record import Record, members, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

NAME = "aws:sns"


def read(event: dict[str, Any]) -> Reading:
    """One `SnsRecord` per record (Lambda delivers one at a time)."""
    return Reading(NAME, event, records=records_of(event["Records"]))


def records_of(raws: list[Any]) -> list[Record]:
    """The records that came as ``raws``, of any shape."""
    return [SnsRecord(raw) for raw in raws]


class SnsRecord(Record):
    """A message of an SNS topic. `payload` is the message as it was published, always text."""

    __slots__ = ("_opened",)

    def __init__(self, raw: Any) -> None:
        super().__init__(raw)
        self._opened: Opened | None = None

    def _open(self) -> Opened:
        if self._opened is None:
            own = self._sns.get("MessageAttributes")
            self._opened = open_message(text(self._sns.get("Message")), own)
        return self._opened

    def came_with(self) -> Iterable[tuple[object, object]]:
        yield from self._open().pairs
        yield from attributes.pairs(self._sns.get("MessageAttributes"), "Value")

    @property
    def payload(self) -> str:
        """The message, as it was published."""
        return self._open().message

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
        return members(members(self.raw).get("Sns"))

"""Amazon MQ: the properties of ActiveMQ's messages, the headers of RabbitMQ's.

A message without them may have a context inside its JSON payload.
"""

from __future__ import annotations

from clew import wire
from clew.capture.encoded import EncodedRecord
from clew.capture.reading import Reading
from clew.capture.record import Record, members, moment_ms, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any

ACTIVE_MQ = "aws:mq"
RABBIT_MQ = "aws:rmq"


def read(event: dict[str, Any]) -> Reading:
    """One record per message, in the order of each queue."""
    if "rmqMessagesByQueue" not in event:
        return Reading(ACTIVE_MQ, event, records=active_mq(_listed(event["messages"])))
    records: list[Record] = []
    for queue, messages in event["rmqMessagesByQueue"].items():
        records += [RabbitMqRecord(raw, queue) for raw in _listed(messages)]
    return Reading(RABBIT_MQ, event, records=records)


def _listed(value: Any) -> list[Any]:
    """``value`` if it is a list, else a list of it alone."""
    return value if isinstance(value, list) else [value]


def active_mq(raws: list[Any]) -> list[Record]:
    """The messages of an ActiveMQ broker that came as ``raws``, of any shape."""
    return [ActiveMqRecord(raw) for raw in raws]


def rabbit_mq(raws: list[Any]) -> list[Record]:
    """The messages of a RabbitMQ broker, each of which names its queue, as in EventBridge Pipes."""
    return [RabbitMqRecord(raw, text(members(raw).get("eventSourceKey"))) for raw in raws]


class MqRecord(EncodedRecord):
    """A message of an Amazon MQ broker.

    `payload` is the JSON object that was sent (without the context), else the bytes. Names
    follow the Lambda developer guide, "Using Lambda with Amazon MQ".
    """

    __slots__ = ()

    def __init__(self, raw: Any) -> None:
        super().__init__(raw, members(raw).get("data"))

    def _set_by_sender(self) -> dict[str, Any]:
        """The message's own properties or headers."""
        raise NotImplementedError

    def came_with(self) -> Iterable[tuple[object, object]]:
        yield from super().came_with()
        for name, value in self._set_by_sender().items():
            yield _wire_name(name), _plain(value)

    @property
    def redelivered(self) -> bool:
        """Whether the broker delivered it before."""
        return self._raw.get("redelivered") is True


class ActiveMqRecord(MqRecord):
    """A message of an ActiveMQ queue."""

    __slots__ = ()

    def _set_by_sender(self) -> dict[str, Any]:
        return members(self._raw.get("properties"))

    @property
    def properties(self) -> dict[str, Any]:
        """The properties that the sender set itself."""
        return _without_clew(self._set_by_sender())

    @property
    def message_id(self) -> str:
        """The broker's id of the message."""
        return text(self._raw.get("messageID"))

    @property
    def queue(self) -> str:
        """The name of the queue that it was sent to."""
        destination = members(self._raw.get("destination"))
        # EventBridge Pipes writes it in lower case.
        return text(destination.get("physicalName", destination.get("physicalname")))

    @property
    def sent_at(self) -> datetime | None:
        """When it was sent (UTC), or None where the event does not say."""
        return moment_ms(self._raw.get("timestamp"))

    @property
    def position(self) -> dict[str, str]:
        """The message id and the queue."""
        return {"messageId": self.message_id, "queue": self.queue}


class RabbitMqRecord(MqRecord):
    """A message of a RabbitMQ queue. ``queue`` is ``queue::virtual host``, as Lambda names it."""

    __slots__ = ("queue",)

    def __init__(self, raw: Any, queue: str) -> None:
        super().__init__(raw)
        self.queue = queue

    def _set_by_sender(self) -> dict[str, Any]:
        return members(self.basic_properties.get("headers"))

    @property
    def headers(self) -> dict[str, Any]:
        """The headers that the sender set itself; texts are str."""
        own = _without_clew(self._set_by_sender())
        return {name: _plain(value) for name, value in own.items()}

    @property
    def basic_properties(self) -> dict[str, Any]:
        """AMQP's own properties of the message (``contentType``, ``messageId``, …)."""
        return members(self._raw.get("basicProperties"))

    @property
    def message_id(self) -> str:
        """The id that the sender gave it, or ""."""
        return text(self.basic_properties.get("messageId"))

    @property
    def position(self) -> dict[str, str]:
        """The queue, and the message id where the sender gave it one."""
        place = {"messageId": self.message_id, "queue": self.queue}
        return {name: value for name, value in place.items() if value}


def _wire_name(name: object) -> object:
    """A JMS property's name has to be one of Java's, which have underscores and no hyphens."""
    return name.replace("_", "-") if isinstance(name, str) else name


def _plain(value: Any) -> Any:
    """The text of a header that came as ``{"bytes": [...]}``; any other value as it is."""
    if not isinstance(value, dict) or "bytes" not in value:
        return value
    try:
        return bytes(number & 0xFF for number in value["bytes"]).decode("utf-8", "replace")
    except TypeError:
        return value


def _without_clew(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in values.items()
        if not wire.is_field(str(_wire_name(name)).lower())
    }

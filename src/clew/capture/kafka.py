"""Kafka, MSK's and self-managed: record headers, one per field or all packed into one.

A record without them may have a context inside its JSON value.
"""

from __future__ import annotations

import json
from binascii import a2b_base64

from clew import payload, wire
from clew.capture.encoded import EncodedRecord
from clew.capture.reading import Reading
from clew.capture.record import Record, members, moment_ms, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any

MANAGED = "aws:kafka"
SELF_MANAGED = "SelfManagedKafka"
#: Headers that are read beside clew's own fields.
_BESIDE = (wire.XRAY, wire.BAGGAGE)


def read(event: dict[str, Any]) -> Reading:
    """One `KafkaRecord` per record, in the order of each topic partition."""
    partitions = event["records"]
    groups = partitions.values() if isinstance(partitions, dict) else [partitions]
    raws = [raw for group in groups for raw in (group if isinstance(group, list) else [group])]
    return Reading(text(event["eventSource"]), event, records=records_of(raws))


def records_of(raws: list[Any]) -> list[Record]:
    """The records that came as ``raws``, of any shape."""
    return [KafkaRecord(raw) for raw in raws]


class KafkaRecord(EncodedRecord):
    """A record of a Kafka topic.

    `payload` is the JSON object that was produced (without the context), else the bytes; None
    for a tombstone. Names follow the Lambda developer guide, "Using Lambda with Amazon MSK".
    """

    __slots__ = ()

    def __init__(self, raw: Any) -> None:
        value = members(raw).get("value")
        super().__init__(raw, "" if value is None else value)

    def came_with(self) -> Iterable[tuple[object, object]]:
        yield from super().came_with()
        for name, value in self._headers():
            if name.lower() == wire.PACKED:
                yield from _unpack(value)
            elif wire.is_field(name.lower()) or name.lower() in _BESIDE:
                yield name, None if value is None else value.decode("ascii", "replace")

    @property
    def payload(self) -> Any:
        """The JSON object that was produced (a dict), else the bytes; None for a tombstone."""
        return None if self._raw.get("value") is None else super().payload

    @property
    def key(self) -> bytes | None:
        """The record's key, or None where it has none."""
        encoded = self._raw.get("key")
        try:
            return None if encoded is None else a2b_base64(encoded)
        except (TypeError, ValueError):
            return encoded.encode("utf-8", "surrogatepass") if isinstance(encoded, str) else None

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        """The headers that the producer set itself, in order; a name may come several times."""
        return [
            (name, value)
            for name, value in self._headers()
            if value is not None and name.lower() != wire.PACKED and not wire.is_field(name.lower())
        ]

    @property
    def topic(self) -> str:
        """The topic's name."""
        return text(self._raw.get("topic"))

    @property
    def partition(self) -> int:
        """The partition's number; -1 where the event does not say."""
        return _number(self._raw.get("partition"))

    @property
    def offset(self) -> int:
        """The record's place in its partition; -1 where the event does not say."""
        return _number(self._raw.get("offset"))

    @property
    def arrived(self) -> datetime | None:
        """The record's timestamp (UTC): the producer's or the broker's, as the topic is set."""
        return moment_ms(self._raw.get("timestamp"))

    @property
    def position(self) -> dict[str, str]:
        """The topic, the partition and the offset."""
        return {
            "topic": self.topic,
            "partition": str(self.partition),
            "offset": str(self.offset),
        }

    def _headers(self) -> Iterable[tuple[str, bytes | None]]:
        """(name, bytes) of each header; None for what is no list of bytes."""
        listed = self._raw.get("headers")
        for header in listed if isinstance(listed, list) else ():
            for name, numbers in header.items() if isinstance(header, dict) else ():
                yield name, _bytes(numbers)


def _bytes(numbers: Any) -> bytes | None:
    """A list of bytes, which Java writes from -128 to 127."""
    try:
        return bytes(number & 0xFF for number in numbers)
    except TypeError:
        return None


def _unpack(value: bytes | None) -> list[tuple[object, object]]:
    try:
        return payload.pairs(json.loads(value or b""))
    except (ValueError, RecursionError):
        return [wire.UNREADABLE]


def _number(value: Any) -> int:
    return value if isinstance(value, int) else -1

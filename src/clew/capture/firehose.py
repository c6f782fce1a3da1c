"""Firehose data transformation: a context inside each record's JSON payload.

Firehose takes apart what the Kinesis Producer Library put together before it calls a function.
"""

from __future__ import annotations

from clew.capture.encoded import EncodedRecord
from clew.capture.reading import Reading
from clew.capture.record import members, moment_ms, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from clew.capture.record import Record

NAME = "aws:firehose"


def matches(event: dict[str, Any]) -> bool:
    """Whether ``event`` is a batch to transform."""
    return isinstance(event.get("records"), list) and "deliveryStreamArn" in event


def read(event: dict[str, Any]) -> Reading:
    """One `FirehoseRecord` per record."""
    stream_arn = text(event.get("deliveryStreamArn"))
    records: list[Record] = [FirehoseRecord(raw, stream_arn) for raw in event["records"]]
    return Reading(NAME, event, records=records)


class FirehoseRecord(EncodedRecord):
    """A record on its way through a Firehose stream.

    `payload` is the JSON object that was put (without the context), else the bytes. Names follow
    the Firehose developer guide, "Transform source data".
    """

    __slots__ = ("delivery_stream_arn",)
    _all_in_context = True

    def __init__(self, raw: Any, delivery_stream_arn: str) -> None:
        super().__init__(raw, members(raw).get("data"))
        #: The Firehose stream's ARN.
        self.delivery_stream_arn = delivery_stream_arn

    @property
    def raw_data(self) -> object:
        """The data as Firehose sent it, in base64."""
        return self._raw.get("data")

    @property
    def record_id(self) -> str:
        """What names the record in the answer to Firehose."""
        return text(self._raw.get("recordId"))

    @property
    def partition_key(self) -> str:
        """The key in the Kinesis stream that Firehose read it from, else ""."""
        return text(self._kinesis.get("partitionKey"))

    @property
    def sequence_number(self) -> str:
        """The place in the Kinesis stream that Firehose read it from, else ""."""
        return text(self._kinesis.get("sequenceNumber"))

    @property
    def shard_id(self) -> str:
        """The shard of the Kinesis stream that Firehose read it from, else ""."""
        return text(self._kinesis.get("shardId"))

    @property
    def arrived(self) -> datetime | None:
        """When Firehose took it (UTC), or None where the event does not say."""
        return moment_ms(self._raw.get("approximateArrivalTimestamp"))

    @property
    def position(self) -> dict[str, str]:
        """The record id, and where Firehose read it from a stream its place there."""
        place = {
            "recordId": self.record_id,
            "shardId": self.shard_id,
            "sequenceNumber": self.sequence_number,
        }
        return {name: value for name, value in place.items() if value}

    @property
    def _kinesis(self) -> dict[str, Any]:
        return members(self._raw.get("kinesisRecordMetadata"))

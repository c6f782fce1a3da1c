"""Kinesis data streams: a context inside each record's JSON payload.

Of a record that the Kinesis Producer Library put together, each of its user records is one.
"""

from __future__ import annotations

from json.encoder import encode_basestring_ascii as quote

from clew.capture.encoded import EncodedRecord
from clew.capture.reading import Reading
from clew.capture.record import moment, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from clew import payload
    from clew.capture.kpl import UserRecord
    from clew.capture.record import Record

NAME = "aws:kinesis"
#: How the base64 of a record begins that the Kinesis Producer Library put together.
_AGGREGATED = "84maw"


def read(event: dict[str, Any]) -> Reading:
    """One `KinesisRecord` per record, or per user record."""
    return Reading(NAME, event, records=records_of(event["Records"]))


def records_of(raws: list[Any]) -> list[Record]:
    """The records that came as ``raws``, of any shape."""
    records: list[Record] = []
    for raw in raws:
        record = KinesisRecord(raw)
        data = record.kinesis.get("data")
        if type(data) is str and data.startswith(_AGGREGATED):
            records += record.user_records() or [record]
        else:
            records.append(record)
    return records


class KinesisRecord(EncodedRecord):
    """A record of a Kinesis data stream.

    `payload` is the JSON object that the producer put (without the context), else the bytes.
    Names follow the Kinesis API reference, "Record". Of those that the Kinesis Producer Library
    put together, each has its own `partition_key` and `sub_sequence_number`, and all have the
    `sequence_number` of the one that they came in.
    """

    __slots__ = ("_user_record", "kinesis")

    def __init__(self, raw: Any, user_record: UserRecord | None = None) -> None:
        super().__init__(raw)
        self._user_record = user_record
        # EventBridge Pipes has the members of ``kinesis`` in the record itself.
        inner = raw.get("kinesis", raw) if isinstance(raw, dict) else None
        #: The members that Kinesis gave it (of any type: events may be malformed).
        self.kinesis: dict[str, Any] = inner if isinstance(inner, dict) else {}

    def user_records(self) -> list[KinesisRecord]:
        """The records that this one was put together of; none where it was not."""
        from clew.capture import kpl

        found = kpl.user_records(self.data)
        if found is None:
            self.problem = "a record begins as one of the Kinesis Producer Library and is none"
        return [KinesisRecord(self.raw, one) for one in found or ()]

    def _encoded(self) -> object:
        return self.kinesis.get("data")

    def _open(self) -> payload.Taken:
        if self._taken is None and self._user_record is not None:
            self._taken = self._split(self._user_record.data)
        return super()._open()

    @property
    def partition_key(self) -> str:
        """The key whose records keep their order."""
        if self._user_record is not None:
            return self._user_record.partition_key
        return text(self.kinesis.get("partitionKey"))

    @property
    def explicit_hash_key(self) -> str:
        """The hash key that the producer set instead of the partition key's, or "".

        Only known of records that the Kinesis Producer Library put together.
        """
        return self._user_record.explicit_hash_key if self._user_record is not None else ""

    @property
    def sequence_number(self) -> str:
        """The record's place in its shard."""
        return text(self.kinesis.get("sequenceNumber"))

    @property
    def sub_sequence_number(self) -> int | None:
        """The user record's place in the record that it came in, from 0; None where it is one."""
        return self._user_record.number if self._user_record is not None else None

    @property
    def shard_id(self) -> str:
        """The shard that it came from."""
        return text(self._raw.get("eventID")).partition(":")[0]

    @property
    def stream_arn(self) -> str:
        """The stream's ARN."""
        return text(self._raw.get("eventSourceARN"))

    @property
    def arrived(self) -> datetime | None:
        """When the stream took it (UTC), or None where the event does not say."""
        return moment(self.kinesis.get("approximateArrivalTimestamp"))

    @property
    def place(self) -> str:
        number = self.kinesis.get("sequenceNumber")
        if self._user_record is None and type(number) is str and number.isalnum():
            shard, _, _ = text(self._raw.get("eventID")).partition(":")
            return f',"shardId":{quote(shard)},"sequenceNumber":{quote(number)}'
        return super().place

    @property
    def position(self) -> dict[str, str]:
        """The shard id and the sequence number, and of a user record its place in that."""
        place = {"shardId": self.shard_id, "sequenceNumber": self.sequence_number}
        if self._user_record is not None:
            place["subSequenceNumber"] = str(self._user_record.number)
        return place

"""Kinesis data streams: a context inside each record's JSON payload.

Of a record that the Kinesis Producer Library put together, each of its user records is one.
"""

from __future__ import annotations

from clew.capture.as_came import told_by
from clew.capture.encoded import EncodedRecord
from clew.capture.reading import Reading
from clew.capture.record import moment, text
from clew.capture.several import Rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from clew import payload
    from clew.capture.as_came import Told
    from clew.capture.kpl import UserRecord
    from clew.capture.record import Record

NAME = "aws:kinesis"
#: How the base64 of a record begins that the Kinesis Producer Library put together.
_AGGREGATED = "84maw"
#: More characters than Kinesis gives a shard's id or a sequence number (API reference, "Record").
_LONGEST = 128


def read(event: dict[str, Any]) -> Reading:
    """One `KinesisRecord` per record, or per user record."""
    return Reading(NAME, event, records=records_of(event["Records"]))


def records_of(raws: list[Any]) -> list[Record]:
    """The records that came as ``raws``, of any shape."""
    records: list[Record] = []
    for raw in raws:
        record = KinesisRecord(raw)
        data = record._encoded
        if type(data) is str and data.startswith(_AGGREGATED):
            records += record.user_records() or [record]
        else:
            records.append(record)
    return records


def _is_fresh(record: KinesisRecord) -> bool:
    """Whether nothing came with it, nobody looked at what it got, and its id can be told."""
    return record._came() is None and record._unseen and record.arrival.names_records


class KinesisRecord(EncodedRecord):
    """A record of a Kinesis data stream.

    `payload` is the JSON object that the producer put (without the context), else the bytes.
    Names follow the Kinesis API reference, "Record". Of those that the Kinesis Producer Library
    put together, each has its own `partition_key` and `sub_sequence_number`, and all have the
    `sequence_number` of the one that they came in.
    """

    __slots__ = ("_user_record", "kinesis")
    _all_in_context = True

    def __init__(self, raw: Any, user_record: UserRecord | None = None) -> None:
        # EventBridge Pipes has the members of ``kinesis`` in the record itself.
        inner = raw.get("kinesis", raw) if isinstance(raw, dict) else None
        #: The members that Kinesis gave it (of any type: events may be malformed).
        self.kinesis: dict[str, Any] = inner if isinstance(inner, dict) else {}
        self._user_record = user_record
        EncodedRecord.__init__(self, raw, self.kinesis.get("data") if user_record is None else None)

    def user_records(self) -> list[KinesisRecord]:
        """The records that this one was put together of; none where it was not."""
        from clew.capture import kpl

        found = kpl.user_records(self.data)
        if found is None:
            self.problem = "a record begins as one of the Kinesis Producer Library and is none"
        return [KinesisRecord(self.raw, one) for one in found or ()]

    def _take(self) -> payload.Taken:
        user_record = self._user_record
        return super()._take() if user_record is None else self._split(user_record.data)

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

    @staticmethod
    def _rows(records: list[KinesisRecord], told: Told | None) -> Rows | None:
        if told is None:
            contexts = [one._came() for one in records]
            told = told_by(contexts)
            if told is None and not all(map(_is_fresh, records)):
                return None
        try:
            numbers = [one.kinesis["sequenceNumber"] for one in records]
            shard_id, numbers_text = records[0].shard_id, "".join(numbers)
            # Of one shard all of them: it stands in the id of each event before the number.
            events = f"{shard_id}:".join(["", *numbers])
            if (
                len(shard_id) <= _LONGEST
                and len(numbers_text) <= _LONGEST * len(records)
                and numbers_text.isascii()
                and numbers_text.encode().isalnum()
                and events == "".join([one.raw["eventID"] for one in records])
                and not any(one._user_record for one in records)
            ):
                return Rows(shard_id, numbers, told)
        except (AttributeError, KeyError, TypeError):  # the event is malformed
            pass
        return None

    @property
    def position(self) -> dict[str, str]:
        """The shard id and the sequence number, and of a user record its place in that."""
        place = {"shardId": self.shard_id, "sequenceNumber": self.sequence_number}
        if self._user_record is not None:
            place["subSequenceNumber"] = str(self._user_record.number)
        return place

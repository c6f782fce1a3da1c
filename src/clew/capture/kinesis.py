"""Kinesis data streams: a context inside each record's JSON payload."""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64
from datetime import UTC, datetime

from clew import payload
from clew.capture.reading import Reading
from clew.capture.record import Record, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAME = "aws:kinesis"


def read(event: dict[str, Any]) -> Reading:
    """One `KinesisRecord` per record."""
    return Reading(NAME, event, records=[KinesisRecord(raw) for raw in event["Records"]])


class KinesisRecord(Record):
    """A record of a Kinesis data stream.

    `payload` is the JSON object that the producer put (without the context), else the bytes.
    Names follow the Kinesis API reference, "Record".
    """

    __slots__ = ("_taken",)

    def __init__(self, raw: Any) -> None:
        super().__init__(raw)
        self._taken: payload.Taken | None = None

    def _open(self) -> payload.Taken:
        if self._taken is None:
            encoded = self._kinesis.get("data")
            try:
                data = a2b_base64(encoded, strict_mode=True)  # type: ignore[arg-type]
            except (Base64Error, TypeError, ValueError):
                # Not base64: the handler gets what came, untouched.
                self.problem = "a record's data is not base64"
                data = encoded.encode("utf-8", "surrogatepass") if isinstance(encoded, str) else b""
                self._taken = payload.Taken(data, None, None)
            else:
                self._taken = taken = payload.take(data)
                if taken.value is None and payload.looks_like_object(data):
                    self.problem = "a record's data begins as a JSON object and is none"
        return self._taken

    def _pairs(self) -> list[tuple[object, object]]:
        return payload.pairs(self._open().context)

    @property
    def payload(self) -> Any:
        """The JSON object that was put (a dict), or the bytes where it is anything else."""
        taken = self._open()
        return taken.data if taken.value is None else taken.value

    @property
    def data(self) -> bytes:
        """The bytes that the producer put."""
        return self._open().data

    @property
    def partition_key(self) -> str:
        """The key whose records keep their order."""
        return text(self._kinesis.get("partitionKey"))

    @property
    def sequence_number(self) -> str:
        """The record's place in its shard."""
        return text(self._kinesis.get("sequenceNumber"))

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
        seconds = self._kinesis.get("approximateArrivalTimestamp")
        try:
            return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
        except (OverflowError, OSError, TypeError, ValueError):
            return None

    @property
    def position(self) -> dict[str, str]:
        """The shard id and the sequence number."""
        return {"shardId": self.shard_id, "sequenceNumber": self.sequence_number}

    @property
    def _raw(self) -> dict[str, Any]:
        return self.raw if isinstance(self.raw, dict) else {}

    @property
    def _kinesis(self) -> dict[str, Any]:
        inner = self._raw.get("kinesis")
        return inner if isinstance(inner, dict) else {}

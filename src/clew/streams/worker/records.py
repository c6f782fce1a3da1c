"""Records on their way, and the events they become: the exact shape that Lambda gives.

Shapes: the Lambda developer guide, "Using Lambda to process records from Amazon Kinesis Data
Streams" and "Using AWS Lambda with Amazon DynamoDB".
"""

from __future__ import annotations

import json
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from contextlib import suppress
from copy import deepcopy
from datetime import datetime
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from zlib import crc32

from clew.streams.worker.filters import read_json

if TYPE_CHECKING:
    from clew.streams.worker.settings import Source

# What a shard id and a time take in JSON, with something to spare.
_SHARD_AND_TIME = 45
_DYNAMODB_FRAME = 300


class StreamRecord(NamedTuple):
    """One record as it was read. Cheap to make: there are millions."""

    sequence: str
    #: What keeps its order: the partition key, or the item's keys.
    key: str
    #: When the stream took it, in seconds since the epoch.
    arrived: float
    #: Kinesis: the data in base64. DynamoDB: the record as an event has it.
    body: Any
    #: Bytes of its JSON in an event, roughly and never too few.
    size: int


class Shape(Protocol):
    """How the records of one kind of stream are read and turned into events."""

    def read(self, raw: dict[str, Any]) -> StreamRecord:
        """A record as the service's client gave it."""

    def event(self, record: StreamRecord, shard_id: str) -> dict[str, Any]:
        """The record in a Lambda event."""

    def matchable(self, record: StreamRecord, shard_id: str) -> dict[str, Any]:
        """The record as filter patterns look at it."""


def shape_of(source: Source, role_arn: str = "") -> Shape:
    """The shape of a source's records. ``role_arn`` is the function's, told in Kinesis events."""
    return KinesisShape(source, role_arn) if source.service == "kinesis" else DynamoDBShape(source)


class KinesisShape:
    """Records of a Kinesis data stream."""

    def __init__(self, source: Source, role_arn: str = "") -> None:
        self._arn = source.arn
        self._region = source.region
        account = source.arn.split(":")[4]
        self._role = role_arn or f"arn:aws:iam::{account}:role/lambda-role"
        empty = self.event(StreamRecord("", "", 0.0, "", 0), "")
        self._frame = len(json.dumps(empty, separators=(",", ":"))) + _SHARD_AND_TIME

    def read(self, raw: dict[str, Any]) -> StreamRecord:
        """A record of GetRecords or SubscribeToShard."""
        data = raw["Data"]
        if type(data) is bytes:
            data = b2a_base64(data, newline=False).decode("ascii")
        arrived = raw["ApproximateArrivalTimestamp"]
        if type(arrived) is not float:
            arrived = _seconds(arrived)
        key, sequence = raw["PartitionKey"], raw["SequenceNumber"]
        size = self._frame + len(data) + len(encode_basestring_ascii(key)) + 2 * len(sequence)
        return StreamRecord(sequence, key, arrived, data, size)

    def event(self, record: StreamRecord, shard_id: str) -> dict[str, Any]:
        """The record in a Lambda event."""
        sequence = record.sequence
        return {
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": record.key,
                "sequenceNumber": sequence,
                "data": record.body,
                "approximateArrivalTimestamp": record.arrived,
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"{shard_id}:{sequence}",
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": self._role,
            "awsRegion": self._region,
            "eventSourceARN": self._arn,
        }

    def matchable(self, record: StreamRecord, shard_id: str) -> dict[str, Any]:
        """Metadata at the top, beside ``data`` as JSON; data that is not JSON is left out."""
        event = self.event(record, shard_id)
        kinesis = event.pop("kinesis")
        del kinesis["data"]
        event.update(kinesis)
        with suppress(Base64Error, ValueError):
            event["data"] = read_json(a2b_base64(record.body))
        return event


class DynamoDBShape:
    """Records of a DynamoDB stream."""

    def __init__(self, source: Source) -> None:
        self._arn = source.arn

    def read(self, raw: dict[str, Any]) -> StreamRecord:
        """A record of GetRecords, as it is on the wire: numbers are numbers, bytes are base64."""
        body = {**raw, "dynamodb": dict(raw["dynamodb"]), "eventSourceARN": self._arn}
        change = body["dynamodb"]
        arrived = _seconds(change["ApproximateCreationDateTime"])
        # Lambda gives whole seconds as they are in the stream.
        change["ApproximateCreationDateTime"] = int(arrived) if arrived.is_integer() else arrived
        size = 2 * int(change.get("SizeBytes") or 0)
        return StreamRecord(
            change["SequenceNumber"],
            repr(sorted(change.get("Keys", {}).items())),
            arrived,
            body,
            max(size, len(repr(body))) + _DYNAMODB_FRAME,
        )

    def event(self, record: StreamRecord, shard_id: str) -> dict[str, Any]:  # noqa: ARG002
        """The record in a Lambda event; its own copy, for handlers that change what they get."""
        event: dict[str, Any] = deepcopy(record.body)
        return event

    def matchable(self, record: StreamRecord, shard_id: str) -> dict[str, Any]:  # noqa: ARG002
        """The record; attribute values are strings in it, numbers too."""
        body: dict[str, Any] = record.body
        return body


def lane_of(record: StreamRecord, lanes: int) -> int:
    """Which of several lanes a record runs in: the same for a key in every process."""
    return crc32(record.key.encode("utf-8", "surrogatepass")) % lanes


def _seconds(moment: Any) -> float:
    return moment.timestamp() if isinstance(moment, datetime) else float(moment)

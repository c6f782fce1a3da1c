"""Reads Kinesis and DynamoDB streams: the calls, and what their errors mean."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from clew.streams.worker.errors import WorkerError
from clew.streams.worker.settings import AT_TIMESTAMP
from clew.streams.worker.shards import Shard

if TYPE_CHECKING:
    from collections.abc import Iterator

    import boto3

    from clew.streams.worker.clock import Clock
    from clew.streams.worker.settings import Source

_CONFIG = Config(
    retries={"total_max_attempts": 1, "mode": "standard"},  # the reader waits by its own rules
    connect_timeout=5,
    read_timeout=30,
    tcp_keepalive=True,
    max_pool_connections=64,
)


class ReadError(Exception):
    """A read failed; it may be tried again."""


class ThrottledError(ReadError):
    """The shard's reads are used up for now, by this reader or another."""


class IteratorExpiredError(ReadError):
    """The iterator is too old."""


class TrimmedError(ReadError):
    """What was to be read next is not in the stream any more."""


class ShardGoneError(ReadError):
    """There is no such shard any more."""


class StreamGoneError(ReadError):
    """There is no such stream any more."""


class WrongPositionError(ReadError):
    """The sequence number is not one of this shard."""


class Page(NamedTuple):
    """What one read gave."""

    records: list[dict[str, Any]]
    #: Where to go on, or None at the end of a closed shard.
    iterator: str | None
    #: Milliseconds behind the newest record, or -1 where the service does not say.
    behind_ms: int
    #: Bytes of the answer.
    size: int


class ShardReads(Protocol):
    """Reads the shards of a stream, page by page."""

    #: Records in a read, at most.
    most_records: int
    #: Whether there are iterators at a point in time.
    reads_from_a_time: bool
    #: Whether a read waits for records by itself, and is not limited.
    pushed: bool

    def iterator(self, shard_id: str, position: str, at: float = 0.0, sequence: str = "") -> str:
        """An iterator of a type of GetShardIterator. Raises `ReadError`."""

    def page(self, iterator: str, limit: int) -> Page:
        """The next records. Raises `ReadError`."""

    def cancel(self) -> None:
        """Let a read that waits come back; from another thread."""

    def close(self) -> None:
        """Nothing more is read; from the thread that reads."""


class StreamSource(Protocol):
    """A stream of one kind."""

    def identity(self) -> str:
        """What tells this stream from another of the same name. Raises `WorkerError`."""

    def shards(self) -> list[Shard]:
        """All shards that the service lists. Raises `ReadError`."""

    def reads(self) -> ShardReads:
        """What reads one shard."""


def open_source(session: boto3.Session, source: Source, clock: Clock) -> StreamSource:
    """The reader of a source's kind."""
    if source.service == "kinesis":
        return KinesisSource(session, source, clock)
    return DynamoDBSource(session, source, clock)


class KinesisSource:
    """A Kinesis data stream."""

    most_records = 10_000  # "Limit" in the API reference, "GetRecords"
    reads_from_a_time = True
    pushed = False

    def __init__(self, session: boto3.Session, source: Source, clock: Clock) -> None:
        self._source = source
        self._arn = source.stream_arn
        self._name = source.name
        self._client: Any = session.client("kinesis", region_name=source.region, config=_CONFIG)
        self._wire = _Wire(self._client, "kinesis", clock)

    def identity(self) -> str:
        """The stream's ARN and when it was created."""
        with _told(f"the Kinesis stream {self._name}"):
            summary = self._client.describe_stream_summary(StreamARN=self._arn)
        described = summary["StreamDescriptionSummary"]
        created = int(described["StreamCreationTimestamp"].timestamp())
        return f"{described['StreamARN']}#{created}"

    def shards(self) -> list[Shard]:
        """All shards that the service lists."""
        found: list[Shard] = []
        request: dict[str, Any] = {"StreamARN": self._arn}
        while request:
            with self.reading():
                answer = self._client.list_shards(**request)
            found += [_kinesis_shard(raw) for raw in answer["Shards"]]
            token = answer.get("NextToken")
            request = {"NextToken": token} if token else {}
        return found

    def iterator(self, shard_id: str, position: str, at: float = 0.0, sequence: str = "") -> str:
        """An iterator."""
        request: dict[str, Any] = {
            "StreamARN": self._arn,
            "ShardId": shard_id,
            "ShardIteratorType": position,
        }
        if sequence:
            request["StartingSequenceNumber"] = sequence
        if position == AT_TIMESTAMP:
            request["Timestamp"] = datetime.fromtimestamp(at, UTC)
        with self.reading():
            iterator: str = self._client.get_shard_iterator(**request)["ShardIterator"]
        return iterator

    def page(self, iterator: str, limit: int) -> Page:
        """The next records."""
        with self.reading():
            answer = self._client.get_records(
                StreamARN=self._arn, ShardIterator=iterator, Limit=limit
            )
        return self._wire.page(answer)

    def cancel(self) -> None:
        """A read never waits."""

    def close(self) -> None:
        """The client is that of all shards."""

    def reads(self) -> ShardReads:
        """What reads one shard: this, or what a registered consumer is pushed."""
        if not self._source.enhanced_fan_out:
            return self
        from clew.streams.worker.fanout import FanOutReads

        return FanOutReads(self._client, self._source.arn, self.reading)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Raises what an error means for reading."""
        with _meaning():
            try:
                yield
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceNotFoundException":
                    raise
                raise self._gone(error) from error

    def _gone(self, error: ClientError) -> ReadError:
        """The same error says that a shard is gone and that the stream is."""
        try:
            self._client.describe_stream_summary(StreamARN=self._arn)
        except ClientError as inner:
            if inner.response["Error"]["Code"] == "ResourceNotFoundException":
                return StreamGoneError(f"the Kinesis stream {self._name} is gone")
            return ReadError(str(inner))
        return ShardGoneError(str(error))


class DynamoDBSource:
    """A DynamoDB stream."""

    most_records = 1_000
    reads_from_a_time = False
    pushed = False

    def __init__(self, session: boto3.Session, source: Source, clock: Clock) -> None:
        self._arn = source.stream_arn
        self._name = source.name
        self._client: Any = session.client(
            "dynamodbstreams", region_name=source.region, config=_CONFIG
        )
        self._wire = _Wire(self._client, "dynamodb-streams", clock)

    def identity(self) -> str:
        """The stream's ARN, which has its creation time in it."""
        with _told(f"the stream of the DynamoDB table {self._name}"):
            self._client.describe_stream(StreamArn=self._arn, Limit=1)
        return self._arn

    def shards(self) -> list[Shard]:
        """All shards that the service lists."""
        found: list[Shard] = []
        request: dict[str, Any] = {"StreamArn": self._arn}
        while True:
            with self._reading():
                answer = self._client.describe_stream(**request)["StreamDescription"]
            found += [_dynamodb_shard(raw) for raw in answer["Shards"]]
            if not (last := answer.get("LastEvaluatedShardId")):
                return found
            request["ExclusiveStartShardId"] = last

    def iterator(self, shard_id: str, position: str, at: float = 0.0, sequence: str = "") -> str:  # noqa: ARG002
        """An iterator. There is none at a point in time."""
        request = {"StreamArn": self._arn, "ShardId": shard_id, "ShardIteratorType": position}
        if sequence:
            request["SequenceNumber"] = sequence
        with self._reading():
            iterator: str = self._client.get_shard_iterator(**request)["ShardIterator"]
        return iterator

    def page(self, iterator: str, limit: int) -> Page:
        """The next records."""
        with self._reading():
            answer = self._client.get_records(ShardIterator=iterator, Limit=limit)
        return self._wire.page(answer)

    def cancel(self) -> None:
        """A read never waits."""

    def close(self) -> None:
        """The client is that of all shards."""

    def reads(self) -> ShardReads:
        """What reads one shard."""
        return self

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with _meaning():
            try:
                yield
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceNotFoundException":
                    raise
                if "shard" in error.response["Error"].get("Message", "").lower():
                    raise ShardGoneError(str(error)) from error
                raise StreamGoneError(f"the DynamoDB stream {self._arn} is gone") from error


class _Wire:
    """Takes the records of GetRecords as they are on the wire.

    botocore checks every field of every record against the service's model and makes datetimes
    and bytes of what becomes a number and base64 again in the event. That costs several times
    more than all the rest of the work.
    """

    def __init__(self, client: Any, service: str, clock: Clock) -> None:
        self._clock = clock
        client.meta.events.register(f"before-parse.{service}.GetRecords", self._before_parse)

    def _before_parse(
        self,
        response_dict: dict[str, Any],
        customized_response_dict: dict[str, Any],
        **_others: Any,
    ) -> None:
        if response_dict["status_code"] != 200:
            return
        body = response_dict["body"]
        answer = json.loads(body)
        customized_response_dict.update(answer, size=len(body))
        response_dict["body"] = b"{}"

    def page(self, answer: dict[str, Any]) -> Page:
        """The page in what the client returned."""
        if date := answer["ResponseMetadata"]["HTTPHeaders"].get("date"):
            self._clock.saw(date)
        return Page(
            answer.get("Records") or [],
            answer.get("NextShardIterator"),
            answer.get("MillisBehindLatest", -1),
            answer.get("size", 0),
        )


def _kinesis_shard(raw: dict[str, Any]) -> Shard:
    parents = (raw.get("ParentShardId"), raw.get("AdjacentParentShardId"))
    numbers = raw.get("SequenceNumberRange", {})
    return Shard(
        raw["ShardId"],
        tuple(parent for parent in parents if parent),
        numbers.get("StartingSequenceNumber", ""),
        bool(numbers.get("EndingSequenceNumber")),
    )


def _dynamodb_shard(raw: dict[str, Any]) -> Shard:
    parent = raw.get("ParentShardId")
    # The first number of a shard moves as its records are trimmed, so it tells nothing apart.
    closed = bool(raw.get("SequenceNumberRange", {}).get("EndingSequenceNumber"))
    return Shard(raw["ShardId"], (parent,) if parent else (), "", closed)


_MEANINGS: dict[str, type[ReadError]] = {
    "ProvisionedThroughputExceededException": ThrottledError,
    "LimitExceededException": ThrottledError,
    "KMSThrottlingException": ThrottledError,
    "ThrottlingException": ThrottledError,
    "ExpiredIteratorException": IteratorExpiredError,
    "TrimmedDataAccessException": TrimmedError,
    "InvalidArgumentException": WrongPositionError,
}


@contextmanager
def _meaning() -> Iterator[None]:
    """Turns the client's errors into what they mean for reading."""
    try:
        yield
    except ClientError as error:
        meaning = _MEANINGS.get(error.response["Error"]["Code"], ReadError)
        raise meaning(str(error)) from error
    except BotoCoreError as error:
        raise ReadError(str(error)) from error


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Turns the client's errors into a sentence, where nothing can begin without an answer."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            raise WorkerError(f"There is no such stream as {what}; create it first.") from None
        raise WorkerError(f"AWS does not tell about {what}: {error}") from error
    except BotoCoreError as error:
        raise WorkerError(f"{what[0].upper()}{what[1:]} cannot be reached: {error}.") from error

"""What each event source keeps in order, and how it is told which records are left over.

Lambda developer guide, "Configuring partial batch response" of Kinesis, DynamoDB and Kafka and
"Handling errors for an SQS event source in Lambda".
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable
    from typing import Any, Protocol

    from clew.capture import Record

    class Source(Protocol):
        """How records of one source are kept in order and reported."""

        #: As an event names it; the first of `clew.capture`'s names for it.
        name: str
        #: Whether a record that is returned stops all others, where they run one at a time.
        stops_all: bool
        #: Whether it reads what a function returns.
        reports: bool

        def key(self, record: Any) -> Hashable:
            """Records with the same one keep their order."""

        def scope(self, record: Any) -> Hashable:
            """What stops where a record is returned and records run one at a time."""

        def identifier(self, record: Any) -> object:
            """What names a record in ``batchItemFailures``."""

        def reported(self, returned: Iterable[Any]) -> list[Any]:
            """Of the records that are returned, in their order, those that have to be named."""


class KinesisSource:
    """Order per partition key; the stream goes on from the first record that is named."""

    name = "aws:kinesis"
    stops_all = True
    reports = True

    @staticmethod
    def key(record: Any) -> Hashable:
        """The partition key."""
        return record.partition_key  # type: ignore[no-any-return]

    @staticmethod
    def scope(_record: Any) -> Hashable:
        """The shard."""
        return None

    @staticmethod
    def identifier(record: Any) -> object:
        """The sequence number."""
        return record.sequence_number

    @staticmethod
    def reported(returned: Iterable[Any]) -> list[Any]:
        """The first: the lowest sequence number."""
        return list(returned)[:1]


class DynamoDBSource(KinesisSource):
    """Order per item; the stream goes on from the first record that is named."""

    name = "aws:dynamodb"

    @staticmethod
    def key(record: Any) -> Hashable:
        """The item's primary key."""
        return repr(sorted(record.keys.items()))


class SqsSource:
    """A message group keeps its order (FIFO); other messages have none."""

    name = "aws:sqs"
    stops_all = False
    reports = True

    @staticmethod
    def key(record: Any) -> Hashable:
        """The message group of a FIFO queue, or the message itself.

        A standard queue's groups are for fairness among senders, not for order.
        """
        group: Hashable = record.group_id if record.queue_arn.endswith(".fifo") else record
        return group

    scope = key

    @staticmethod
    def identifier(record: Any) -> object:
        """The message id."""
        return record.message_id

    @staticmethod
    def reported(returned: Iterable[Any]) -> list[Any]:
        """All: those that are not named are deleted."""
        return list(returned)


class KafkaSource:
    """Order per key in a partition; a partition goes on from the first of its that is named."""

    name = "aws:kafka"
    stops_all = False
    reports = True

    @staticmethod
    def key(record: Any) -> Hashable:
        """The topic, the partition and the key; records without a key are kept in order too."""
        return record.topic, record.partition, record.key

    @staticmethod
    def scope(record: Any) -> Hashable:
        """The topic's partition."""
        return record.topic, record.partition

    @staticmethod
    def identifier(record: Any) -> object:
        """The partition as ``topic-number``, and the offset."""
        return {"partition": f"{record.topic}-{record.partition}", "offset": record.offset}

    @classmethod
    def reported(cls, returned: Iterable[Any]) -> list[Any]:
        """The first of each partition: the lowest offset."""
        lowest: dict[Hashable, Record] = {}
        for record in returned:
            lowest.setdefault(cls.scope(record), record)
        return list(lowest.values())


class SnsSource:
    """One message at a time, without an order; a failure is raised."""

    name = "aws:sns"
    stops_all = False
    reports = False

    @staticmethod
    def key(record: Any) -> Hashable:
        """The message itself."""
        return record  # type: ignore[no-any-return]

    scope = key

    @staticmethod
    def identifier(record: Any) -> object:
        """The message id."""
        return record.message_id

    @staticmethod
    def reported(returned: Iterable[Any]) -> list[Any]:
        """All."""
        return list(returned)


class OtherSource(KinesisSource):
    """Of an event that no handler of batches is for: one order, and all or nothing."""

    name = "unknown"

    @staticmethod
    def key(_record: Any) -> Hashable:
        """One for all."""
        return None

    @staticmethod
    def identifier(_record: Any) -> object:
        """To every source an empty one means the whole batch."""
        return ""


KINESIS, DYNAMODB, SQS, KAFKA, SNS = (
    KinesisSource(),
    DynamoDBSource(),
    SqsSource(),
    KafkaSource(),
    SnsSource(),
)
#: By the name that a delivery has.
BY_NAME: dict[str, Source] = {
    "aws:kinesis": KINESIS,
    "aws:dynamodb": DYNAMODB,
    "aws:sqs": SQS,
    "aws:kafka": KAFKA,
    "SelfManagedKafka": KAFKA,
    "aws:sns": SNS,
}


def source_of(delivered_by: str, expected: Source) -> Source:
    """Whose records they are that a handler got, whatever it is for."""
    if delivered_by == "unknown":  # they are taken for what the handler is for
        return expected
    return BY_NAME.get(delivered_by) or OtherSource()

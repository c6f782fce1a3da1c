"""The services' limits on what a message may hold, each with the page that gives it.

Sizes are bytes. A message is never pushed over one of them by what clew adds. Where a service
has two, the larger is for those who asked for it (a topic, a queue or a stream can be set so):
a message within the smaller one is kept within it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: SNS developer guide, "Amazon SNS message attributes": a subscription with raw delivery drops a
#: message with more than ten. SQS developer guide, "Amazon SQS message quotas": ten.
MESSAGE_ATTRIBUTES = 10
#: SNS API reference, "Publish" and "PublishBatch": 256 KiB, up to 1 MiB by the topic's
#: ``MaximumMessageSize``; attributes included, and of a batch together.
SNS_MESSAGE = (262_144, 1_048_576)
#: SQS API reference, "SendMessage" and "SendMessageBatch": 1 MiB, attributes included, and of a
#: batch together. A queue's ``MaximumMessageSize`` can be less, and 256 KiB is what most of them
#: were made with.
SQS_MESSAGE = (262_144, 1_048_576)
#: Kinesis developer guide, "Quotas and limits": a record may have 1 MiB by default, and up to
#: 10 MiB where the stream was set so; data before base64 and partition key together.
KINESIS_RECORD = (1_048_576, 10_485_760)
#: Kinesis API reference, "PutRecordsRequestEntry": a partition key has 256 characters.
KINESIS_KEY = 4 * 256
#: Kinesis API reference, "PutRecords": 10 MiB for the whole request, partition keys included.
KINESIS_REQUEST = 10_485_760
#: Firehose API reference, "Record": 1,000 KiB before base64. "PutRecordBatch": 4 MB in all.
FIREHOSE_RECORD = 1_024_000
FIREHOSE_REQUEST = 4_000_000
#: EventBridge user guide, "Calculating PutEvents event entry size": less than 256 KB; AWS Compute
#: Blog, "More room to build": 1 MB since January 2026. All entries of a request together.
EVENTBRIDGE_REQUEST = (262_143, 999_999)
#: EventBridge user guide, "Calculating PutEvents event entry size": what ``Time`` counts for.
EVENTBRIDGE_TIME = 14
#: Step Functions developer guide, "Quotas": input of an execution, as UTF-8.
STEP_FUNCTIONS_INPUT = 262_144
#: Lambda API reference, "Invoke": 6 MB synchronous, 1 MB asynchronous.
LAMBDA_PAYLOAD = 6_291_456
LAMBDA_EVENT_PAYLOAD = 1_048_576
#: DynamoDB developer guide, "Quotas": 400 KB an item, names and values together.
DYNAMODB_ITEM = 409_600
#: S3 user guide, "Working with object metadata": 2 KB of user-defined metadata, names and values.
S3_METADATA = 2_048


def room(own: int, limits: tuple[int, ...]) -> int:
    """How many bytes may be added to ``own``: up to the first of ``limits`` that holds it."""
    for limit in limits:
        if own <= limit:
            return limit - own
    return 0


def length(value: object) -> int:
    """Bytes of a text in UTF-8, or of bytes; 0 for what is neither."""
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
    return len(value) if isinstance(value, bytes | bytearray) else 0


def all_fit(all_data: list[Any], each: int, record: int, request: int) -> bool:
    """Whether nothing comes near a limit, at a glance: a character is at most 4 bytes.

    ``each`` is what a record has beside its data; ``record`` and ``request`` are the limits.
    """
    sizes = [*map(len, all_data)]
    return (
        4 * max(sizes, default=0) + each <= record and 4 * sum(sizes) + each * len(sizes) <= request
    )

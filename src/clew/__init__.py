"""clew: follow one request through every AWS Lambda function it touched.

Every public name is loaded when it is first used, so that importing clew costs a cold start
next to nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clew import streams as streams
    from clew.capture import Delivery as Delivery
    from clew.capture import Record as Record
    from clew.capture import capture as capture
    from clew.capture.alarm import Alarm as Alarm
    from clew.capture.alarm import alarm_in as alarm_in
    from clew.capture.cloudwatch_logs import LogEventRecord as LogEventRecord
    from clew.capture.dynamodb import DynamoDBRecord as DynamoDBRecord
    from clew.capture.firehose import FirehoseRecord as FirehoseRecord
    from clew.capture.kafka import KafkaRecord as KafkaRecord
    from clew.capture.kinesis import KinesisRecord as KinesisRecord
    from clew.capture.mq import ActiveMqRecord as ActiveMqRecord
    from clew.capture.mq import RabbitMqRecord as RabbitMqRecord
    from clew.capture.s3 import S3Record as S3Record
    from clew.capture.s3 import s3_records as s3_records
    from clew.capture.sns import SnsRecord as SnsRecord
    from clew.capture.sqs import SqsRecord as SqsRecord
    from clew.correlation import Correlation as Correlation
    from clew.correlation import bind as bind
    from clew.correlation import current as current
    from clew.correlation import use as use
    from clew.errors import ClewError as ClewError
    from clew.errors import LoopDetected as LoopDetected
    from clew.forward import instrument as instrument
    from clew.forward import uninstrument as uninstrument
    from clew.forward.stamp import stamp as stamp
    from clew.handlers.any import handler as handler
    from clew.handlers.api import api_handler as api_handler
    from clew.handlers.authorizer import authorizer_handler as authorizer_handler
    from clew.handlers.dynamodb import dynamodb_handler as dynamodb_handler
    from clew.handlers.firehose import DROP as DROP
    from clew.handlers.firehose import FAIL as FAIL
    from clew.handlers.firehose import Transformed as Transformed
    from clew.handlers.firehose import firehose_handler as firehose_handler
    from clew.handlers.kafka import kafka_handler as kafka_handler
    from clew.handlers.records import kinesis_handler as kinesis_handler
    from clew.handlers.records import sns_handler as sns_handler
    from clew.handlers.retry import retry_handler as retry_handler
    from clew.handlers.sqs import sqs_handler as sqs_handler
    from clew.log.logger import get_logger as get_logger
    from clew.streams.failure import PartialFailure as PartialFailure
    from clew.streams.idempotency import Idempotency as Idempotency
    from clew.streams.idempotency import idempotency as idempotency
    from clew.streams.policy import Policy as Policy
    from clew.streams.policy import dead_letter as dead_letter
    from clew.streams.policy import halt as halt
    from clew.streams.policy import retry as retry
    from clew.streams.policy import skip as skip
    from clew.trust import sign_debug as sign_debug

__version__ = "0.1.0"

_HOMES = {
    "ActiveMqRecord": "clew.capture.mq",
    "Alarm": "clew.capture.alarm",
    "ClewError": "clew.errors",
    "Correlation": "clew.correlation",
    "DROP": "clew.handlers.firehose",
    "Delivery": "clew.capture",
    "DynamoDBRecord": "clew.capture.dynamodb",
    "FAIL": "clew.handlers.firehose",
    "FirehoseRecord": "clew.capture.firehose",
    "Idempotency": "clew.streams.idempotency",
    "KafkaRecord": "clew.capture.kafka",
    "KinesisRecord": "clew.capture.kinesis",
    "LogEventRecord": "clew.capture.cloudwatch_logs",
    "LoopDetected": "clew.errors",
    "PartialFailure": "clew.streams.failure",
    "Policy": "clew.streams.policy",
    "RabbitMqRecord": "clew.capture.mq",
    "Record": "clew.capture",
    "S3Record": "clew.capture.s3",
    "SnsRecord": "clew.capture.sns",
    "SqsRecord": "clew.capture.sqs",
    "Transformed": "clew.handlers.firehose",
    "alarm_in": "clew.capture.alarm",
    "api_handler": "clew.handlers.api",
    "authorizer_handler": "clew.handlers.authorizer",
    "bind": "clew.correlation",
    "capture": "clew.capture",
    "current": "clew.correlation",
    "dead_letter": "clew.streams.policy",
    "dynamodb_handler": "clew.handlers.dynamodb",
    "firehose_handler": "clew.handlers.firehose",
    "get_logger": "clew.log.logger",
    "halt": "clew.streams.policy",
    "handler": "clew.handlers.any",
    "idempotency": "clew.streams.idempotency",
    "instrument": "clew.forward",
    "kafka_handler": "clew.handlers.kafka",
    "kinesis_handler": "clew.handlers.records",
    "retry": "clew.streams.policy",
    "retry_handler": "clew.handlers.retry",
    "s3_records": "clew.capture.s3",
    "sign_debug": "clew.trust",
    "skip": "clew.streams.policy",
    "sns_handler": "clew.handlers.records",
    "sqs_handler": "clew.handlers.sqs",
    "stamp": "clew.forward.stamp",
    "uninstrument": "clew.forward",
    "use": "clew.correlation",
}

__all__ = ["__version__", *_HOMES]  # noqa: PLE0604  (the table is the list)


def __getattr__(name: str) -> object:
    """Load a public name on its first use (PEP 562)."""
    from importlib import import_module

    if name == "streams":  # a room of its own: ``clew.streams.put``
        return import_module("clew.streams")
    home = _HOMES.get(name)
    if home is None:
        message = f"module 'clew' has no attribute {name!r}"
        raise AttributeError(message)
    found: object = getattr(import_module(home), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)

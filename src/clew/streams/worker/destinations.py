"""Where a mapping tells of the records that it gave up: an SQS queue, an SNS topic, an S3 bucket.

The documents are those of the Lambda developer guide, "Retain discarded batch records for a
Kinesis Data Streams event source in Lambda" and "Retain discarded records for a DynamoDB event
source in Lambda".
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from clew.streams.worker.errors import WorkerError
from clew.streams.worker.machine import TOO_OLD

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import boto3

    from clew.streams.worker.records import StreamRecord
    from clew.streams.worker.settings import Source
    from clew.streams.worker.targets import Answer

_CONFIG = Config(retries={"total_max_attempts": 3, "mode": "standard"}, read_timeout=30)


class DestinationError(Exception):
    """The destination did not take it; it may be tried again."""


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Records that a mapping gave up."""

    shard_id: str
    records: tuple[StreamRecord, ...]
    condition: str
    invocations: int
    #: What the last invocation came to, or None if there was none.
    last: Answer | None
    #: Seconds since the epoch.
    at: float


def document(given_up: GivenUp, source: Source, function_arn: str) -> dict[str, Any]:
    """What a destination is told, without the records."""
    last = given_up.last
    said: dict[str, Any] = {
        "requestContext": {
            "requestId": (last.request_id if last else "") or str(uuid.uuid4()),
            "functionArn": function_arn,
            "condition": given_up.condition,
            "approximateInvokeCount": given_up.invocations,
        }
    }
    if given_up.condition != TOO_OLD and last is not None:
        said["responseContext"] = {
            "statusCode": 200,
            "executedVersion": last.executed_version,
            "functionError": last.function_error if last.error else None,
        }
    first_record, last_record = given_up.records[0], given_up.records[-1]
    kinesis = source.service == "kinesis"
    return said | {
        "version": "1.0",
        "timestamp": _text(given_up.at, milliseconds=True),
        "KinesisBatchInfo" if kinesis else "DDBStreamBatchInfo": {
            "shardId": given_up.shard_id,
            "startSequenceNumber": first_record.sequence,
            "endSequenceNumber": last_record.sequence,
            "approximateArrivalOfFirstRecord": _text(first_record.arrived, milliseconds=kinesis),
            "approximateArrivalOfLastRecord": _text(last_record.arrived, milliseconds=kinesis),
            "batchSize": len(given_up.records),
            "streamArn": source.arn,
        },
    }


def object_key(mapping: str, shard_id: str, at: float) -> str:
    """The name of an S3 object: ``aws/lambda/<mapping>/<shard>/YYYY/MM/DD/<time>-<uuid>``."""
    moment = datetime.fromtimestamp(at, UTC)
    return (
        f"aws/lambda/{mapping}/{shard_id}/{moment:%Y/%m/%d}/"
        f"{moment:%Y-%m-%dT%H.%M.%S}-{uuid.uuid4()}"
    )


class Destination:
    """One queue, topic or bucket."""

    def __init__(
        self, session: boto3.Session, arn: str, source: Source, function_arn: str, mapping: str
    ) -> None:
        self.arn = arn
        self._source = source
        self._function_arn = function_arn
        self._mapping = mapping
        _, _, service, region, account, name = arn.split(":", 5)
        self._name, self._account = name, account
        where = {"region_name": region} if region else {}
        self._client: Any = session.client(service, config=_CONFIG, **where)  # type: ignore[call-overload]
        self._put = {"sqs": self._to_queue, "sns": self._to_topic, "s3": self._to_bucket}[service]
        self._url = ""

    def check(self) -> None:
        """Raises `WorkerError` if there is no such queue, topic or bucket."""
        checks: dict[Any, Callable[[], object]] = {
            self._to_queue: self._queue_url,
            self._to_topic: lambda: self._client.get_topic_attributes(TopicArn=self.arn),
            self._to_bucket: lambda: self._client.head_bucket(Bucket=self._name),
        }
        try:
            checks[self._put]()
        except (ClientError, BotoCoreError) as error:
            raise WorkerError(
                f"The on-failure destination {self.arn} cannot be used: {error}."
            ) from error

    def send(self, given_up: GivenUp, event: Callable[[], Mapping[str, Any]]) -> None:
        """Tell of records; ``event`` makes the invocation's event, which only S3 is given.

        Raises `DestinationError`.
        """
        said = document(given_up, self._source, self._function_arn)
        try:
            self._put(said, given_up, event)
        except (ClientError, BotoCoreError) as error:
            raise DestinationError(str(error)) from error

    def _queue_url(self) -> str:
        if not self._url:
            found = self._client.get_queue_url(
                QueueName=self._name, QueueOwnerAWSAccountId=self._account
            )
            self._url = found["QueueUrl"]
        return self._url

    def _to_queue(self, said: dict[str, Any], _given_up: GivenUp, _event: object) -> None:
        self._client.send_message(QueueUrl=self._queue_url(), MessageBody=json.dumps(said))

    def _to_topic(self, said: dict[str, Any], _given_up: GivenUp, _event: object) -> None:
        self._client.publish(TopicArn=self.arn, Message=json.dumps(said))

    def _to_bucket(
        self, said: dict[str, Any], given_up: GivenUp, event: Callable[[], Mapping[str, Any]]
    ) -> None:
        # "the payload field contains the original invocation record as an escaped JSON string"
        body = said | {"payload": json.dumps(event(), separators=(",", ":"))}
        self._client.put_object(
            Bucket=self._name,
            Key=object_key(self._mapping, given_up.shard_id, given_up.at),
            Body=json.dumps(body).encode(),
        )


def _text(seconds: float, *, milliseconds: bool) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    text = moment.isoformat(timespec="milliseconds" if milliseconds else "seconds")
    return text.replace("+00:00", "Z")

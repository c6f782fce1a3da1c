"""Sets a case up in an emulator: its stream or table, its records, its destination."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from functools import cache
from typing import TYPE_CHECKING, Any

from .contract import Put, Seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.localcloud.session import LoopbackSession

    from .contract import Case

_BETWEEN_S = 0.2


@cache
def _client(session: LoopbackSession, service: str) -> Any:
    """Making a client takes longer than most cases do."""
    return session.client(service)


class Stage:
    """Where a case is played."""

    def __init__(self, session: LoopbackSession, case: Case) -> None:
        self.case = case
        self.seen = Seen(case)
        self.name = f"{case.name}-{uuid.uuid4().hex[:6]}"
        self._session = session
        self._kinesis = _client(session, "kinesis")
        self._dynamodb = _client(session, "dynamodb")
        self._streams = _client(session, "dynamodbstreams")
        self._queue = ""
        self.destination_arn = ""
        if case.source == "kinesis":
            self._kinesis.create_stream(StreamName=self.name, ShardCount=case.shards)
            summary = self._kinesis.describe_stream_summary(StreamName=self.name)
            self.seen.arn = summary["StreamDescriptionSummary"]["StreamARN"]
        else:
            self.seen.arn = self._make_table()
        if case.told is not None:
            self._make_destination(case.destination)

    @property
    def properties(self) -> dict[str, Any]:
        """The mapping's properties, complete."""
        properties = {
            "EventSourceArn": self.seen.arn,
            "StartingPosition": "TRIM_HORIZON",
            **self.case.properties,
        }
        if self.destination_arn:
            properties["DestinationConfig"] = {"OnFailure": {"Destination": self.destination_arn}}
        return properties

    def put(self, records: tuple[Put, ...]) -> None:
        """Put records, and learn their sequence numbers."""
        for record in records:
            if self.case.source == "kinesis":
                data = record.data
                if data is None:
                    data = json.dumps({"name": record.name}).encode()
                answer = self._kinesis.put_record(
                    StreamName=self.name, PartitionKey=record.key, Data=data
                )
                self.seen.names[answer["SequenceNumber"]] = record.name
            else:
                self._dynamodb.put_item(TableName=self.name, Item={"name": {"S": record.name}})
        if self.case.source == "dynamodb":
            self._learn_changes()

    def put_later(self) -> None:
        """Put what comes while the mapping runs, with a little time in between."""
        if self.case.split:
            (shard,) = self._kinesis.list_shards(StreamName=self.name)["Shards"]
            self._kinesis.split_shard(
                StreamName=self.name, ShardToSplit=shard["ShardId"], NewStartingHashKey=str(2**127)
            )
        for record in self.case.later:
            time.sleep(_BETWEEN_S)
            self.put((record,))

    def last_sequences(self) -> set[str]:
        """The sequence numbers of what was put."""
        return set(self.seen.names)

    def hear(self) -> None:
        """Take what the destination was told by now."""
        if self._queue:
            sqs = _client(self._session, "sqs")
            answer = sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10)
            for message in answer.get("Messages", []):
                self.seen.told.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        elif self.destination_arn:
            s3 = _client(self._session, "s3")
            self.seen.told.clear()
            for item in s3.list_objects_v2(Bucket=self._bucket).get("Contents", []):
                body = s3.get_object(Bucket=self._bucket, Key=item["Key"])["Body"].read()
                self.seen.told.append(json.loads(body))

    def strike(self) -> None:
        """Remove the source."""
        with contextlib.suppress(Exception):
            if self.case.source == "kinesis":
                self._kinesis.delete_stream(StreamName=self.name)
            else:
                self._dynamodb.delete_table(TableName=self.name)

    def _make_table(self) -> str:
        answer = self._dynamodb.create_table(
            TableName=self.name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        arn: str = answer["TableDescription"]["LatestStreamArn"]
        return arn

    def _learn_changes(self) -> None:
        described = self._streams.describe_stream(StreamArn=self.seen.arn)["StreamDescription"]
        iterator = self._streams.get_shard_iterator(
            StreamArn=self.seen.arn,
            ShardId=described["Shards"][0]["ShardId"],
            ShardIteratorType="TRIM_HORIZON",
        )["ShardIterator"]
        for record in self._streams.get_records(ShardIterator=iterator)["Records"]:
            change = record["dynamodb"]
            self.seen.names[change["SequenceNumber"]] = change["Keys"]["name"]["S"]

    def _make_destination(self, kind: str) -> None:
        if kind == "s3":
            self._bucket = self.name
            _client(self._session, "s3").create_bucket(Bucket=self._bucket)
            self.destination_arn = f"arn:aws:s3:::{self._bucket}"
            return
        sqs = _client(self._session, "sqs")
        self._queue = sqs.create_queue(QueueName=self.name)["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        self.destination_arn = attributes["Attributes"]["QueueArn"]
        if kind == "sns":
            sns = _client(self._session, "sns")
            topic = sns.create_topic(Name=self.name)["TopicArn"]
            sns.subscribe(
                TopicArn=topic,
                Protocol="sqs",
                Endpoint=self.destination_arn,
                Attributes={"RawMessageDelivery": "true"},
            )
            self.destination_arn = topic


def wait_for(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True

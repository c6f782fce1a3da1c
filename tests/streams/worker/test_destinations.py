"""What a destination is told, and the queue, topic and bucket that are told it."""

from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from clew.streams.worker import MappingSettings, WorkerError
from clew.streams.worker.destinations import (
    Destination,
    DestinationError,
    GivenUp,
    document,
    object_key,
)
from clew.streams.worker.targets import Answer

from .making import ARN, EPOCH, TABLE_ARN, records

if TYPE_CHECKING:
    from clew.localcloud import LocalCloud

SOURCE = MappingSettings(ARN, "LATEST").source
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"
LAST = Answer(error="ValueError: no", request_id="c9b8fa9f")
GIVEN_UP = GivenUp(
    "shardId-000000000001", records(1, 2), "RetryAttemptsExhausted", 3, LAST, EPOCH + 0.021
)


def test_a_kinesis_batch_is_described_as_lambda_does() -> None:
    assert document(GIVEN_UP, SOURCE, FUNCTION) == {
        "requestContext": {
            "requestId": "c9b8fa9f",
            "functionArn": FUNCTION,
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 3,
        },
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        },
        "version": "1.0",
        "timestamp": "2023-11-14T22:13:20.021Z",
        "KinesisBatchInfo": {
            "shardId": "shardId-000000000001",
            "startSequenceNumber": f"{1:030d}",
            "endSequenceNumber": f"{2:030d}",
            "approximateArrivalOfFirstRecord": "2023-11-14T22:13:20.000Z",
            "approximateArrivalOfLastRecord": "2023-11-14T22:13:20.000Z",
            "batchSize": 2,
            "streamArn": ARN,
        },
    }


def test_a_dynamodb_batch_is_described_as_lambda_does() -> None:
    said = document(GIVEN_UP, MappingSettings(TABLE_ARN, "LATEST").source, FUNCTION)
    info = said["DDBStreamBatchInfo"]
    assert info["approximateArrivalOfFirstRecord"] == "2023-11-14T22:13:20Z"
    assert info["streamArn"] == TABLE_ARN


def test_a_function_that_answered_has_no_function_error() -> None:
    answered = GivenUp("s", records(1, 1), "RetryAttemptsExhausted", 3, Answer(), EPOCH)
    assert document(answered, SOURCE, FUNCTION)["responseContext"]["functionError"] is None


def test_records_that_are_too_old_have_no_response() -> None:
    old = GivenUp("s", records(1, 1), "RecordAgeExceeded", 1, None, EPOCH)
    said = document(old, SOURCE, FUNCTION)
    assert "responseContext" not in said
    assert uuid.UUID(said["requestContext"]["requestId"])


def test_an_object_is_named_as_lambda_does() -> None:
    assert re.fullmatch(
        r"aws/lambda/m/shardId-1/2023/11/14/2023-11-14T22\.13\.20-[0-9a-f-]{36}",
        object_key("m", "shardId-1", EPOCH),
    )


def a_destination(cloud: LocalCloud, arn: str) -> Destination:
    return Destination(cloud.session(), arn, SOURCE, FUNCTION, "worker-destinations")


def event() -> dict[str, Any]:
    return {"Records": ["those"]}


def test_a_queue_is_told(cloud: LocalCloud) -> None:
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName="worker-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    destination = a_destination(cloud, arn["Attributes"]["QueueArn"])
    destination.check()
    destination.send(GIVEN_UP, event)
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    assert json.loads(message["Body"]) == document(GIVEN_UP, SOURCE, FUNCTION)


def test_a_topic_is_told(cloud: LocalCloud) -> None:
    sns, sqs = cloud.client("sns"), cloud.client("sqs")
    url = sqs.create_queue(QueueName="worker-dead-topic")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    topic = sns.create_topic(Name="worker-dead")["TopicArn"]
    sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=queue_arn["Attributes"]["QueueArn"],
        Attributes={"RawMessageDelivery": "true"},
    )
    destination = a_destination(cloud, topic)
    destination.check()
    destination.send(GIVEN_UP, event)
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    assert json.loads(message["Body"]) == document(GIVEN_UP, SOURCE, FUNCTION)


def test_a_bucket_is_told_and_given_the_event(cloud: LocalCloud) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="worker-dead")
    destination = a_destination(cloud, "arn:aws:s3:::worker-dead")
    destination.check()
    destination.send(GIVEN_UP, event)
    (found,) = s3.list_objects_v2(Bucket="worker-dead")["Contents"]
    assert found["Key"].startswith(
        "aws/lambda/worker-destinations/shardId-000000000001/2023/11/14/"
    )
    body = json.loads(s3.get_object(Bucket="worker-dead", Key=found["Key"])["Body"].read())
    assert json.loads(body.pop("payload")) == event()
    assert body == document(GIVEN_UP, SOURCE, FUNCTION)


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:sqs:us-east-1:000000000000:worker-nobody",
        "arn:aws:sns:us-east-1:000000000000:worker-nobody",
        "arn:aws:s3:::worker-nobody",
    ],
)
def test_a_destination_that_does_not_exist_is_told_before_anything_runs(
    cloud: LocalCloud, arn: str
) -> None:
    destination = a_destination(cloud, arn)
    with pytest.raises(WorkerError, match=re.escape(f"The on-failure destination {arn} cannot")):
        destination.check()
    with pytest.raises(DestinationError):
        destination.send(GIVEN_UP, event)

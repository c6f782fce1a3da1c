"""Sources that the local cloud lacks: the events as AWS's documentation shows them.

They are given to the deployed function by an invocation that carries nothing. Who sends to them
stamps by hand, with `clew.stamp`.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import clew

if TYPE_CHECKING:
    from collections.abc import Callable

    from .cell import World

    Make = Callable[[dict[str, str]], Any]


def deliver(make: Make) -> Callable[[World], None]:
    """Stamp headers and deliver the event that ``make`` makes of them."""

    def send(world: World) -> None:
        headers: dict[str, str] = clew.stamp({})
        event = make(headers)
        with clew.use(clew.Correlation()):
            world.client("lambda").invoke(
                FunctionName=world["Receive"], Payload=json.dumps(event), InvocationType="Event"
            )

    return send


def encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


def _notification(headers: dict[str, str]) -> dict[str, Any]:
    """SNS developer guide, "Message attributes": all in one, as where there is no room for each."""
    return {
        "Type": "Notification",
        "MessageId": "95df01b4-ee98-5cb9-9903-4c221d41eb5e",
        "TopicArn": "arn:aws:sns:us-east-1:123456789012:ExampleTopic",
        "Message": "hello",
        "Timestamp": "2019-01-02T12:45:07.000Z",
        "MessageAttributes": {
            "clew-context": {"Type": "Binary", "Value": encoded(json.dumps(headers))}
        },
    }


def packed(headers: dict[str, str]) -> Any:
    """Lambda developer guide, "Using Lambda with Amazon SNS"."""
    record = {"EventVersion": "1.0", "EventSource": "aws:sns", "Sns": _notification(headers)}
    return {"Records": [record]}


def packed_and_wrapped(headers: dict[str, str]) -> Any:
    """Lambda developer guide, "Using Lambda with Amazon SQS", with SNS's notification as body."""
    record = {
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "body": json.dumps(_notification(headers)),
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-2:123456789012:my-queue",
    }
    return {"Records": [record]}


def kafka(source: str) -> Make:
    """Lambda developer guide, "Using Lambda with Amazon MSK"."""

    def make(headers: dict[str, str]) -> Any:
        record = {
            "topic": "mytopic",
            "partition": 0,
            "offset": 15,
            "timestamp": 1545084650987,
            "timestampType": "CREATE_TIME",
            "key": "abcDEFghiJKLmnoPQRstuVWXyz1234==",
            "value": encoded("hello"),
            "headers": [{name: list(value.encode())} for name, value in headers.items()],
        }
        return {
            "eventSource": source,
            "bootstrapServers": "b-2.demo-cluster-1.a1bcde.c1.kafka.us-east-1.amazonaws.com:9092",
            "records": {"mytopic-0": [record]},
        }

    return make


def active_mq(headers: dict[str, str]) -> Any:
    """Lambda developer guide, "Using Lambda with Amazon MQ": ActiveMQ."""
    message = {
        "messageID": "ID:b-9bcfa592-423a-4942-879d-eb284b418fc8-1.mq.us-west-2.amazonaws.com",
        "messageType": "jms/text-message",
        "deliveryMode": 1,
        "destination": {"physicalName": "testQueue"},
        "timestamp": 1598827811958,
        "data": encoded("hello"),
        "properties": {name.replace("-", "_"): value for name, value in headers.items()},
    }
    return {
        "eventSource": "aws:mq",
        "eventSourceArn": "arn:aws:mq:us-east-2:111122223333:broker:test:b-9bcfa592",
        "messages": [message],
    }


def rabbit_mq(headers: dict[str, str]) -> Any:
    """Lambda developer guide, "Using Lambda with Amazon MQ": RabbitMQ."""
    properties = {
        "contentType": "text/plain",
        "headers": {name: {"bytes": list(value.encode())} for name, value in headers.items()},
        "deliveryMode": 1,
    }
    message = {"basicProperties": properties, "redelivered": False, "data": encoded("hello")}
    return {
        "eventSource": "aws:rmq",
        "eventSourceArn": "arn:aws:mq:us-east-2:111122223333:broker:pizzaBroker:b-9bcfa592",
        "rmqMessagesByQueue": {"pizzaQueue::/": [message]},
    }


def appsync(headers: dict[str, str]) -> Any:
    """AppSync developer guide, "Resolver mapping template context reference"."""
    return {
        "arguments": {"id": "1"},
        "identity": None,
        "source": None,
        "request": {"headers": {"host": "example.com", **headers}, "domainName": None},
        "prev": None,
        "info": {"fieldName": "getPost", "parentTypeName": "Query", "variables": {}},
        "stash": {},
    }


def cognito(headers: dict[str, str]) -> Any:
    """Cognito developer guide, "Pre sign-up Lambda trigger"."""
    return {
        "version": "1",
        "triggerSource": "PreSignUp_SignUp",
        "region": "us-east-1",
        "userPoolId": "us-east-1_example",
        "userName": "testuser",
        "callerContext": {"awsSdkVersion": "1", "clientId": "example"},
        "request": {"userAttributes": {}, "clientMetadata": headers},
        "response": {"autoConfirmUser": False},
    }


def pipe(headers: dict[str, str]) -> Any:
    """EventBridge user guide, "Amazon SQS as a source" of a pipe."""
    return [
        {
            "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
            "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...",
            "body": "hello",
            "attributes": {"ApproximateReceiveCount": "1"},
            "messageAttributes": {
                name: {"stringValue": value, "dataType": "String"}
                for name, value in headers.items()
            },
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-2:123456789012:my-queue",
            "awsRegion": "us-east-2",
        }
    ]


def bus_to_stream(headers: dict[str, str]) -> Any:
    """EventBridge user guide, "Events", as the data of a record ("Using … Amazon Kinesis")."""
    event = {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": "matrix",
        "source": "matrix",
        "account": "111122223333",
        "time": "2017-12-22T18:43:48Z",
        "region": "us-west-1",
        "resources": [],
        "detail": {"__context": headers, "kind": "matrix"},
    }
    kinesis = {
        "kinesisSchemaVersion": "1.0",
        "partitionKey": "1",
        "sequenceNumber": "49590338271490256608559692538361571095921575989136588898",
        "data": encoded(json.dumps(event)),
        "approximateArrivalTimestamp": 1545084650.987,
    }
    record = {
        "kinesis": kinesis,
        "eventSource": "aws:kinesis",
        "eventID": "shardId-000000000006:49590338271490256608559692538361571095921575989136588898",
        "eventSourceARN": "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream",
    }
    return {"Records": [record]}


def connect(headers: dict[str, str]) -> Any:
    """API Gateway developer guide, "Lambda functions for $connect and $disconnect"."""
    return {"headers": headers, "requestContext": _socket("CONNECT", "$connect")}


def socket_message(headers: dict[str, str]) -> Any:
    """The same, of a message: its text is what the client sent."""
    body = json.dumps({"__context": headers, "kind": "matrix"})
    return {"requestContext": _socket("MESSAGE", "$default"), "body": body}


def _socket(kind: str, route: str) -> dict[str, Any]:
    return {
        "routeKey": route,
        "eventType": kind,
        "extendedRequestId": "Pi-k5E3qIAMF5JQ=",
        "requestTime": "24/Nov/2026:20:31:11 +0000",
        "messageDirection": "IN",
        "stage": "prod",
        "requestId": "Pi-k5E3qIAMF5JQ=",
        "domainName": "abcdef1234.execute-api.us-east-1.amazonaws.com",
        "connectionId": "Pi-k5cJVIAMCJtA=",
        "apiId": "abcdef1234",
    }


def authorized(headers: dict[str, str]) -> Any:
    """API Gateway developer guide, "Input format of a Lambda function for proxy integration".

    What `clew.authorizer_handler` answered is in ``authorizer``.
    """
    request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    return {
        "resource": "/my/path",
        "path": "/my/path",
        "httpMethod": "GET",
        "headers": {"host": "example.com"},
        "multiValueHeaders": {"host": ["example.com"]},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "id",
            "requestId": request_id,
            "authorizer": {"principalId": "anybody", **headers, "clew-request-id": request_id},
            "httpMethod": "GET",
            "stage": "$default",
        },
        "body": None,
        "isBase64Encoded": False,
    }

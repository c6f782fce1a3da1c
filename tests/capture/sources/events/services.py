"""What one AWS service tells of another, or asks a function on its behalf."""

from __future__ import annotations

import gzip
import json
from typing import Any

from ...events import API_REQUEST_ID, REQUEST_ID
from .common import FUNCTION, Fields, body, encoded
from .messages import eventbridge, sqs, sqs_attributes, sqs_record


def s3_notification(key: str = "in/a+b%C3%BC.json", **members: Any) -> dict[str, Any]:
    """One S3 notification, whose key is encoded as in a URL."""
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "eu-central-1",
        "eventTime": "2021-01-01T00:00:00.000Z",
        "eventName": "ObjectCreated:Put",
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": {"name": "orders", "arn": "arn:aws:s3:::orders"},
            "object": {
                "key": key,
                "size": 1024,
                "eTag": "d41d8cd98f00b204e9800998ecf8427e",
                "versionId": "096fKKXTRTtl3on89fVO",
                "sequencer": "0055AED6DCD90281E5",
                **members,
            },
        },
    }


def s3(*notifications: dict[str, Any]) -> dict[str, Any]:
    """An S3 event."""
    return {"Records": list(notifications or (s3_notification(),))}


def s3_on_bus(key: str = "in/a bü.json", **members: Any) -> dict[str, Any]:
    """An S3 event of EventBridge, whose key is as it is."""
    detail = {
        "version": "0",
        "bucket": {"name": "orders"},
        "object": {
            "key": key,
            "size": 1024,
            "etag": "d41d8cd98f00b204e9800998ecf8427e",
            "version-id": "096fKKXTRTtl3on89fVO",
            "sequencer": "0055AED6DCD90281E5",
            **members,
        },
        "reason": "PutObject",
    }
    return eventbridge(kind="Object Created", source="aws.s3", detail=detail)


def logs(*messages: str, kind: str = "DATA_MESSAGE") -> dict[str, Any]:
    """A subscription's event with one log event per message."""
    batch = {
        "messageType": kind,
        "owner": "111122223333",
        "logGroup": "/aws/lambda/orders",
        "logStream": "2021/01/01/[$LATEST]1f3e",
        "subscriptionFilters": ["everything"],
        "logEvents": [
            {"id": f"3119578277385480{number}", "timestamp": 1583348638390, "message": message}
            for number, message in enumerate(messages)
        ],
    }
    return {"awslogs": {"data": encoded(gzip.compress(json.dumps(batch).encode()))}}


ALARM_ARN = "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:slow"


def alarm_notification() -> dict[str, Any]:
    """What CloudWatch publishes to a topic."""
    return {
        "AlarmName": "slow",
        "AlarmDescription": "orders take long",
        "AWSAccountId": "111122223333",
        "NewStateValue": "ALARM",
        "NewStateReason": "Threshold Crossed",
        "StateChangeTime": "2021-01-01T00:00:01.234+0000",
        "Region": "EU (Frankfurt)",
        "AlarmArn": ALARM_ARN,
        "OldStateValue": "OK",
        "Trigger": {"MetricName": "Duration", "Namespace": "AWS/Lambda"},
    }


def alarm_state(name: str = "alarmName") -> dict[str, Any]:
    """An alarm's change as the bus and the alarm's own action have it."""
    return {
        name: "slow",
        "state": {
            "value": "ALARM",
            "reason": "Threshold Crossed",
            "timestamp": "2021-01-01T00:00:01.234+0000",
        },
        "previousState": {"value": "OK", "timestamp": "2020-12-31T00:00:00.000+0000"},
        "configuration": {"metrics": []},
    }


def alarm_on_bus() -> dict[str, Any]:
    """An alarm's change as EventBridge has it."""
    return eventbridge(
        kind="CloudWatch Alarm State Change",
        source="aws.cloudwatch",
        resources=[ALARM_ARN],
        detail=alarm_state(),
    )


def alarm_action() -> dict[str, Any]:
    """What an alarm sends to the function that is its action."""
    return {
        "source": "aws.cloudwatch",
        "alarmArn": ALARM_ARN,
        "accountId": "111122223333",
        "time": "2021-01-01T00:00:01.234+0000",
        "region": "eu-central-1",
        "alarmData": alarm_state(),
    }


def appsync(fields: Fields = None) -> dict[str, Any]:
    """A resolver's context object."""
    return {
        "arguments": {"id": "7"},
        "identity": None,
        "source": None,
        "request": {"headers": {"host": "api.example.com", **(fields or {})}, "domainName": None},
        "prev": None,
        "info": {"fieldName": "order", "parentTypeName": "Query", "variables": {}},
        "stash": {},
    }


def appsync_authorizer(fields: Fields = None) -> dict[str, Any]:
    """What AppSync asks an authorizer."""
    return {
        "authorizationToken": "secret",
        "requestContext": {
            "apiId": "api-id",
            "accountId": "111122223333",
            "requestId": API_REQUEST_ID,
            "queryString": "query { order { id } }",
            "operationName": None,
            "variables": {},
        },
        "requestHeaders": {"host": "api.example.com", **(fields or {})},
    }


def cognito(fields: Fields = None, where: str = "clientMetadata") -> dict[str, Any]:
    """A user pool trigger's event."""
    return {
        "version": "1",
        "region": "eu-central-1",
        "userPoolId": "eu-central-1_abc",
        "userName": "arya",
        "callerContext": {"awsSdkVersion": "unknown", "clientId": "client"},
        "triggerSource": "PreSignUp_SignUp",
        "request": {"userAttributes": {"email": "arya@example.com"}, where: fields},
        "response": {"autoConfirmUser": False},
    }


def destination(payload: Any, *, condition: str = "RetriesExhausted") -> dict[str, Any]:
    """The record of an asynchronous invocation with ``payload``."""
    return {
        "version": "1.0",
        "timestamp": "2021-01-01T00:00:00.000Z",
        "requestContext": {
            "requestId": "e4b46cbf-b738-xmpl-8880-a18cdf61200e",
            "functionArn": FUNCTION,
            "condition": condition,
            "approximateInvokeCount": 3,
        },
        "requestPayload": payload,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
        "responsePayload": {"errorMessage": "no", "errorType": "Error"},
    }


def failed_batch() -> dict[str, Any]:
    """The record of a batch of a Kinesis mapping that Lambda gave up."""
    record = destination(None, condition="RetryAttemptsExhausted")
    del record["requestPayload"], record["responsePayload"]
    return record | {
        "KinesisBatchInfo": {
            "shardId": "shardId-000000000001",
            "startSequenceNumber": "49601189658422359378836298521827638475320189012309704722",
            "endSequenceNumber": "49601189658422359378836298522902373528957594348623495186",
            "batchSize": 500,
            "streamArn": "arn:aws:kinesis:eu-central-1:111122223333:stream/orders",
        }
    }


def dead_letter(event: Any, request_id: str = REQUEST_ID) -> dict[str, Any]:
    """The message that a dead-letter queue gets of an event that a function could not handle."""
    attributes = sqs_attributes(
        {"RequestID": request_id, "ErrorCode": "200", "ErrorMessage": "no such order"}
    )
    return sqs(sqs_record(json.dumps(event), attributes))


def step_functions(fields: Fields = None, name: str = "Input") -> dict[str, Any]:
    """What a task gets whose parameters wrap the input and add something."""
    return {name: json.loads(body(fields)), "TaskToken": "AAAAKgAAAAIAAAAAAAAAAQ"}


def context_object(fields: Fields = None) -> dict[str, Any]:
    """What a task gets whose parameters are the whole context object (``$$``)."""
    return {
        "Execution": {
            "Id": "arn:aws:states:eu-central-1:111122223333:execution:orders:one",
            "Input": json.loads(body(fields)),
            "Name": "one",
            "StartTime": "2021-01-01T00:00:00.000Z",
        },
        "StateMachine": {"Id": "arn:aws:states:…:stateMachine:orders", "Name": "orders"},
        "State": {"Name": "Pay", "EnteredTime": "2021-01-01T00:00:00.000Z", "RetryCount": 0},
    }

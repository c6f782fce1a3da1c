"""Events as AWS documents them, and the context that Lambda hands over with each.

Shapes: API Gateway developer guide, "Set up Lambda proxy integrations" and "Create Lambda proxy
integrations for HTTP APIs"; Lambda developer guide, "Using Lambda with Amazon SNS" and "Using
Lambda with Kinesis".
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from clew import payload

REQUEST_ID = "8f507cfc-xmpl-4697-b07a-ac58fc914c95"
API_REQUEST_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
HTTP_API_REQUEST_ID = "JKJaXmPLvHcESHA="
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT_ID = "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE_ID}-{PARENT_ID}-01"
XRAY_ROOT = "1-5759e988-bd862e3fe1be46a994272793"
XRAY_HEADER = f"Root={XRAY_ROOT};Parent=53995c3f42cd8ad8;Sampled=1"

#: What one function sent on: every field of the wire.
FIELDS = {
    "x-correlation-id": "the-request",
    "x-correlation-user-id": "42",
    "debug-log-enabled": "false",
    "user-agent": "Mozilla/5.0",
    "call-chain-length": "2",
    "traceparent": TRACEPARENT,
}


class Context:
    """The attributes of Lambda's context object that are texts or numbers."""

    function_name = "my-function"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:us-east-2:123456789012:function:my-function"
    memory_limit_in_mb = "128"
    aws_request_id = REQUEST_ID
    log_group_name = "/aws/lambda/my-function"
    log_stream_name = "2020/01/31/[$LATEST]1f3e6f8f1b2c4d5e"

    def get_remaining_time_in_millis(self) -> int:
        """As if the invocation had just begun."""
        return 3000


def rest_api(headers: Any = None, **others: Any) -> dict[str, Any]:
    """An API Gateway REST API's event, payload format 1.0."""
    multiple = {name: [value] for name, value in headers.items()} if headers else headers
    return {
        "resource": "/my/path",
        "path": "/my/path",
        "httpMethod": "GET",
        "headers": headers,
        "multiValueHeaders": multiple,
        "queryStringParameters": {"parameter1": "value1", "parameter2": "value"},
        "multiValueQueryStringParameters": {
            "parameter1": ["value1", "value2"],
            "parameter2": ["value"],
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "id",
            "authorizer": {"claims": None, "scopes": None},
            "domainName": "id.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "id",
            "extendedRequestId": "request-id",
            "httpMethod": "GET",
            "identity": {
                "accessKey": None,
                "caller": None,
                "sourceIp": "192.0.2.1",
                "userAgent": "user-agent",
            },
            "path": "/my/path",
            "protocol": "HTTP/1.1",
            "requestId": API_REQUEST_ID,
            "requestTime": "04/Mar/2020:19:15:17 +0000",
            "requestTimeEpoch": 1583349317135,
            "resourceId": None,
            "resourcePath": "/my/path",
            "stage": "$default",
        },
        "pathParameters": None,
        "stageVariables": None,
        "body": "Hello from Lambda!",
        "isBase64Encoded": False,
        **others,
    }


def http_api(headers: Any = None, **others: Any) -> dict[str, Any]:
    """An API Gateway HTTP API's event, payload format 2.0."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/my/path",
        "rawQueryString": "parameter1=value1&parameter1=value2&parameter2=value",
        "cookies": ["cookie1", "cookie2"],
        "headers": headers,
        "queryStringParameters": {"parameter1": "value1,value2", "parameter2": "value"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api-id",
            "domainName": "id.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "id",
            "http": {
                "method": "POST",
                "path": "/my/path",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "agent",
            },
            "requestId": HTTP_API_REQUEST_ID,
            "routeKey": "$default",
            "stage": "$default",
            "time": "12/Mar/2020:19:03:58 +0000",
            "timeEpoch": 1583348638390,
        },
        "body": "Hello from Lambda",
        "pathParameters": {"parameter1": "value1"},
        "isBase64Encoded": False,
        "stageVariables": {"stageVariable1": "value1"},
        **others,
    }


def attributes(fields: dict[str, str]) -> dict[str, Any]:
    """Message attributes as SNS delivers them, one per field."""
    return {name: {"Type": "String", "Value": value} for name, value in fields.items()}


def packed(text: str) -> dict[str, Any]:
    """The one message attribute that holds every field."""
    return {"clew-context": {"Type": "Binary", "Value": b64encode(text.encode()).decode()}}


def sns(
    message: Any = "Hello from SNS!", message_attributes: Any = None, **others: Any
) -> dict[str, Any]:
    """An SNS event, which has one message."""
    own = {
        "Test": {"Type": "String", "Value": "TestString"},
        "TestBinary": {"Type": "Binary", "Value": "TestBinary"},
    }
    if message_attributes is None or isinstance(message_attributes, dict):
        message_attributes = {**own, **(message_attributes or {})}
    return {
        "Records": [
            {
                "EventVersion": "1.0",
                "EventSubscriptionArn": "arn:aws:sns:us-east-1:123456789012:sns-lambda:21be56ed",
                "EventSource": "aws:sns",
                "Sns": {
                    "SignatureVersion": "1",
                    "Timestamp": "2019-01-02T12:45:07.000Z",
                    "Signature": "tcc6faL2yUC6dgZdmrwh1Y4cGa/ebXEkAi6RibDsvpi+tE/1+82j",
                    "SigningCertURL": "https://sns.us-east-1.amazonaws.com/certificate.pem",
                    "MessageId": "95df01b4-ee98-5cb9-9903-4c221d41eb5e",
                    "Message": message,
                    "MessageAttributes": message_attributes,
                    "Type": "Notification",
                    "UnsubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe",
                    "TopicArn": "arn:aws:sns:us-east-1:123456789012:sns-lambda",
                    "Subject": "TestInvoke",
                    **others,
                },
            }
        ]
    }


def kinesis_record(data: Any, number: int = 0, key: str = "1") -> dict[str, Any]:
    """One record of a stream; ``data`` that is not bytes stands there as it is."""
    encoded = b64encode(data).decode() if isinstance(data, bytes) else data
    sequence_number = f"4959033827149025660855969253836157109592157598913659{number:04d}"
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": key,
            "sequenceNumber": sequence_number,
            "data": encoded,
            "approximateArrivalTimestamp": 1545084650.987,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000006:{sequence_number}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::123456789012:role/lambda-role",
        "awsRegion": "us-east-2",
        "eventSourceARN": "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream",
    }


def kinesis(*payloads: Any) -> dict[str, Any]:
    """A Kinesis event with one record per payload."""
    return {"Records": [kinesis_record(data, number) for number, data in enumerate(payloads)]}


def with_context(data: bytes, fields: dict[str, str], name: str = "__context") -> bytes:
    """A JSON object's bytes as clew sends them with ``fields``."""
    sent = payload.put(data, fields, name)
    assert sent is not None, "this payload cannot carry a context"
    return sent

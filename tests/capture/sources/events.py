"""Small events of each source, in the shapes that AWS documents, with and without ids.

Each factory takes the fields that ride along (``None`` for none) and puts them where a sender with
clew, or the service itself, would. Shapes, by the page that has them:

- Lambda developer guide: "Using Lambda with …" SQS, Kinesis, DynamoDB, Amazon MSK, self-managed
  Apache Kafka, Amazon MQ; "Capturing records of Lambda asynchronous invocations"; "Invoking Lambda
  function URLs".
- Application Load Balancer guide, "Using Lambda functions as targets".
- API Gateway developer guide, "Use API Gateway Lambda authorizers", "Control access to HTTP APIs
  with Lambda authorizers", "Set up a WebSocket API integration request".
- EventBridge user guide, "Event structure", "Archiving and replaying events", and the sources of
  "Amazon EventBridge Pipes"; EventBridge Scheduler user guide, "Templated targets".
- Firehose developer guide, "Transform source data"; S3 user guide, "Event message structure";
  CloudWatch Logs user guide, "Real-time processing of log data with subscriptions"; CloudWatch
  user guide, "Acting on alarm changes"; AppSync developer guide, "Resolver mapping template
  context reference"; Cognito developer guide, "Customizing user pool workflows".
"""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from typing import Any

from ..events import API_REQUEST_ID, REQUEST_ID, XRAY_ROOT, with_context

Fields = dict[str, str] | None

QUEUE = "arn:aws:sqs:eu-central-1:111122223333:orders"
FUNCTION = "arn:aws:lambda:eu-central-1:111122223333:function:orders:$LATEST"
BROKER = "arn:aws:mq:eu-central-1:111122223333:broker:orders:b-1"
CLUSTER = "arn:aws:kafka:eu-central-1:111122223333:cluster/orders/c-1"
XRAY = f"Root={XRAY_ROOT};Parent=53995c3f42cd8ad8;Sampled=1"


def body(fields: Fields = None, **members: Any) -> bytes:
    """A JSON payload as a sender with clew sends it."""
    plain = json.dumps({"order": 7, **members}).encode()
    return plain if fields is None else with_context(plain, fields)


def encoded(data: bytes) -> str:
    """Base64, as Lambda has binary data."""
    return b64encode(data).decode()


# HTTP


def alb(fields: Fields = None, *, all_values: bool = False) -> dict[str, Any]:
    """A load balancer's request; ``all_values`` is the target group's multi-value setting."""
    headers = {"host": "orders.example.com", "x-amzn-trace-id": f"Root={XRAY_ROOT}"}
    headers |= fields or {}
    event: dict[str, Any] = {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:…/orders/1"}},
        "httpMethod": "GET",
        "path": "/orders",
        "body": "",
        "isBase64Encoded": False,
    }
    if all_values:
        return event | {
            "multiValueQueryStringParameters": {"id": ["1", "2"]},
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
        }
    return event | {"queryStringParameters": {"id": "2"}, "headers": headers}


def function_url(fields: Fields = None) -> dict[str, Any]:
    """A function URL's request."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/orders",
        "rawQueryString": "",
        "headers": {"host": "abc.lambda-url.eu-central-1.on.aws", **(fields or {})},
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "abc",
            "domainName": "abc.lambda-url.eu-central-1.on.aws",
            "domainPrefix": "abc",
            "http": {"method": "GET", "path": "/orders", "protocol": "HTTP/1.1"},
            "requestId": API_REQUEST_ID,
            "routeKey": "$default",
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }


def websocket(kind: str = "MESSAGE", fields: Fields = None) -> dict[str, Any]:
    """What a WebSocket API sends: ``CONNECT`` and ``DISCONNECT`` with headers, ``MESSAGE``."""
    event: dict[str, Any] = {
        "requestContext": {
            "routeKey": "$default" if kind == "MESSAGE" else f"${kind.lower()}",
            "eventType": kind,
            "connectionId": "L0SM9cOFvHcCIhw=",
            "connectedAt": 1583348638390,
            "requestId": API_REQUEST_ID,
            "apiId": "api-id",
            "stage": "production",
            "domainName": "api-id.execute-api.eu-central-1.amazonaws.com",
        },
        "isBase64Encoded": False,
    }
    if kind == "MESSAGE":
        return event | {"body": body(fields).decode()}
    headers = {"Host": "api-id.execute-api.eu-central-1.amazonaws.com", **(fields or {})}
    multiple = {name: [value] for name, value in headers.items()}
    return event | {"headers": headers, "multiValueHeaders": multiple}


def token_authorizer() -> dict[str, Any]:
    """What a token authorizer of a REST API gets: no headers, no request id."""
    return {
        "type": "TOKEN",
        "authorizationToken": "allow",
        "methodArn": "arn:aws:execute-api:eu-central-1:111122223333:api-id/prod/GET/orders",
    }


def request_authorizer(fields: Fields = None) -> dict[str, Any]:
    """What a request authorizer of a REST API gets, and of an HTTP API in format 1.0."""
    headers = {"X-Key": "k", **(fields or {})}
    return {
        "type": "REQUEST",
        "methodArn": "arn:aws:execute-api:eu-central-1:111122223333:api-id/prod/GET/orders",
        "resource": "/orders",
        "path": "/orders",
        "httpMethod": "GET",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "requestContext": {
            "path": "/orders",
            "httpMethod": "GET",
            "apiId": "api-id",
            "requestId": API_REQUEST_ID,
            "stage": "prod",
        },
    }


def http_authorizer(fields: Fields = None) -> dict[str, Any]:
    """What an HTTP API's authorizer gets in format 2.0."""
    return {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": "arn:aws:execute-api:eu-central-1:111122223333:api-id/$default/GET/orders",
        "identitySource": ["user1"],
        "routeKey": "GET /orders",
        "headers": {"x-key": "k", **(fields or {})},
        "requestContext": {
            "apiId": "api-id",
            "domainName": "api-id.execute-api.eu-central-1.amazonaws.com",
            "http": {"method": "GET", "path": "/orders"},
            "requestId": API_REQUEST_ID,
        },
    }


def websocket_authorizer(fields: Fields = None) -> dict[str, Any]:
    """What a WebSocket API's authorizer gets when a client connects."""
    asked = websocket("CONNECT", fields)
    arn = "arn:aws:execute-api:eu-central-1:111122223333:api-id/production/$connect"
    return asked | {"type": "REQUEST", "methodArn": arn}


# Messages


def sqs_attributes(fields: dict[str, str]) -> dict[str, Any]:
    """Message attributes as SQS delivers them, one per field."""
    return {
        name: {
            "stringValue": value,
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": "String",
        }
        for name, value in fields.items()
    }


def sqs_packed(text: str) -> dict[str, Any]:
    """The one attribute with every field, binary."""
    return {"clew-context": {"binaryValue": encoded(text.encode()), "dataType": "Binary"}}


def sqs_record(
    text: Any = "hello", attributes: Any = None, number: int = 0, **system: Any
) -> dict[str, Any]:
    """One message of a queue."""
    return {
        "messageId": f"059f36b4-87a3-44ab-83d2-66197535{number:04d}",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": text,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1545082649183",
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": "1545082649185",
            **system,
        },
        "messageAttributes": {} if attributes is None else attributes,
        "md5OfBody": "5d41402abc4b2a76b9719d911017c592",
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE,
        "awsRegion": "eu-central-1",
    }


def sqs(*records: dict[str, Any]) -> dict[str, Any]:
    """An SQS event."""
    return {"Records": list(records or (sqs_record(),))}


def notification(message: Any, attributes: Any = None) -> dict[str, Any]:
    """What SNS puts into a queue without raw delivery."""
    return {
        "Type": "Notification",
        "MessageId": "dc1e94d9-56c5-5e96-808d-cc7f68faa162",
        "TopicArn": "arn:aws:sns:eu-central-1:111122223333:orders",
        "Message": message,
        "Timestamp": "2021-01-01T00:00:00.000Z",
        **({} if attributes is None else {"MessageAttributes": attributes}),
    }


# Buses and schedules


def eventbridge(
    fields: Fields = None, *, kind: str = "order placed", **others: Any
) -> dict[str, Any]:
    """An event of a bus."""
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": kind,
        "source": "com.example.orders",
        "account": "111122223333",
        "time": "2021-11-12T00:00:00Z",
        "region": "eu-central-1",
        "resources": [],
        "detail": json.loads(body(fields)),
        **others,
    }


def schedule() -> dict[str, Any]:
    """What EventBridge Scheduler sends where the schedule has no input of its own."""
    return eventbridge(kind="Scheduled Event", source="aws.scheduler", detail="{}")


# Streams


def dynamodb_record(
    new: Any = None, old: Any = None, *, name: str = "MODIFY", number: int = 0
) -> dict[str, Any]:
    """One change of an item; ``new`` and ``old`` are images, ``None`` where there is none."""
    images = {"NewImage": new, "OldImage": old}
    return {
        "eventID": f"c4ca4238a0b923820dcc509a6f75849{number}",
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-central-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1479499740,
            "Keys": {"id": {"S": "7"}},
            **{key: image for key, image in images.items() if image is not None},
            "SequenceNumber": f"449200000000001783492671{number}",
            "SizeBytes": 26,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": "arn:aws:dynamodb:eu-central-1:111122223333:table/orders/stream/2021",
    }


def item(fields: Fields = None, name: str = "__context", **attributes: Any) -> dict[str, Any]:
    """An item as a stream has it, with a context as a sender with clew writes it."""
    context = {} if fields is None else {name: {"M": {k: {"S": v} for k, v in fields.items()}}}
    return {"id": {"S": "7"}, "total": {"N": "12.5"}, **attributes, **context}


def dynamodb(*records: dict[str, Any]) -> dict[str, Any]:
    """A DynamoDB stream's event."""
    return {"Records": list(records or (dynamodb_record(item()),))}


def firehose_record(data: Any, number: int = 0, **others: Any) -> dict[str, Any]:
    """One record to transform; ``data`` that is not bytes stands there as it is."""
    return {
        "recordId": f"4954691538949047444038952155051419158405254487169{number:04d}",
        "approximateArrivalTimestamp": 1583348638390,
        "data": encoded(data) if isinstance(data, bytes) else data,
        **others,
    }


def firehose(*records: dict[str, Any]) -> dict[str, Any]:
    """A batch to transform."""
    return {
        "invocationId": "2b4d1ad9-2f48-94bd-a088-767c317e994a",
        "deliveryStreamArn": "arn:aws:firehose:eu-central-1:111122223333:deliverystream/orders",
        "region": "eu-central-1",
        "records": list(records or (firehose_record(body()),)),
    }


def kafka_headers(fields: dict[str, str]) -> list[dict[str, list[int]]]:
    """Record headers as Lambda delivers them: lists of bytes."""
    return [{name: list(value.encode())} for name, value in fields.items()]


def kafka_record(
    value: Any = b"{}", headers: Any = None, offset: int = 15, partition: int = 0, **others: Any
) -> dict[str, Any]:
    """One record of a topic; a value that is not bytes stands there as it is."""
    return {
        "topic": "orders",
        "partition": partition,
        "offset": offset,
        "timestamp": 1545084650987,
        "timestampType": "CREATE_TIME",
        "key": encoded(b"customer-1"),
        "value": encoded(value) if isinstance(value, bytes) else value,
        "headers": [] if headers is None else headers,
        **others,
    }


def kafka(*records: dict[str, Any], source: str = "aws:kafka") -> dict[str, Any]:
    """A Kafka event, records by topic and partition."""
    groups: dict[str, list[Any]] = {}
    for record in records or (kafka_record(),):
        groups.setdefault(f"{record['topic']}-{record['partition']}", []).append(record)
    return {
        "eventSource": source,
        "eventSourceArn": CLUSTER,
        "bootstrapServers": "b-1.example.com:9092",
        "records": groups,
    }


def active_mq(fields: Fields = None, data: bytes = b"hello") -> dict[str, Any]:
    """An ActiveMQ event; properties have names of Java's."""
    own = {name.replace("-", "_"): value for name, value in (fields or {}).items()}
    return {
        "eventSource": "aws:mq",
        "eventSourceArn": BROKER,
        "messages": [
            {
                "messageID": "ID:b-1.mq.eu-central-1.amazonaws.com-37557-4:1:1:1:1",
                "messageType": "jms/text-message",
                "deliveryMode": 1,
                "expiration": "60000",
                "priority": 1,
                "correlationId": "of-a-reply",
                "redelivered": False,
                "destination": {"physicalName": "orders"},
                "data": encoded(data),
                "timestamp": 1598827811958,
                "properties": {"doAlarm": "false", **own},
            }
        ],
    }


def rabbit_mq(fields: Fields = None, data: bytes = b"hello") -> dict[str, Any]:
    """A RabbitMQ event; texts in headers are lists of bytes."""
    headers = {name: {"bytes": list(value.encode())} for name, value in (fields or {}).items()}
    return {
        "eventSource": "aws:rmq",
        "eventSourceArn": BROKER,
        "rmqMessagesByQueue": {
            "orders::/": [
                {
                    "basicProperties": {
                        "contentType": "text/plain",
                        "headers": {"tenant": {"bytes": [97]}, "number": 10, **headers},
                        "deliveryMode": 1,
                        "messageId": "m-1",
                    },
                    "redelivered": False,
                    "data": encoded(data),
                }
            ]
        },
    }


# What one service tells of another


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


# Pipes


def piped_kinesis(data: Any, number: int = 0) -> dict[str, Any]:
    """A Kinesis record as a pipe has it: without ``kinesis`` around its members."""
    return {
        "kinesisSchemaVersion": "1.0",
        "partitionKey": "customer-1",
        "sequenceNumber": f"4959033827149025660855969253836157109592157598913658{number:04d}",
        "data": encoded(data),
        "approximateArrivalTimestamp": 1545084650.987,
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000006:495903382714902566085596925383615710959{number:04d}",
        "eventName": "aws:kinesis:record",
        "eventSourceARN": "arn:aws:kinesis:eu-central-1:111122223333:stream/orders",
    }


def piped_kafka(fields: Fields = None, source: str = "aws:kafka", **others: Any) -> dict[str, Any]:
    """A Kafka record as a pipe has it."""
    record = kafka_record(headers=kafka_headers(fields or {}), **others)
    return record | {"eventSource": source, "eventSourceKey": "orders-0"}


def piped_active_mq(fields: Fields = None) -> dict[str, Any]:
    """An ActiveMQ message as a pipe has it."""
    [message] = active_mq(fields)["messages"]
    return {**message, "eventSource": "aws:amq", "destination": {"physicalname": "orders"}}


def piped_rabbit_mq(fields: Fields = None) -> dict[str, Any]:
    """A RabbitMQ message as a pipe has it."""
    [message] = rabbit_mq(fields)["rmqMessagesByQueue"]["orders::/"]
    return {**message, "eventSource": "aws:rmq", "eventSourceKey": "orders::/"}

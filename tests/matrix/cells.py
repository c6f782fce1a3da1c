"""Every cell of the matrix."""

from __future__ import annotations

from . import payloads, sends
from .cell import Cell

_ASKED = "the ids are in the object: `fetch_correlation()`"
_PACKED = "all fields in the one attribute `clew-context`"

_SNS = [
    Cell("SNS `Publish`", "topic → Lambda", "aws:sns", sends.publish("Topic")),
    Cell("SNS `PublishBatch`", "topic → Lambda", "aws:sns", sends.publish_batch("Topic")),
    Cell("SNS `Publish`", "topic → SQS → Lambda", "aws:sqs", sends.publish("ToQueue")),
    Cell("SNS `PublishBatch`", "topic → SQS → Lambda", "aws:sqs", sends.publish_batch("ToQueue")),
    Cell("SNS `Publish`", "topic → SQS, raw → Lambda", "aws:sqs", sends.publish("ToQueueRaw")),
    Cell(
        "SNS `PublishBatch`",
        "topic → SQS, raw → Lambda",
        "aws:sqs",
        sends.publish_batch("ToQueueRaw"),
    ),
    Cell(
        "SNS `Publish`, six attributes",
        "topic → SQS, raw → Lambda",
        "aws:sqs",
        sends.publish("ToQueueRaw", MessageAttributes=sends.CROWD),
        note=_PACKED,
    ),
]
_SQS = [
    Cell("SQS `SendMessage`", "queue → Lambda", "aws:sqs", sends.send_message()),
    Cell("SQS `SendMessage`, aiobotocore", "queue → Lambda", "aws:sqs", sends.send_message_async),
    Cell("SQS `SendMessageBatch`", "queue → Lambda", "aws:sqs", sends.send_message_batch),
    Cell(
        "SQS `SendMessage`",
        "FIFO queue → Lambda",
        "aws:sqs",
        sends.send_message("Fifo", MessageGroupId="1"),
    ),
    Cell(
        "SQS `SendMessage`, six attributes",
        "queue → Lambda",
        "aws:sqs",
        sends.send_message(MessageAttributes=sends.CROWD),
        note=_PACKED,
    ),
]
_STREAMS = [
    Cell("Kinesis `PutRecord`", "stream → Lambda", "aws:kinesis", sends.put_record),
    Cell("Kinesis `PutRecords`", "stream → Lambda", "aws:kinesis", sends.put_records),
    Cell(
        "`clew.stamp`, aggregated as KPL does",
        "stream → Lambda",
        "aws:kinesis",
        sends.put_aggregated,
        note="each user record has its own",
    ),
    Cell("Firehose `PutRecord`", "transformation by Lambda", "aws:firehose", sends.firehose_put),
    Cell(
        "Firehose `PutRecordBatch`",
        "transformation by Lambda",
        "aws:firehose",
        sends.firehose_put_batch,
    ),
    Cell("DynamoDB `PutItem`", "stream → Lambda", "aws:dynamodb", sends.put_item),
    Cell("DynamoDB `UpdateItem`", "stream → Lambda", "aws:dynamodb", sends.update_item),
    Cell("DynamoDB `BatchWriteItem`", "stream → Lambda", "aws:dynamodb", sends.batch_write_item),
    Cell(
        "DynamoDB `TransactWriteItems`",
        "stream → Lambda",
        "aws:dynamodb",
        sends.transact_write_items,
    ),
]
_EVENTS = [
    Cell("EventBridge `PutEvents`", "rule → Lambda", "aws:events", sends.put_events("straight")),
    Cell("EventBridge `PutEvents`", "rule → SQS → Lambda", "aws:sqs", sends.put_events("queue")),
    Cell("EventBridge `PutEvents`", "rule → SNS → Lambda", "aws:sns", sends.put_events("topic")),
]
_INVOCATIONS = [
    Cell("Lambda `Invoke`, synchronous", "Lambda", "aws:lambda", sends.invoke("RequestResponse")),
    Cell("Lambda `Invoke`, asynchronous", "Lambda", "aws:lambda", sends.invoke("Event")),
    Cell(
        "Lambda `Invoke`, asynchronous",
        "Lambda that fails → destination, SQS → Lambda",
        "aws:sqs",
        sends.invoke("Event", "Failing"),
        hops=2,
    ),
    Cell(
        "Step Functions `StartExecution`",
        "task with the state's input → Lambda",
        "aws:lambda",
        sends.start_execution("Straight"),
    ),
    Cell(
        "Step Functions `StartExecution`",
        "task with a `Payload` → Lambda",
        "aws:states",
        sends.start_execution("Wrapping"),
    ),
]
_S3 = [
    Cell(
        "S3 `PutObject`",
        "notification → Lambda",
        "aws:s3",
        sends.put_object("straight"),
        note=_ASKED,
    ),
    Cell(
        "S3 upload in parts", "notification → Lambda", "aws:s3", sends.upload_in_parts, note=_ASKED
    ),
    Cell(
        "S3 `PutObject`",
        "notification → SNS → Lambda",
        "aws:sns",
        sends.put_object("topic"),
        note=_ASKED,
    ),
    Cell(
        "S3 `PutObject`",
        "notification → SQS → Lambda",
        "aws:sqs",
        sends.put_object("queue"),
        note=_ASKED,
    ),
    Cell(
        "S3 `PutObject`",
        "EventBridge → Lambda",
        "aws:events",
        sends.put_object("bus"),
        note=_ASKED,
    ),
]
_CLIENTS = {
    "requests": sends.by_requests,
    "httpx": sends.by_httpx,
    "httpx, async": sends.by_httpx_async,
    "aiohttp": sends.by_aiohttp,
    "urllib3": sends.by_urllib3,
    "`urllib.request`": sends.by_urllib,
    "`http.client`": sends.by_http_client,
}
_APIS = {
    "REST API": "aws:apigateway",
    "HTTP API": "aws:apigatewayv2",
    "function URL": "aws:lambda-url",
    "load balancer": "aws:alb",
}
_HTTP = [
    Cell(f"HTTP by {client}", f"{api} → Lambda", source, sends.get(by, api))
    for client, by in _CLIENTS.items()
    for api, source in _APIS.items()
]
_PAYLOADS = [
    Cell(f"`clew.stamp`, {carrier}", path, source, payloads.deliver(make), emulated=False)
    for carrier, path, source, make in (
        ("`clew-context`", "SNS topic → Lambda", "aws:sns", payloads.packed),
        ("`clew-context`", "SNS topic → SQS → Lambda", "aws:sqs", payloads.packed_and_wrapped),
        ("Kafka headers", "MSK → Lambda", "aws:kafka", payloads.kafka("aws:kafka")),
        (
            "Kafka headers",
            "self-managed Kafka → Lambda",
            "SelfManagedKafka",
            payloads.kafka("SelfManagedKafka"),
        ),
        ("JMS properties", "ActiveMQ → Lambda", "aws:mq", payloads.active_mq),
        ("AMQP headers", "RabbitMQ → Lambda", "aws:rmq", payloads.rabbit_mq),
        ("request headers", "AppSync → Lambda", "aws:appsync", payloads.appsync),
        ("client metadata", "Cognito → Lambda", "aws:cognito-idp", payloads.cognito),
        ("message attributes", "SQS → pipe → Lambda", "aws:sqs", payloads.pipe),
        ("`detail`", "EventBridge rule → Kinesis → Lambda", "aws:kinesis", payloads.bus_to_stream),
        (
            "headers",
            "WebSocket API, `$connect` → Lambda",
            "aws:apigateway-websocket",
            payloads.connect,
        ),
        (
            "message",
            "WebSocket API, `$default` → Lambda",
            "aws:apigateway-websocket",
            payloads.socket_message,
        ),
        (
            "`context` of an authorizer",
            "REST API → Lambda",
            "aws:apigateway",
            payloads.authorized,
        ),
    )
]

#: Heading of the table -> its cells.
TABLES = {
    "SNS": _SNS,
    "SQS": _SQS,
    "Kinesis, Firehose and DynamoDB": _STREAMS,
    "EventBridge": _EVENTS,
    "Lambda and Step Functions": _INVOCATIONS,
    "S3": _S3,
    "HTTP": _HTTP,
    "What the local cloud lacks": _PAYLOADS,
}
CELLS = [cell for cells in TABLES.values() for cell in cells]

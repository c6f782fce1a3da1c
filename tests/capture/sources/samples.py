"""One event per way into a function, by the source that it is recognised as."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import events as first
from ..events import FIELDS
from . import events

if TYPE_CHECKING:
    from collections.abc import Callable


class Sample(NamedTuple):
    """``make(fields)`` is the event; ``carries`` says whether it has a place for fields.

    ``hops`` is how far on the receiver is from the sender: two, where a function between them
    passed the fields on by failing or by having a destination. ``edge`` is the id that a request
    without one gets, where the event has it. ``stripped`` says that the handler gets the event
    without the context.
    """

    source: str
    module: str
    make: Callable[[dict[str, str] | None], Any]
    carries: bool = True
    hops: int = 1
    edge: str = ""
    stripped: bool = False


def _attributes(fields: dict[str, str] | None) -> dict[str, Any]:
    return events.sqs_attributes(fields or {})


def _sns_attributes(fields: dict[str, str] | None) -> dict[str, Any]:
    return first.attributes(fields or {})


def _line(fields: dict[str, str] | None) -> str:
    """A line that a function with clew logged."""
    own = {name: value for name, value in (fields or {}).items() if name != "traceparent"}
    ids = {"traceId": first.TRACE_ID, "spanId": first.PARENT_ID} if fields else {}
    return json.dumps({"level": "INFO", "message": "paid", **own, **ids})


_FAILED = "e4b46cbf-b738-xmpl-8880-a18cdf61200e"
_API = first.API_REQUEST_ID

SAMPLES: dict[str, Sample] = {
    "REST API": Sample("aws:apigateway", "api_gateway", first.rest_api, edge=_API),
    "HTTP API": Sample(
        "aws:apigatewayv2", "http_api", first.http_api, edge=first.HTTP_API_REQUEST_ID
    ),
    "function URL": Sample("aws:lambda-url", "function_url", events.function_url, edge=_API),
    "load balancer": Sample("aws:alb", "alb", events.alb),
    "load balancer, all values": Sample(
        "aws:alb", "alb", lambda fields: events.alb(fields, all_values=True)
    ),
    "WebSocket connect": Sample(
        "aws:apigateway-websocket",
        "websocket",
        lambda fields: events.websocket("CONNECT", fields),
        edge=_API,
    ),
    "WebSocket message": Sample(
        "aws:apigateway-websocket",
        "websocket",
        lambda fields: events.websocket("MESSAGE", fields),
        edge=_API,
        stripped=True,
    ),
    "token authorizer": Sample(
        "aws:apigateway-authorizer",
        "authorizer",
        lambda _: events.token_authorizer(),
        carries=False,
    ),
    "request authorizer": Sample(
        "aws:apigateway-authorizer", "authorizer", events.request_authorizer, edge=_API
    ),
    "HTTP API's authorizer": Sample(
        "aws:apigateway-authorizer", "authorizer", events.http_authorizer, edge=_API
    ),
    "WebSocket authorizer": Sample(
        "aws:apigateway-authorizer", "authorizer", events.websocket_authorizer, edge=_API
    ),
    "SNS": Sample("aws:sns", "sns", lambda fields: first.sns("hi", _sns_attributes(fields))),
    "EventBridge in SNS": Sample(
        "aws:sns", "sns", lambda fields: first.sns(json.dumps(events.eventbridge(fields)))
    ),
    "SQS": Sample(
        "aws:sqs", "sqs", lambda fields: events.sqs(events.sqs_record("hi", _attributes(fields)))
    ),
    "SQS, context in the body": Sample(
        "aws:sqs", "sqs", lambda fields: events.sqs(events.sqs_record(events.body(fields).decode()))
    ),
    "SNS in SQS": Sample(
        "aws:sqs",
        "sqs",
        lambda fields: events.sqs(
            events.sqs_record(json.dumps(events.notification("hi", _sns_attributes(fields))))
        ),
    ),
    "EventBridge in SQS": Sample(
        "aws:sqs",
        "sqs",
        lambda fields: events.sqs(events.sqs_record(json.dumps(events.eventbridge(fields)))),
    ),
    "EventBridge in SNS in SQS": Sample(
        "aws:sqs",
        "sqs",
        lambda fields: events.sqs(
            events.sqs_record(
                json.dumps(events.notification(json.dumps(events.eventbridge(fields))))
            )
        ),
    ),
    "dead letter": Sample(
        "aws:sqs",
        "sqs",
        lambda fields: events.dead_letter(json.loads(events.body(fields)), _FAILED),
        hops=2,
        edge=_FAILED,
    ),
    "dead letter of SNS": Sample(
        "aws:sqs",
        "sqs",
        lambda fields: events.dead_letter(first.sns("hi", _sns_attributes(fields)), _FAILED),
        hops=2,
        edge=_FAILED,
    ),
    "Kinesis": Sample("aws:kinesis", "kinesis", lambda fields: first.kinesis(events.body(fields))),
    "EventBridge in Kinesis": Sample(
        "aws:kinesis",
        "kinesis",
        lambda fields: first.kinesis(json.dumps(events.eventbridge(fields)).encode()),
    ),
    "DynamoDB": Sample(
        "aws:dynamodb",
        "dynamodb",
        lambda fields: events.dynamodb(events.dynamodb_record(events.item(fields))),
        stripped=True,
    ),
    "DynamoDB, removed": Sample(
        "aws:dynamodb",
        "dynamodb",
        lambda fields: events.dynamodb(
            events.dynamodb_record(old=events.item(fields), name="REMOVE")
        ),
        stripped=True,
    ),
    "Firehose": Sample(
        "aws:firehose",
        "firehose",
        lambda fields: events.firehose(events.firehose_record(events.body(fields))),
    ),
    "MSK": Sample(
        "aws:kafka",
        "kafka",
        lambda fields: events.kafka(
            events.kafka_record(headers=events.kafka_headers(fields or {}))
        ),
    ),
    "self-managed Kafka": Sample(
        "SelfManagedKafka",
        "kafka",
        lambda fields: events.kafka(
            events.kafka_record(events.body(fields)), source="SelfManagedKafka"
        ),
    ),
    "ActiveMQ": Sample("aws:mq", "mq", events.active_mq),
    "RabbitMQ": Sample("aws:rmq", "mq", events.rabbit_mq),
    "EventBridge": Sample("aws:events", "eventbridge", events.eventbridge, stripped=True),
    "EventBridge replay": Sample(
        "aws:events",
        "eventbridge",
        lambda fields: events.eventbridge(fields, **{"replay-name": "again"}),
        stripped=True,
    ),
    "schedule": Sample("aws:events", "eventbridge", lambda _: events.schedule(), carries=False),
    "destination in EventBridge": Sample(
        "aws:events",
        "eventbridge",
        lambda fields: events.eventbridge(
            source="lambda", detail=events.destination(json.loads(events.body(fields)))
        ),
        hops=2,
        edge=_FAILED,
        stripped=True,
    ),
    "S3": Sample("aws:s3", "s3", lambda _: events.s3(), carries=False),
    "S3 in EventBridge": Sample(
        "aws:events", "eventbridge", lambda _: events.s3_on_bus(), carries=False
    ),
    "logs": Sample("aws:logs", "cloudwatch_logs", lambda fields: events.logs(_line(fields))),
    "alarm": Sample("aws:cloudwatch", "alarm", lambda _: events.alarm_action(), carries=False),
    "alarm in EventBridge": Sample(
        "aws:events", "eventbridge", lambda _: events.alarm_on_bus(), carries=False
    ),
    "alarm in SNS": Sample(
        "aws:sns",
        "sns",
        lambda _: first.sns(json.dumps(events.alarm_notification())),
        carries=False,
    ),
    "AppSync": Sample("aws:appsync", "appsync", events.appsync),
    "AppSync batch": Sample(
        "aws:appsync", "appsync", lambda fields: [events.appsync(fields), events.appsync(fields)]
    ),
    "AppSync authorizer": Sample("aws:appsync", "appsync", events.appsync_authorizer, edge=_API),
    "Cognito": Sample("aws:cognito-idp", "cognito", events.cognito),
    "Cognito, before": Sample(
        "aws:cognito-idp", "cognito", lambda fields: events.cognito(fields, "validationData")
    ),
    "destination": Sample(
        "aws:lambda-destination",
        "destination",
        lambda fields: events.destination(json.loads(events.body(fields))),
        hops=2,
        edge=_FAILED,
        stripped=True,
    ),
    "failed batch": Sample(
        "aws:lambda-destination",
        "destination",
        lambda _: events.failed_batch(),
        carries=False,
        hops=2,
        edge=_FAILED,
    ),
    "direct": Sample(
        "aws:lambda", "direct", lambda fields: json.loads(events.body(fields)), stripped=True
    ),
    "IoT rule": Sample(
        "aws:lambda",
        "direct",
        lambda fields: json.loads(events.body(fields, topic="orders/7", temperature=21)),
        stripped=True,
    ),
    "Step Functions": Sample("aws:states", "step_functions", events.step_functions, stripped=True),
    "Step Functions, payload of a task before": Sample(
        "aws:states",
        "step_functions",
        lambda fields: events.step_functions(fields, "Payload") | {"StatusCode": 200},
        stripped=True,
    ),
    "Step Functions, context object": Sample(
        "aws:states", "step_functions", events.context_object, stripped=True
    ),
    "pipe of SQS": Sample(
        "aws:sqs", "sqs", lambda fields: [events.sqs_record("hi", _attributes(fields))]
    ),
    "pipe of Kinesis": Sample(
        "aws:kinesis", "kinesis", lambda fields: [events.piped_kinesis(events.body(fields))]
    ),
    "pipe of DynamoDB": Sample(
        "aws:dynamodb",
        "dynamodb",
        lambda fields: [events.dynamodb_record(events.item(fields))],
        stripped=True,
    ),
    "pipe of MSK": Sample("aws:kafka", "kafka", lambda fields: [events.piped_kafka(fields)]),
    "pipe of ActiveMQ": Sample("aws:mq", "mq", lambda fields: [events.piped_active_mq(fields)]),
    "pipe of RabbitMQ": Sample("aws:rmq", "mq", lambda fields: [events.piped_rabbit_mq(fields)]),
}

#: Fields that are not there tell nothing of these apart from a user's own payload.
UNKNOWN_WITHOUT = (
    "direct",
    "IoT rule",
    "Step Functions",
    "Step Functions, payload of a task before",
)


def sent(name: str) -> Any:
    """The event of a sample with the fields that a function with clew sent."""
    return SAMPLES[name].make(FIELDS)


def bare(name: str) -> Any:
    """The event of a sample whose sender has no clew."""
    return SAMPLES[name].make(None)

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

from .brokers import (
    active_mq,
    kafka,
    kafka_headers,
    kafka_record,
    piped_active_mq,
    piped_kafka,
    piped_rabbit_mq,
    rabbit_mq,
)
from .common import BROKER, CLUSTER, FUNCTION, QUEUE, XRAY, body, encoded
from .http import (
    alb,
    function_url,
    http_authorizer,
    request_authorizer,
    token_authorizer,
    websocket,
    websocket_authorizer,
)
from .messages import (
    eventbridge,
    notification,
    schedule,
    sqs,
    sqs_attributes,
    sqs_packed,
    sqs_record,
)
from .services import (
    ALARM_ARN,
    alarm_action,
    alarm_notification,
    alarm_on_bus,
    alarm_state,
    appsync,
    appsync_authorizer,
    cognito,
    context_object,
    dead_letter,
    destination,
    failed_batch,
    logs,
    s3,
    s3_notification,
    s3_on_bus,
    step_functions,
)
from .streams import dynamodb, dynamodb_record, firehose, firehose_record, item, piped_kinesis

__all__ = [
    "ALARM_ARN",
    "BROKER",
    "CLUSTER",
    "FUNCTION",
    "QUEUE",
    "XRAY",
    "active_mq",
    "alarm_action",
    "alarm_notification",
    "alarm_on_bus",
    "alarm_state",
    "alb",
    "appsync",
    "appsync_authorizer",
    "body",
    "cognito",
    "context_object",
    "dead_letter",
    "destination",
    "dynamodb",
    "dynamodb_record",
    "encoded",
    "eventbridge",
    "failed_batch",
    "firehose",
    "firehose_record",
    "function_url",
    "http_authorizer",
    "item",
    "kafka",
    "kafka_headers",
    "kafka_record",
    "logs",
    "notification",
    "piped_active_mq",
    "piped_kafka",
    "piped_kinesis",
    "piped_rabbit_mq",
    "rabbit_mq",
    "request_authorizer",
    "s3",
    "s3_notification",
    "s3_on_bus",
    "schedule",
    "sqs",
    "sqs_attributes",
    "sqs_packed",
    "sqs_record",
    "step_functions",
    "token_authorizer",
    "websocket",
    "websocket_authorizer",
]

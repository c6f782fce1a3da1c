"""Short words for what the log lines name in full. Pure."""

from __future__ import annotations

import re
from datetime import timedelta

from clew.stories.lines import EPOCH

_SOURCES = {
    "aws:alb": "load balancer",
    "aws:apigateway": "API Gateway",
    "aws:apigateway-authorizer": "authorizer",
    "aws:apigateway-websocket": "WebSocket API",
    "aws:apigatewayv2": "HTTP API",
    "aws:appsync": "AppSync",
    "aws:cloudwatch": "alarm",
    "aws:cognito-idp": "Cognito",
    "aws:dynamodb": "DynamoDB stream",
    "aws:events": "EventBridge",
    "aws:firehose": "Firehose",
    "aws:kinesis": "Kinesis",
    "aws:lambda": "direct invocation",
    "aws:lambda-destination": "Lambda destination",
    "aws:lambda-url": "function URL",
    "aws:logs": "CloudWatch Logs",
    "aws:s3": "S3",
    "aws:sns": "SNS",
    "aws:sqs": "SQS",
    "aws:states": "Step Functions",
    "unknown": "unknown source",
}
_KINDS = {
    "dynamodb": "DynamoDB table",
    "eventbridge": "event bus",
    "firehose": "Firehose stream",
    "kinesis": "Kinesis stream",
    "lambda": "function",
    "s3": "S3 object",
    "sns": "SNS topic",
    "sqs": "SQS queue",
    "stepfunctions": "state machine",
}
#: What an ARN's resource begins with before its name.
_RESOURCES = ("function:", "stream/", "event-bus/", "deliverystream/", "stateMachine:", "table/")
#: API Gateway's own addresses, on AWS and in the local cloud, up to the path.
_API = re.compile(
    r"(?:(\w+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?"
    r"|127\.0\.0\.1:\d+/_aws/execute-api/(\w+))(?=/)",
    re.ASCII,
).match
_MAX_URL = 60


def source_name(source: str) -> str:
    """A source of events in a person's words: ``aws:sns`` is SNS."""
    return _SOURCES.get(source, source.removeprefix("aws:"))


def short_target(target: str) -> str:
    """The name at the end of an ARN; a URL without its scheme and what names no more than that.

    What is long is cut in the middle.
    """
    parts = target.split(":", 5)
    if parts[0] == "arn" and len(parts) == 6:
        resource = parts[5]
        for kind in _RESOURCES:
            resource = resource.removeprefix(kind)
        return resource or target
    scheme, found, rest = target.partition("://")
    short = rest if found and scheme.isalpha() else target
    if api := _API(short):
        short = f"API {api[1] or api[2]}{short[api.end() :]}"
    if len(short) > _MAX_URL:
        half = _MAX_URL // 2
        return f"{short[:half]}…{short[-half:]}"
    return short


def target_name(service: str, operation: str, target: str) -> str:
    """The target of a send for a tree: ``GET example.com/b``, ``SNS topic orders``."""
    if service == "http":
        return f"{operation} {short_target(target)}"
    if service == "sqs" and "://" in target:
        target = target.rpartition("/")[2]
    return f"{_KINDS.get(service, service)} {short_target(target)}".strip()


def in_a_sentence(service: str, operation: str, target: str) -> str:
    """The same within a sentence: with an article where it takes one."""
    name = target_name(service, operation, target)
    return f"the {name}" if service in _KINDS else name


def clock(at_ms: int) -> str:
    """``03:04:05.678 UTC``."""
    return f"{EPOCH + timedelta(milliseconds=at_ms):%H:%M:%S}.{at_ms % 1000:03d} UTC"


def rfc3339(at_ms: int) -> str:
    """``2026-01-02T03:04:05.678Z``."""
    return f"{EPOCH + timedelta(milliseconds=at_ms):%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


def one_line(text: str, most: int = 200) -> str:
    """``text`` with its line breaks and runs of spaces as single spaces, cut at ``most``."""
    text = " ".join(text[: most * 4].split())
    return text if len(text) <= most else f"{text[:most]}…"

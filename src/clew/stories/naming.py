"""Short words for what the log lines name in full. Pure."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from clew.stories.lines import EPOCH

if TYPE_CHECKING:
    from datetime import datetime

    from clew.stories.lines import SentEntry

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
_LAST_MS = 253_402_300_799_999  # the end of the year 9999, the last that datetime knows


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


def sent_to(function: str, entry: SentEntry) -> str:
    """What somebody did with a send: ``shop sent to the SNS topic orders``."""
    verb = {"http": "called", "lambda": "invoked"}.get(entry.service, "sent to")
    target = in_a_sentence(entry.service, entry.operation, entry.target)
    return f"{function or 'a function'} {verb} {target}"


def listed(names: list[str], most: int = 3) -> str:
    """Names in a sentence, each once: ``mail, audit and 2 others``."""
    each = list(dict.fromkeys(names))
    if len(each) <= most:
        return " and ".join([", ".join(each[:-1]), each[-1]] if len(each) > 1 else each)
    return f"{', '.join(each[:most])} and {len(each) - most} others"


def clock(at_ms: int) -> str:
    """``03:04:05.678 UTC``."""
    return f"{_moment(at_ms):%H:%M:%S}.{at_ms % 1000:03d} UTC"


def rfc3339(at_ms: int) -> str:
    """``2026-01-02T03:04:05.678Z``."""
    return f"{_moment(at_ms):%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


def _moment(at_ms: int) -> datetime:
    """A time, or the last one that there is: a log may say that something took for ever."""
    return EPOCH + timedelta(milliseconds=min(max(at_ms, 0), _LAST_MS))


def one_line(text: str, most: int = 200) -> str:
    """``text`` with its line breaks and runs of spaces as single spaces, cut at ``most``."""
    text = " ".join(text[: most * 4].split())
    return text if len(text) <= most else f"{text[:most]}…"

"""What botocore sends is recognised, and takes an injected error for the service's own."""

from __future__ import annotations

import functools
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ClientError

from clew.localcloud.seam.aws_errors import error_answer, error_codes
from clew.localcloud.seam.aws_operations import Request, Service

# Service -> (operation, arguments, an error that it has, that error's status): one for each
# protocol, and for each way in which an operation is told from others.
CALLS: list[tuple[str, str, dict[str, Any], str, int]] = [
    (
        "kinesis",
        "PutRecord",
        {"StreamName": "s", "Data": b"", "PartitionKey": "1"},
        "ProvisionedThroughputExceededException",
        400,
    ),
    (
        "dynamodb",
        "GetItem",
        {"TableName": "t", "Key": {"k": {"S": "1"}}},
        "ProvisionedThroughputExceededException",
        400,
    ),
    ("dynamodbstreams", "GetRecords", {"ShardIterator": "i"}, "ExpiredIteratorException", 400),
    (
        "sqs",
        "SendMessage",
        {"QueueUrl": "http://127.0.0.1/1/q", "MessageBody": "m"},
        "RequestThrottled",
        400,
    ),
    ("sns", "Publish", {"TopicArn": "a", "Message": "m"}, "Throttled", 429),
    ("cloudformation", "DescribeStacks", {}, "Throttling", 400),
    ("lambda", "Invoke", {"FunctionName": "f"}, "TooManyRequestsException", 429),
    ("lambda", "GetFunction", {"FunctionName": "f"}, "ServiceException", 500),
    ("lambda", "ListFunctions", {}, "ServiceException", 500),
    ("s3", "GetObject", {"Bucket": "b", "Key": "a/b c"}, "SlowDown", 503),
    ("s3", "ListObjectsV2", {"Bucket": "b"}, "NoSuchBucket", 404),
    ("s3", "GetBucketTagging", {"Bucket": "b"}, "SlowDown", 503),
    ("s3", "PutObject", {"Bucket": "b", "Key": "k", "Body": b""}, "InternalError", 500),
    ("ec2", "DescribeVpcs", {}, "RequestLimitExceeded", 503),
    ("cloudwatch", "ListMetrics", {}, "InternalServiceFault", 500),
    ("stepfunctions", "StartExecution", {"stateMachineArn": "a"}, "ExecutionLimitExceeded", 400),
    ("events", "PutEvents", {"Entries": [{"Source": "s"}]}, "InternalException", 500),
]


_service = functools.cache(Service)


class _Sent(Exception):
    """Carries a request out of botocore."""


def _client(service: str) -> Any:
    return boto3.client(  # type: ignore[call-overload]
        service,
        region_name="us-east-1",
        endpoint_url="http://127.0.0.1:1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"total_max_attempts": 1}),
    )


def _call(client: Any, operation: str, arguments: dict[str, Any]) -> Any:
    return client._make_api_call(operation, arguments)


def _request(sent: Any) -> Request:
    url = urlsplit(sent.url)
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for name, value in sent.headers.items()
    }
    body = sent.body if isinstance(sent.body, bytes) else (sent.body or "")
    encoded = body.encode() if isinstance(body, str) else body
    return Request(sent.method, url.path, url.query, headers, encoded)


@pytest.mark.parametrize(("service", "operation", "arguments", "code", "status"), CALLS)
def test_a_call_is_recognised_and_fails_as_on_aws(
    service: str, operation: str, arguments: dict[str, Any], code: str, status: int
) -> None:
    client = _client(service)
    mine = _service(service)
    found: list[str | None] = []

    def answer(request: Any, **_rest: Any) -> AWSResponse:
        asked = _request(request)
        found.append(mine.operation(asked))
        got, headers, body = error_answer(mine, asked, code, "injected")
        assert got == status
        return AWSResponse(request.url, got, HTTPHeaders.from_dict(headers), _Raw(body))

    client.meta.events.register("before-send", answer)
    with pytest.raises(ClientError) as caught:
        _call(client, operation, arguments)
    assert found == [operation]
    assert caught.value.response["Error"]["Code"] in {code, f"AWS.SimpleQueueService.{code}"}
    assert caught.value.response["Error"]["Message"] == "injected"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_how: Any) -> Any:
        yield self._body


@pytest.mark.parametrize(("service", "operation", "arguments", "code", "status"), CALLS)
def test_a_call_of_another_service_is_not_taken_for_one_of_this(
    service: str, operation: str, arguments: dict[str, Any], code: str, status: int
) -> None:
    others = [_service(name) for name in {call[0] for call in CALLS} - {service}]

    def look(request: Any, **_rest: Any) -> None:
        asked = _request(request)
        assert [other.operation(asked) for other in others] == [None] * len(others)
        raise _Sent

    client = _client(service)
    client.meta.events.register("before-send", look)
    with pytest.raises(_Sent):
        _call(client, operation, arguments)


def test_a_presigned_url_is_recognised() -> None:
    url = _client("s3").generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"})
    parts = urlsplit(url)
    presigned = _service("s3").operation(Request("GET", parts.path, parts.query, {}))
    # The older kind of signature, botocore's default for a bucket here, names no service.
    assert presigned in {"GetObject", None}
    newer = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url="http://127.0.0.1:1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(signature_version="s3v4"),
    )
    parts = urlsplit(newer.generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"}))
    assert _service("s3").operation(Request("GET", parts.path, parts.query, {})) == "GetObject"


def test_requests_that_are_not_signed_are_nobodys() -> None:
    assert _service("lambda").operation(Request("GET", "/2015-03-31/functions", "", {})) is None


def test_an_unknown_service_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        Service("kinetics")


def test_common_errors_are_known_everywhere() -> None:
    assert error_codes(_service("kinesis"))["ThrottlingException"] == 400
    assert error_codes(_service("kinesis"))["InternalFailure"] == 500

"""Signature Version 4: what arrives is what was signed, with every HTTP client hooked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiobotocore.session  # type: ignore[import-untyped]
import boto3
import pytest
import requests

from .aws import ACCOUNT, SECRET, client_at
from .conftest import FIELDS
from .signatures import signature_holds

if TYPE_CHECKING:
    import clew
    from clew.invocation import Invocation

    from .server import Server

"""What arrives is what was signed, with every HTTP client hooked."""


CALLS: Any = (
    (
        "kinesis",
        "put_record",
        {"StreamName": "s", "Data": b'{"a":1}', "PartitionKey": "k"},
        "X-Amz-Target",
    ),
    ("sqs", "send_message", {"QueueUrl": "http://q/1/q", "MessageBody": "é"}, "x-amz-target"),
    (
        "s3",
        "put_object",
        {"Bucket": "bucket", "Key": "a b", "Body": b"x"},
        "x-amz-meta-traceparent",
    ),
    ("lambda", "list_functions", {"FunctionVersion": "ALL"}, "x-amz-date"),
)


@pytest.mark.parametrize(("service", "operation", "params", "header"), CALLS)
def test_with_boto3(
    service: str,
    operation: str,
    params: Any,
    header: str,
    server: Server,
    in_force: clew.Correlation,
) -> None:
    client = client_at(server.url(""), service)
    server.received.clear()
    getattr(client, operation)(**params)
    received = server.received[0]
    assert header.lower() in received["headers"]
    assert signature_holds(received, SECRET)
    assert "traceparent" not in received["headers"]


@pytest.mark.parametrize(("service", "operation", "params", "header"), CALLS)
def test_with_aiobotocore(
    service: str,
    operation: str,
    params: Any,
    header: str,
    server: Server,
    invocation: Invocation,
    in_force: clew.Correlation,
) -> None:
    async def run() -> None:
        session = aiobotocore.session.get_session()
        async with session.create_client(service, endpoint_url=server.url(""), **ACCOUNT) as client:
            await getattr(client, operation)(**params)

    server.received.clear()
    asyncio.run(run())
    received = server.received[0]
    assert header.lower() in received["headers"]
    assert signature_holds(received, SECRET)
    assert "traceparent" not in received["headers"]
    assert [sent.service for sent in invocation.sent] == [service] * (service != "lambda")


def test_the_check_can_fail(server: Server) -> None:
    client: Any = boto3.client("lambda", endpoint_url=server.url(""), **ACCOUNT)
    server.received.clear()
    client.list_functions()
    received = server.received[0]
    assert not signature_holds(received, "another secret")
    received["headers"]["x-amz-date"] = "20260101T000000Z"
    assert not signature_holds(received, SECRET)


def test_signed_by_hand_and_sent_by_requests(server: Server, in_force: clew.Correlation) -> None:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    request = AWSRequest("POST", server.url("/prod?x=1"), data=b"{}")
    request.headers["User-Agent"] = "python-requests/2"
    SigV4Auth(Credentials("AKIDEXAMPLE", SECRET), "execute-api", "eu-west-1").add_auth(request)
    response = requests.post(
        str(request.url), data=request.data, headers=dict(request.headers), timeout=5
    )
    received = response.json()
    assert FIELDS["x-correlation-id"] == received["headers"]["x-correlation-id"]
    assert signature_holds(received, SECRET)

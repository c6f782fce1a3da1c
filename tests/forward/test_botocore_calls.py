"""boto3: no call notices that it is hooked, and what became of each is noted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.stub import ANY, Stubber

from clew.forward import botocore as hooks
from clew.forward import kinesis

from .aws import ACCOUNT, Queue, client_at, unique
from .conftest import only

if TYPE_CHECKING:
    import clew
    from clew.invocation import Invocation
    from clew.localcloud import LocalCloud

pytestmark = pytest.mark.local_cloud


@pytest.fixture(scope="module")
def queue(cloud: LocalCloud) -> Queue:
    return Queue(cloud, "calls")


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"QueueUrl": "http://x"},
        {"QueueUrl": "http://x", "MessageBody": 1},
        {"QueueUrl": "http://x", "MessageBody": "x", "MessageAttributes": [1]},
        {"QueueUrl": "http://x", "MessageBody": "x", "Other": "y"},
    ],
)
def test_parameters_that_are_no_good_leave_no_send_and_no_word(
    params: Any,
    cloud: LocalCloud,
    invocation: Invocation,
    in_force: clew.Correlation,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(ParamValidationError):
        client_at(cloud.endpoint_url, "sqs").send_message(**params)
    assert invocation.sent == []
    assert not caplog.records


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("kinesis", "put_records", {"Records": [1], "StreamName": "s"}),
        ("sns", "publish_batch", {"TopicArn": "t", "PublishBatchRequestEntries": 1}),
        ("events", "put_events", {"Entries": [{"Detail": {}}]}),
        ("dynamodb", "put_item", {"TableName": "t", "Item": {"id": "untyped"}}),
        ("dynamodb", "batch_write_item", {"RequestItems": {"t": [{"PutRequest": 1}]}}),
        ("s3", "put_object", {"Bucket": "b"}),
        ("firehose", "put_record", {"DeliveryStreamName": "d", "Record": {}}),
        ("stepfunctions", "start_execution", {"input": 1}),
        ("lambda", "invoke", {"Payload": 1}),
    ],
)
def test_nor_do_those_of_other_services(
    service: str,
    operation: str,
    params: Any,
    cloud: LocalCloud,
    invocation: Invocation,
    in_force: clew.Correlation,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLEW_FORWARD_TABLES", "*")
    client = client_at(cloud.endpoint_url, service)
    with pytest.raises(ParamValidationError):
        getattr(client, operation)(**params)
    assert invocation.sent == []
    assert not caplog.records


def test_a_failure_inside_clew_is_said_once_and_the_call_goes_out(
    cloud: LocalCloud,
    invocation: Invocation,
    in_force: clew.Correlation,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("broken")

    client = client_at(cloud.endpoint_url, "kinesis")
    stream = unique("broken")
    client.create_stream(StreamName=stream, ShardCount=1)
    client.get_waiter("stream_exists").wait(StreamName=stream)
    record = {"StreamName": stream, "Data": b"{}", "PartitionKey": "k"}
    with monkeypatch.context() as patch:
        patch.setattr(kinesis.PutRecord, "stamp", fail)
        for _ in range(2):
            assert client.put_record(**record)["SequenceNumber"]
    assert invocation.sent == []
    assert len(caplog.records) == 1
    assert "RuntimeError: broken" in caplog.text
    monkeypatch.setattr(kinesis.PutRecord, "answered", fail)
    assert client.put_record(**record)["SequenceNumber"]
    assert only(invocation.sent).outcome == "pending"
    monkeypatch.setattr(hooks, "note", fail)
    assert client.put_record(**record)["SequenceNumber"]


def test_an_error_of_the_service_is_noted_and_passes(
    cloud: LocalCloud, invocation: Invocation, in_force: clew.Correlation
) -> None:
    client = client_at(cloud.endpoint_url, "kinesis")
    with pytest.raises(client.exceptions.ResourceNotFoundException) as raised:
        client.put_record(StreamName="nowhere", Data=b"{}", PartitionKey="k")
    assert isinstance(raised.value, ClientError)
    sent = only(invocation.sent)
    assert (sent.outcome, sent.status) == ("error", 400)
    assert sent.error.startswith("ResourceNotFoundException: ")


def test_no_answer_is_noted_and_passes(invocation: Invocation, in_force: clew.Correlation) -> None:
    client = boto3.client(
        "kinesis",
        endpoint_url="http://127.0.0.1:1",
        config=Config(retries={"total_max_attempts": 1}),
        **ACCOUNT,
    )
    with pytest.raises(EndpointConnectionError):
        client.put_record(StreamName="s", Data=b"{}", PartitionKey="k")
    assert only(invocation.sent).outcome == "error"
    assert only(invocation.sent).error.startswith("EndpointConnectionError: ")


def test_a_stubbed_client_is_noted_too(invocation: Invocation, in_force: clew.Correlation) -> None:
    client = boto3.client("sqs", **ACCOUNT)
    with Stubber(client) as stub:
        stub.add_response("send_message", {"MessageId": "1"}, {"QueueUrl": ANY, "MessageBody": "x"})
        client.send_message(QueueUrl="http://q", MessageBody="x")
    assert only(invocation.sent).outcome == "ok"
    assert only(invocation.sent).position == {"messageId": "1"}


def test_other_operations_and_services_are_not_noted(
    cloud: LocalCloud, invocation: Invocation, in_force: clew.Correlation
) -> None:
    session = boto3.Session(**ACCOUNT)
    client_at(cloud.endpoint_url, "sqs", session).list_queues()
    client_at(cloud.endpoint_url, "sts", session).get_caller_identity()
    assert invocation.sent == []


def test_a_request_that_times_out_is_an_error(
    cloud: LocalCloud, invocation: Invocation, in_force: clew.Correlation
) -> None:
    client: Any = boto3.client(
        "sqs",
        endpoint_url=cloud.endpoint_url,
        config=Config(read_timeout=0.2, retries={"total_max_attempts": 1}),
        **ACCOUNT,
    )
    fault = cloud.faults.add("sqs", "SendMessage", timeout=True)
    try:
        with pytest.raises(ReadTimeoutError):
            client.send_message(QueueUrl="http://q/1/q", MessageBody="x")
    finally:
        cloud.faults.clear(fault.id)
    sent = only([one for one in invocation.sent if one.service == "sqs"])
    assert sent.error.startswith("ReadTimeoutError: ")


def test_the_wide_line_holds_what_was_sent(
    cloud: LocalCloud, queue: Queue, invocation: Invocation, in_force: clew.Correlation
) -> None:
    from clew.log.wide import sent_json

    answer = client_at(cloud.endpoint_url, "sqs").send_message(
        QueueUrl=queue.url, MessageBody="hello"
    )
    queue.take()
    entry = json.loads(sent_json(only(invocation.sent)))
    assert entry["service"] == "sqs"
    assert entry["messageId"] == answer["MessageId"]
    assert entry["parent"] == in_force.span_id
    assert "carried" not in entry

"""boto3, botocore and aiobotocore: which clients are hooked, and that no call notices."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import aiobotocore.session  # type: ignore[import-untyped]
import boto3
import botocore.session
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.stub import ANY, Stubber

import clew
from clew.forward import AWS_CARRIERS, kinesis
from clew.forward import botocore as hooks

from .aws import Queue, texts, unique
from .conftest import FIELDS, fields_of, only
from .signatures import signature_holds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clew.invocation import Invocation
    from clew.localcloud import LocalCloud

    from .server import Server

pytestmark = pytest.mark.local_cloud

SECRET = "a secret of these tests"
ACCOUNT: Any = {
    "region_name": "us-east-1",
    "aws_access_key_id": "AKIDEXAMPLE",
    "aws_secret_access_key": SECRET,
}


@pytest.fixture(scope="module")
def queue(cloud: LocalCloud) -> Queue:
    return Queue(cloud, "botocore")


@pytest.fixture
def stamped(queue: Queue) -> Callable[[Any], bool]:
    """Whether what a client sends carries the fields."""

    def ask(sqs: Any) -> bool:
        sqs.send_message(QueueUrl=queue.url, MessageBody="hello")
        (message,) = queue.take()
        return bool(texts(message.get("MessageAttributes", {})))

    return ask


def _client_at(url: str, service: str) -> Any:
    session: Any = boto3.Session(**ACCOUNT)
    return session.client(service, endpoint_url=url)


def _client(cloud: LocalCloud, session: boto3.Session, service: str = "sqs") -> Any:
    made: Any = session.client(service, endpoint_url=cloud.endpoint_url)  # type: ignore[call-overload]
    return made


class TestWhoIsHooked:
    def test_clients_of_every_session_made_before_and_after(
        self, cloud: LocalCloud, correlation: clew.Correlation, stamped: Callable[[Any], bool]
    ) -> None:
        first, second = boto3.Session(**ACCOUNT), boto3.Session(**ACCOUNT)
        before = _client(cloud, first)
        before_in_botocore = botocore.session.Session().create_client(
            "sqs", endpoint_url=cloud.endpoint_url, **ACCOUNT
        )
        clew.instrument()
        try:
            with clew.use(correlation):
                for client in (
                    before,
                    before_in_botocore,
                    _client(cloud, first),
                    _client(cloud, second),
                    _client(cloud, boto3.Session(**ACCOUNT)),
                    boto3.client("sqs", endpoint_url=cloud.endpoint_url, **ACCOUNT),
                ):
                    assert stamped(client)
        finally:
            clew.uninstrument()

    def test_resources(
        self, cloud: LocalCloud, queue: Queue, invocation: Invocation, in_force: clew.Correlation
    ) -> None:
        resource = boto3.resource("sqs", endpoint_url=cloud.endpoint_url, **ACCOUNT)
        resource.Queue(queue.url).send_message(MessageBody="hello")
        (message,) = queue.take()
        assert texts(message["MessageAttributes"]) == fields_of(only(invocation.sent))

    def test_after_uninstrument_nobody(
        self, cloud: LocalCloud, correlation: clew.Correlation, stamped: Callable[[Any], bool]
    ) -> None:
        session = boto3.Session(**ACCOUNT)
        client = _client(cloud, session)
        for _ in range(2):
            clew.instrument()
            with clew.use(correlation):
                assert stamped(client)
            clew.uninstrument()
            with clew.use(correlation):
                assert not stamped(client)
                assert not stamped(_client(cloud, session))

    def test_instrumented_twice_it_is_stamped_and_noted_once(
        self,
        cloud: LocalCloud,
        invocation: Invocation,
        in_force: clew.Correlation,
        stamped: Callable[[Any], bool],
    ) -> None:
        client = _client(cloud, boto3.Session(**ACCOUNT))
        assert stamped(client)
        clew.instrument()
        clew.instrument(client)
        assert stamped(client)
        assert len(invocation.sent) == 2

    def test_one_client_alone(
        self, cloud: LocalCloud, correlation: clew.Correlation, stamped: Callable[[Any], bool]
    ) -> None:
        session = boto3.Session(**ACCOUNT)
        one, other = _client(cloud, session), _client(cloud, session)
        clew.instrument(one)
        with clew.use(correlation):
            assert stamped(one)
            assert not stamped(other)
        clew.uninstrument()
        clew.instrument(other)
        with clew.use(correlation):
            assert not stamped(one), "what was taken out stays out"
            assert stamped(other)
        clew.uninstrument()

    def test_one_resource_alone(
        self, cloud: LocalCloud, queue: Queue, correlation: clew.Correlation
    ) -> None:
        resource = boto3.resource("sqs", endpoint_url=cloud.endpoint_url, **ACCOUNT)
        clew.instrument(resource)
        with clew.use(correlation):
            resource.Queue(queue.url).send_message(MessageBody="hello")
        clew.uninstrument()
        (message,) = queue.take()
        assert texts(message["MessageAttributes"])

    @pytest.mark.parametrize("bare", [False, True], ids=["boto3", "botocore"])
    def test_one_session_alone_and_its_clients_from_then_on(
        self,
        bare: bool,
        cloud: LocalCloud,
        correlation: clew.Correlation,
        stamped: Callable[[Any], bool],
    ) -> None:
        inner = botocore.session.Session()
        session = boto3.Session(botocore_session=inner, **ACCOUNT)
        clew.instrument(inner if bare else session)
        client, other = _client(cloud, session), _client(cloud, boto3.Session(**ACCOUNT))
        with clew.use(correlation):
            assert stamped(client)
            assert not stamped(other)
        clew.uninstrument()
        with clew.use(correlation):
            assert not stamped(client)

    def test_what_is_neither_is_an_error(self) -> None:
        with pytest.raises(AttributeError):
            clew.instrument("sqs")

    @pytest.mark.parametrize("variable", ["off", "-sqs", "-kinesis"])
    def test_switches(
        self,
        variable: str,
        cloud: LocalCloud,
        correlation: clew.Correlation,
        invocation: Invocation,
        stamped: Callable[[Any], bool],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("CLEW_FORWARD", variable)
        clew.instrument()
        with clew.use(correlation):
            assert stamped(_client(cloud, boto3.Session(**ACCOUNT))) is (variable == "-kinesis")
        clew.uninstrument()
        assert len(invocation.sent) == (variable == "-kinesis")

    def test_every_carrier_is_there_under_botocores_own_names(self) -> None:
        loader = botocore.session.Session()
        names = {
            loader.get_service_model(name).service_id.hyphenize(): loader.get_service_model(name)
            for name in (
                "dynamodb",
                "events",
                "firehose",
                "kinesis",
                "lambda",
                "s3",
                "sns",
                "sqs",
                "stepfunctions",
            )
        }
        assert names.keys() == AWS_CARRIERS.keys()
        for service, model in names.items():
            carrier = hooks.Hook()._carrier(service)
            assert carrier is not None
            module: Any = __import__(AWS_CARRIERS[service][1], fromlist=["OPERATIONS"])
            assert set(module.OPERATIONS) <= set(model.operation_names)


class TestNoCallNotices:
    def test_without_a_correlation_nothing_is_added(
        self, cloud: LocalCloud, instrumented: None, stamped: Callable[[Any], bool]
    ) -> None:
        assert not stamped(_client(cloud, boto3.Session(**ACCOUNT)))

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
        self,
        params: Any,
        cloud: LocalCloud,
        invocation: Invocation,
        in_force: clew.Correlation,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        with pytest.raises(ParamValidationError):
            _client(cloud, boto3.Session(**ACCOUNT)).send_message(**params)
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
        self,
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
        client = _client(cloud, boto3.Session(**ACCOUNT), service)
        with pytest.raises(ParamValidationError):
            getattr(client, operation)(**params)
        assert invocation.sent == []
        assert not caplog.records

    def test_a_failure_inside_clew_is_said_once_and_the_call_goes_out(
        self,
        cloud: LocalCloud,
        invocation: Invocation,
        in_force: clew.Correlation,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        def fail(*_: Any) -> None:
            raise RuntimeError("broken")

        client = _client(cloud, boto3.Session(**ACCOUNT), "kinesis")
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
        self, cloud: LocalCloud, invocation: Invocation, in_force: clew.Correlation
    ) -> None:
        client = _client(cloud, boto3.Session(**ACCOUNT), "kinesis")
        with pytest.raises(client.exceptions.ResourceNotFoundException) as raised:
            client.put_record(StreamName="nowhere", Data=b"{}", PartitionKey="k")
        assert isinstance(raised.value, ClientError)
        sent = only(invocation.sent)
        assert (sent.outcome, sent.status) == ("error", 400)
        assert sent.error.startswith("ResourceNotFoundException: ")

    def test_no_answer_is_noted_and_passes(
        self, invocation: Invocation, in_force: clew.Correlation
    ) -> None:
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

    def test_a_stubbed_client_is_noted_too(
        self, invocation: Invocation, in_force: clew.Correlation
    ) -> None:
        client = boto3.client("sqs", **ACCOUNT)
        with Stubber(client) as stub:
            stub.add_response(
                "send_message", {"MessageId": "1"}, {"QueueUrl": ANY, "MessageBody": "x"}
            )
            client.send_message(QueueUrl="http://q", MessageBody="x")
        assert only(invocation.sent).outcome == "ok"
        assert only(invocation.sent).position == {"messageId": "1"}

    def test_other_operations_and_services_are_not_noted(
        self, cloud: LocalCloud, invocation: Invocation, in_force: clew.Correlation
    ) -> None:
        session = boto3.Session(**ACCOUNT)
        _client(cloud, session).list_queues()
        _client(cloud, session, "sts").get_caller_identity()
        assert invocation.sent == []


class TestSignatures:
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
        self,
        service: str,
        operation: str,
        params: Any,
        header: str,
        server: Server,
        in_force: clew.Correlation,
    ) -> None:
        client = _client_at(server.url(""), service)
        server.received.clear()
        getattr(client, operation)(**params)
        received = server.received[0]
        assert header.lower() in received["headers"]
        assert signature_holds(received, SECRET)
        assert "traceparent" not in received["headers"]

    @pytest.mark.parametrize(("service", "operation", "params", "header"), CALLS)
    def test_with_aiobotocore(
        self,
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
            async with session.create_client(
                service, endpoint_url=server.url(""), **ACCOUNT
            ) as client:
                await getattr(client, operation)(**params)

        server.received.clear()
        asyncio.run(run())
        received = server.received[0]
        assert header.lower() in received["headers"]
        assert signature_holds(received, SECRET)
        assert "traceparent" not in received["headers"]
        assert [sent.service for sent in invocation.sent] == [service] * (service != "lambda")

    def test_the_check_can_fail(self, server: Server) -> None:
        client: Any = boto3.client("lambda", endpoint_url=server.url(""), **ACCOUNT)
        server.received.clear()
        client.list_functions()
        received = server.received[0]
        assert not signature_holds(received, "another secret")
        received["headers"]["x-amz-date"] = "20260101T000000Z"
        assert not signature_holds(received, SECRET)

    def test_signed_by_hand_and_sent_by_requests(
        self, server: Server, in_force: clew.Correlation
    ) -> None:
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


class TestManyAtOnce:
    def test_threads_send_under_their_own_ids(self, cloud: LocalCloud, instrumented: None) -> None:
        client = _client(cloud, boto3.Session(**ACCOUNT))
        queue, together = Queue(cloud, "threads"), threading.Barrier(4)

        def run(thread: int) -> None:
            together.wait(5)
            for turn in range(5):
                own = f"{thread}-{turn}"
                with clew.use(clew.Correlation({"x-correlation-id": own})):
                    client.send_message(QueueUrl=queue.url, MessageBody=own)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(run, range(4)))
        _none_mixed(queue.take(20))

    def test_tasks_send_under_their_own_ids(
        self, cloud: LocalCloud, instrumented: None, invocation: Invocation
    ) -> None:
        queue = Queue(cloud, "tasks")

        async def one(client: Any, own: str) -> None:
            correlation = clew.Correlation({"x-correlation-id": own}, invocation=invocation)
            with clew.use(correlation):
                await client.send_message(QueueUrl=queue.url, MessageBody=own)

        async def run() -> None:
            session = aiobotocore.session.get_session()
            async with session.create_client(
                "sqs", endpoint_url=cloud.endpoint_url, **ACCOUNT
            ) as client:
                await asyncio.gather(*(one(client, str(number)) for number in range(20)))

        asyncio.run(run())
        _none_mixed(queue.take(20))
        assert {sent.outcome for sent in invocation.sent} == {"ok"}
        assert {sent.correlation.id for sent in invocation.sent} == set(map(str, range(20)))

    @pytest.mark.parametrize("early", [True, False], ids=["made-before", "made-after"])
    def test_clients_of_aiobotocore_made_before_and_after(
        self, early: bool, cloud: LocalCloud, queue: Queue, correlation: clew.Correlation
    ) -> None:
        async def run() -> None:
            session = aiobotocore.session.get_session()
            if not early:
                clew.instrument()
            async with session.create_client(
                "sqs", endpoint_url=cloud.endpoint_url, **ACCOUNT
            ) as client:
                clew.instrument()
                with clew.use(correlation):
                    await client.send_message(QueueUrl=queue.url, MessageBody="hello")
                clew.uninstrument()
                with clew.use(correlation):
                    await client.send_message(QueueUrl=queue.url, MessageBody="plain")

        try:
            asyncio.run(run())
        finally:
            clew.uninstrument()
        by_body = {message["Body"]: message for message in queue.take(2)}
        assert texts(by_body["hello"]["MessageAttributes"]).items() >= FIELDS.items()
        assert not by_body["plain"].get("MessageAttributes")


def _none_mixed(messages: list[dict[str, Any]]) -> None:
    for message in messages:
        assert message["MessageAttributes"]["x-correlation-id"]["StringValue"] == message["Body"]


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

    answer = _client(cloud, boto3.Session(**ACCOUNT)).send_message(
        QueueUrl=queue.url, MessageBody="hello"
    )
    queue.take()
    entry = json.loads(sent_json(only(invocation.sent)))
    assert entry["service"] == "sqs"
    assert entry["messageId"] == answer["MessageId"]
    assert entry["parent"] == in_force.span_id
    assert "carried" not in entry


@pytest.fixture(autouse=True)
def _nothing_left_hooked() -> Iterator[None]:
    yield
    clew.uninstrument()
    assert not hooks._hooks

"""boto3 and botocore: which clients, sessions and resources are hooked, and which are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import pytest

import clew
from clew.forward import AWS_CARRIERS
from clew.forward import botocore as hooks

from .aws import ACCOUNT, Queue, client_at, texts
from .conftest import fields_of, only

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clew.invocation import Invocation
    from clew.localcloud import LocalCloud

pytestmark = pytest.mark.local_cloud


@pytest.fixture(scope="module")
def queue(cloud: LocalCloud) -> Queue:
    return Queue(cloud, "clients")


@pytest.fixture
def stamped(queue: Queue) -> Callable[[Any], bool]:
    """Whether what a client sends carries the fields."""

    def ask(sqs: Any) -> bool:
        sqs.send_message(QueueUrl=queue.url, MessageBody="hello")
        (message,) = queue.take()
        return bool(texts(message.get("MessageAttributes", {})))

    return ask


@pytest.fixture(autouse=True)
def _nothing_left_hooked() -> Iterator[None]:
    yield
    clew.uninstrument()
    assert not hooks._hooks


def test_clients_of_every_session_made_before_and_after(
    cloud: LocalCloud, correlation: clew.Correlation, stamped: Callable[[Any], bool]
) -> None:
    first, second = boto3.Session(**ACCOUNT), boto3.Session(**ACCOUNT)
    before = client_at(cloud.endpoint_url, "sqs", first)
    before_in_botocore = botocore.session.Session().create_client(
        "sqs", endpoint_url=cloud.endpoint_url, **ACCOUNT
    )
    clew.instrument()
    try:
        with clew.use(correlation):
            for client in (
                before,
                before_in_botocore,
                client_at(cloud.endpoint_url, "sqs", first),
                client_at(cloud.endpoint_url, "sqs", second),
                client_at(cloud.endpoint_url, "sqs"),
                boto3.client("sqs", endpoint_url=cloud.endpoint_url, **ACCOUNT),
            ):
                assert stamped(client)
    finally:
        clew.uninstrument()


def test_resources(
    cloud: LocalCloud, queue: Queue, invocation: Invocation, in_force: clew.Correlation
) -> None:
    resource = boto3.resource("sqs", endpoint_url=cloud.endpoint_url, **ACCOUNT)
    resource.Queue(queue.url).send_message(MessageBody="hello")
    (message,) = queue.take()
    assert texts(message["MessageAttributes"]) == fields_of(only(invocation.sent))


def test_after_uninstrument_nobody(
    cloud: LocalCloud, correlation: clew.Correlation, stamped: Callable[[Any], bool]
) -> None:
    session = boto3.Session(**ACCOUNT)
    client = client_at(cloud.endpoint_url, "sqs", session)
    for _ in range(2):
        clew.instrument()
        with clew.use(correlation):
            assert stamped(client)
        clew.uninstrument()
        with clew.use(correlation):
            assert not stamped(client)
            assert not stamped(client_at(cloud.endpoint_url, "sqs", session))


def test_instrumented_twice_it_is_stamped_and_noted_once(
    cloud: LocalCloud,
    invocation: Invocation,
    in_force: clew.Correlation,
    stamped: Callable[[Any], bool],
) -> None:
    client = client_at(cloud.endpoint_url, "sqs")
    assert stamped(client)
    clew.instrument()
    clew.instrument(client)
    assert stamped(client)
    assert len(invocation.sent) == 2


def test_one_client_alone(
    cloud: LocalCloud, correlation: clew.Correlation, stamped: Callable[[Any], bool]
) -> None:
    session = boto3.Session(**ACCOUNT)
    one, other = (
        client_at(cloud.endpoint_url, "sqs", session),
        client_at(cloud.endpoint_url, "sqs", session),
    )
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


def test_one_resource_alone(cloud: LocalCloud, queue: Queue, correlation: clew.Correlation) -> None:
    resource = boto3.resource("sqs", endpoint_url=cloud.endpoint_url, **ACCOUNT)
    clew.instrument(resource)
    with clew.use(correlation):
        resource.Queue(queue.url).send_message(MessageBody="hello")
    clew.uninstrument()
    (message,) = queue.take()
    assert texts(message["MessageAttributes"])


@pytest.mark.parametrize("bare", [False, True], ids=["boto3", "botocore"])
def test_one_session_alone_and_its_clients_from_then_on(
    bare: bool,
    cloud: LocalCloud,
    correlation: clew.Correlation,
    stamped: Callable[[Any], bool],
) -> None:
    inner = botocore.session.Session()
    session = boto3.Session(botocore_session=inner, **ACCOUNT)
    clew.instrument(inner if bare else session)
    client, other = (
        client_at(cloud.endpoint_url, "sqs", session),
        client_at(cloud.endpoint_url, "sqs"),
    )
    with clew.use(correlation):
        assert stamped(client)
        assert not stamped(other)
    clew.uninstrument()
    with clew.use(correlation):
        assert not stamped(client)


def test_what_is_neither_is_an_error() -> None:
    with pytest.raises(AttributeError):
        clew.instrument("sqs")


@pytest.mark.parametrize("variable", ["off", "-sqs", "-kinesis"])
def test_switches(
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
        assert stamped(client_at(cloud.endpoint_url, "sqs")) is (variable == "-kinesis")
    clew.uninstrument()
    assert len(invocation.sent) == (variable == "-kinesis")


def test_every_carrier_is_there_under_botocores_own_names() -> None:
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


def test_without_a_correlation_nothing_is_added(
    cloud: LocalCloud, instrumented: None, stamped: Callable[[Any], bool]
) -> None:
    assert not stamped(client_at(cloud.endpoint_url, "sqs"))

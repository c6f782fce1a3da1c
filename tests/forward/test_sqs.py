"""SQS: what arrives in the queue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from clew.forward.limits import SQS_MESSAGE

from .aws import Queue, texts
from .conftest import fields_of, only

if TYPE_CHECKING:
    import clew
    from clew.invocation import Invocation
    from clew.localcloud import LocalCloud

pytestmark = pytest.mark.local_cloud


@pytest.fixture(scope="module")
def queue(cloud: LocalCloud) -> Queue:
    return Queue(cloud, "queue")


@pytest.fixture(scope="module")
def sqs(cloud: LocalCloud) -> Any:
    return cloud.client("sqs")


def test_one_attribute_each(
    sqs: Any, queue: Queue, invocation: Invocation, in_force: clew.Correlation
) -> None:
    answer = sqs.send_message(QueueUrl=queue.url, MessageBody="hello")
    sent = only(invocation.sent)
    (message,) = queue.take()
    assert message["Body"] == "hello"
    assert texts(message["MessageAttributes"]) == fields_of(sent)
    assert (sent.service, sent.operation, sent.target) == ("sqs", "SendMessage", queue.url)
    assert sent.position == {"messageId": answer["MessageId"]}


def test_packed_then_untouched(
    sqs: Any,
    queue: Queue,
    invocation: Invocation,
    in_force: clew.Correlation,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for count in (9, 10):
        own = {f"mine-{n}": {"DataType": "Number", "StringValue": str(n)} for n in range(count)}
        sqs.send_message(QueueUrl=queue.url, MessageBody=str(count), MessageAttributes=own)
        (message,) = queue.take()
        attributes = message["MessageAttributes"]
        assert len(attributes) == 10
        assert own.keys() <= attributes.keys()
        if count == 9:
            assert json.loads(attributes["clew-context"]["BinaryValue"]) == fields_of(
                invocation.sent[0]
            )
    assert [sent.carried for sent in invocation.sent] == [True, False]
    assert len(caplog.records) == 1


def test_a_message_within_the_older_limit_is_kept_within_it(
    sqs: Any, queue: Queue, invocation: Invocation, in_force: clew.Correlation
) -> None:
    smaller, larger = SQS_MESSAGE
    for size, carried in ((smaller - 100, False), (smaller + 1, True), (larger - 100, False)):
        sqs.send_message(QueueUrl=queue.url, MessageBody="x" * size)
        (message,) = queue.take()
        assert bool(message.get("MessageAttributes")) is carried
        assert invocation.sent[-1].carried is carried


def test_sizes_are_bytes_not_characters(
    sqs: Any, queue: Queue, invocation: Invocation, in_force: clew.Correlation
) -> None:
    sqs.send_message(QueueUrl=queue.url, MessageBody="é" * (SQS_MESSAGE[0] // 2 - 50))
    queue.take()
    assert not only(invocation.sent).carried


def test_a_batch_each_with_its_own_span_and_outcome(
    sqs: Any, queue: Queue, invocation: Invocation, in_force: clew.Correlation
) -> None:
    entries = [{"Id": name, "MessageBody": f"message {name}"} for name in "abc"]
    before = json.dumps(entries)
    answer = sqs.send_message_batch(QueueUrl=queue.url, Entries=entries)
    assert json.dumps(entries) == before
    ids = {one["Id"]: one["MessageId"] for one in answer["Successful"]}
    by_body = {message["Body"]: message for message in queue.take(3)}
    assert len({sent.span_id for sent in invocation.sent}) == 3
    for sent in invocation.sent:
        entry = sent.position["entry"]
        assert sent.operation == "SendMessageBatch"
        assert sent.position["messageId"] == ids[entry]
        assert texts(by_body[f"message {entry}"]["MessageAttributes"]) == fields_of(sent)


def test_an_entry_that_failed_is_an_error_and_the_others_are_not(
    cloud: LocalCloud, invocation: Invocation, in_force: clew.Correlation
) -> None:
    from clew.forward.messages import batch_answered
    from clew.forward.sqs import SendMessageBatch

    params = {
        "QueueUrl": "https://queue",
        "Entries": [{"Id": "a", "MessageBody": "x"}, {"Id": "b", "MessageBody": "y"}],
    }
    good, bad = SendMessageBatch.stamp(params, in_force)
    failed = {"Id": "b", "Code": "InternalError", "Message": "no", "SenderFault": False}
    batch_answered([good, bad], {"Successful": [{"Id": "a", "MessageId": "1"}], "Failed": [failed]})
    assert (good.outcome, bad.outcome, bad.error) == ("ok", "error", "InternalError: no")


def test_a_fifo_queue_gives_a_sequence_number(
    cloud: LocalCloud, sqs: Any, invocation: Invocation, in_force: clew.Correlation
) -> None:
    from .aws import unique

    url = sqs.create_queue(
        QueueName=f"{unique('fifo')}.fifo",
        Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"},
    )["QueueUrl"]
    answers = [
        sqs.send_message(QueueUrl=url, MessageBody="the same", MessageGroupId="1") for _ in range(2)
    ]
    assert answers[0]["MessageId"] == answers[1]["MessageId"], "the fields are no part of the hash"
    assert invocation.sent[0].position["sequenceNumber"] == answers[0]["SequenceNumber"]


def test_a_resource_sends_them_too(
    cloud: LocalCloud, queue: Queue, invocation: Invocation, in_force: clew.Correlation
) -> None:
    session: Any = cloud.session()
    resource = session.resource("sqs", endpoint_url=cloud.endpoint_url)
    resource.Queue(queue.url).send_message(MessageBody="hello")
    (message,) = queue.take()
    assert texts(message["MessageAttributes"]) == fields_of(only(invocation.sent))

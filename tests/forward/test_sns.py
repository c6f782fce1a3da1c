"""SNS: what arrives at a queue behind a topic, raw and wrapped."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import clew
from clew.forward.limits import SNS_MESSAGE

from .aws import Queue, texts, unique
from .conftest import fields_of, only

if TYPE_CHECKING:
    from clew.invocation import Invocation
    from clew.localcloud import LocalCloud

pytestmark = pytest.mark.local_cloud


class Topic:
    """A topic with two queues behind it, one with raw delivery."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.sns = cloud.client("sns")
        self.arn = self.sns.create_topic(Name=unique("topic"))["TopicArn"]
        self.raw, self.wrapped = Queue(cloud, "raw"), Queue(cloud, "wrapped")
        for queue, raw in ((self.raw, "true"), (self.wrapped, "false")):
            self.sns.subscribe(
                TopicArn=self.arn,
                Protocol="sqs",
                Endpoint=queue.arn,
                Attributes={"RawMessageDelivery": raw},
            )


@pytest.fixture(scope="module")
def topic(cloud: LocalCloud) -> Topic:
    return Topic(cloud)


def test_one_attribute_each_arrives_raw_and_wrapped(
    topic: Topic, invocation: Invocation, in_force: clew.Correlation
) -> None:
    own = {"mine": {"DataType": "String", "StringValue": "1"}}
    answer = topic.sns.publish(TopicArn=topic.arn, Message="hello", MessageAttributes=own)
    sent = only(invocation.sent)
    assert own == {"mine": {"DataType": "String", "StringValue": "1"}}, "the caller's own dict"
    assert (sent.service, sent.operation, sent.target) == ("sns", "Publish", topic.arn)
    assert sent.outcome == "ok"
    assert sent.position == {"messageId": answer["MessageId"]}

    (raw,) = topic.raw.take()
    assert raw["Body"] == "hello"
    assert texts(raw["MessageAttributes"]) == {**fields_of(sent), "mine": "1"}

    (wrapped,) = topic.wrapped.take()
    envelope = json.loads(wrapped["Body"])
    assert envelope["Message"] == "hello"
    came = {name: one["Value"] for name, one in envelope["MessageAttributes"].items()}
    assert came == {**fields_of(sent), "mine": "1"}


def test_packed_where_ten_attributes_would_be_passed(
    topic: Topic, invocation: Invocation, in_force: clew.Correlation
) -> None:
    own = {f"mine-{n}": {"DataType": "String", "StringValue": str(n)} for n in range(6)}
    topic.sns.publish(TopicArn=topic.arn, Message="hello", MessageAttributes=own)
    (raw,) = topic.raw.take()
    topic.wrapped.take()  # the emulator leaves a binary attribute's value out of its envelope
    assert len(raw["MessageAttributes"]) == 7
    packed = raw["MessageAttributes"]["clew-context"]
    assert packed["DataType"] == "Binary"
    assert json.loads(packed["BinaryValue"]) == fields_of(only(invocation.sent))


def test_untouched_with_one_warning_where_that_does_not_fit(
    topic: Topic,
    invocation: Invocation,
    in_force: clew.Correlation,
    caplog: pytest.LogCaptureFixture,
) -> None:
    own = {f"mine-{n}": {"DataType": "String", "StringValue": str(n)} for n in range(10)}
    for _ in range(2):
        topic.sns.publish(TopicArn=topic.arn, Message="hello", MessageAttributes=own)
    for message in topic.raw.take(2):
        assert message["MessageAttributes"].keys() == own.keys()
    topic.wrapped.take(2)
    assert [sent.carried for sent in invocation.sent] == [False, False]
    assert [sent.outcome for sent in invocation.sent] == ["ok", "ok"]
    assert len(caplog.records) == 1
    assert "no room left for attributes" in caplog.text


def test_a_message_near_the_limit_is_not_pushed_over_it(
    topic: Topic, invocation: Invocation, in_force: clew.Correlation
) -> None:
    body = "x" * SNS_MESSAGE[0]
    topic.sns.publish(TopicArn=topic.arn, Message=body)
    (raw,) = topic.raw.take()
    topic.wrapped.take()
    assert raw["Body"] == body
    assert not raw.get("MessageAttributes")
    assert not only(invocation.sent).carried


def test_a_filter_policy_still_matches(
    cloud: LocalCloud, invocation: Invocation, in_force: clew.Correlation
) -> None:
    sns = cloud.client("sns")
    topic, queue = sns.create_topic(Name=unique("filtered"))["TopicArn"], Queue(cloud, "filtered")
    policy = json.dumps({"kind": ["order"]})
    sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes={"FilterPolicy": policy}
    )
    for kind in ("other", "order"):
        own = {f"mine-{n}": {"DataType": "String", "StringValue": str(n)} for n in range(5)}
        own["kind"] = {"DataType": "String", "StringValue": kind}
        sns.publish(TopicArn=topic, Message=kind, MessageAttributes=own)
    (message,) = queue.take()
    envelope = json.loads(message["Body"])
    assert envelope["Message"] == "order"
    assert "clew-context" in envelope["MessageAttributes"]


def test_a_batch_each_with_its_own_span_and_outcome(
    topic: Topic, invocation: Invocation, in_force: clew.Correlation
) -> None:
    entries: list[Any] = [{"Id": name, "Message": f"message {name}"} for name in "abc"]
    before = json.dumps(entries)
    answer = topic.sns.publish_batch(TopicArn=topic.arn, PublishBatchRequestEntries=entries)
    assert json.dumps(entries) == before, "the caller's own list"
    ids = {one["Id"]: one["MessageId"] for one in answer["Successful"]}
    by_body = {message["Body"]: message for message in topic.raw.take(3)}
    topic.wrapped.take(3)
    assert len({sent.span_id for sent in invocation.sent}) == 3
    for sent in invocation.sent:
        entry = sent.position["entry"]
        assert sent.position["messageId"] == ids[entry]
        assert texts(by_body[f"message {entry}"]["MessageAttributes"]) == fields_of(sent)


def test_a_batch_is_not_pushed_over_the_limit_that_its_messages_share(
    topic: Topic, invocation: Invocation, in_force: clew.Correlation
) -> None:
    size = SNS_MESSAGE[0] // 4 - 200
    entries = [{"Id": str(n), "Message": str(n) * size} for n in range(4)]
    topic.sns.publish_batch(TopicArn=topic.arn, PublishBatchRequestEntries=entries)
    messages = topic.raw.take(4)
    topic.wrapped.take(4)
    total = sum(
        len(message["Body"])
        + sum(
            len(name) + len(one["DataType"]) + len(one["StringValue"])
            for name, one in message.get("MessageAttributes", {}).items()
        )
        for message in messages
    )
    assert total <= SNS_MESSAGE[0]
    carried = [sent.carried for sent in invocation.sent]
    assert carried == sorted(carried, reverse=True), "in order, as long as there is room"
    assert set(carried) == {True, False}


def test_an_error_of_the_service_is_noted_and_passes(
    topic: Topic, invocation: Invocation, in_force: clew.Correlation
) -> None:
    with pytest.raises(topic.sns.exceptions.NotFoundException):
        topic.sns.publish(TopicArn=f"{topic.arn}-that-is-not", Message="hello")
    sent = only(invocation.sent)
    assert (sent.outcome, sent.status) == ("error", 404)
    assert sent.error.startswith("NotFound")


def test_a_text_message_carries_nothing_and_hides_the_number(
    topic: Topic,
    invocation: Invocation,
    in_force: clew.Correlation,
    caplog: pytest.LogCaptureFixture,
) -> None:
    topic.sns.publish(PhoneNumber="+15550100", Message="hello")
    sent = only(invocation.sent)
    assert (sent.target, sent.carried) == ("a phone number", False)
    assert not caplog.records


def test_what_is_relayed_with_its_attributes_keeps_them(
    topic: Topic, invocation: Invocation, in_force: clew.Correlation
) -> None:
    with clew.use(clew.Correlation({"x-correlation-id": "other"}, trace_id="1" * 32)):
        topic.sns.publish(TopicArn=topic.arn, Message="first")
    (first,) = topic.raw.take()
    topic.sns.publish(
        TopicArn=topic.arn, Message="again", MessageAttributes=first["MessageAttributes"]
    )
    (again,) = topic.raw.take()
    topic.wrapped.take(2)
    came = texts(again["MessageAttributes"])
    assert texts(first["MessageAttributes"]).items() <= came.items()
    sent = invocation.sent[-1]
    assert f"-{sent.span_id}-" in came["traceparent"]
    assert (sent.correlation.id, sent.correlation.trace_id) == ("other", "1" * 32)

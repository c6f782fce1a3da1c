"""Dead letters in real queues, topics and buckets, and what becomes of records without one."""

from __future__ import annotations

import itertools
import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest

import clew
from capture.events import FIELDS, with_context
from clew.streams import outbox
from clew.streams.envelope import unseal
from log.lines import invocation, logged

from .making import Context, body, event, fifo, kinesis, number_of, sqs

if TYPE_CHECKING:
    from clew.localcloud import LocalCloud

_numbers = itertools.count(1)


pytestmark = pytest.mark.usefixtures("in_cloud")


@pytest.fixture
def queue(cloud: LocalCloud) -> tuple[str, str]:
    """(URL, ARN) of a queue of its own."""
    return new_queue(cloud)


def new_queue(cloud: LocalCloud, suffix: str = "", **attributes: str) -> tuple[str, str]:
    client = cloud.client("sqs")
    url = client.create_queue(QueueName=f"dead-{next(_numbers)}{suffix}", Attributes=attributes)[
        "QueueUrl"
    ]
    arn = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return url, arn["QueueArn"]


def messages(cloud: LocalCloud, url: str, count: int = 1) -> list[dict[str, Any]]:
    """At least ``count`` messages of a queue, with all that came with them."""
    found: list[dict[str, Any]] = []
    client = cloud.client("sqs")
    for _ in range(40):
        got = client.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=1 if len(found) < count else 0,
            MessageAttributeNames=["All"],
            AttributeNames=["All"],
        ).get("Messages", [])
        found += got
        if len(found) >= count and not got:
            return found
    return found


def as_event(arn: str, received: list[dict[str, Any]]) -> dict[str, Any]:
    """What Lambda makes of messages."""
    return {
        "Records": [
            {
                "messageId": one["MessageId"],
                "receiptHandle": one["ReceiptHandle"],
                "body": one["Body"],
                "attributes": one["Attributes"],
                "messageAttributes": {
                    name: {
                        "dataType": value["DataType"],
                        "stringValue": value.get("StringValue"),
                        "binaryValue": b64encode(value.get("BinaryValue", b"")).decode(),
                    }
                    for name, value in one.get("MessageAttributes", {}).items()
                },
                "eventSource": "aws:sqs",
                "eventSourceARN": arn,
            }
            for one in received
        ]
    }


def batch(count: int) -> dict[str, Any]:
    """Records of one request each, of several keys."""
    raws = []
    for number in range(count):
        fields = {**FIELDS, "x-correlation-id": f"request-{number}"}
        raw = kinesis(number, f"key-{number % 4}")
        raw["kinesis"]["data"] = b64encode(with_context(body(number), fields)).decode()
        raws.append(raw)
    return event(raws)


def fails(*numbers: int) -> Any:
    def each(record: Any) -> None:
        if number_of(record) in numbers:
            raise KeyError(number_of(record))

    return each


def outcomes(lines: list[dict[str, Any]]) -> list[str]:
    return [one["outcome"] for one in invocation(lines)["received"]]


@pytest.mark.parametrize("by", ["url", "arn"])
@pytest.mark.parametrize("lanes", [None, 3])
def test_a_queue_has_the_record_and_its_story(
    cloud: LocalCloud, queue: tuple[str, str], by: str, lanes: int | None
) -> None:
    target = queue[by == "arn"]
    handler = clew.kinesis_handler(on_failure=clew.dead_letter(target), lanes=lanes)(fails(1, 5, 6))
    with logged() as lines:
        assert handler(batch(8), Context()) == {"batchItemFailures": []}
    found = {}
    for one in messages(cloud, queue[0], 3):
        letter = unseal(one["Body"])
        found[number_of(letter.record())] = (one, letter)
    assert set(found) == {1, 5, 6}
    wide = invocation(lines)
    for number, (one, letter) in found.items():
        assert letter.correlation_id == f"request-{number}"
        assert list(one["MessageAttributes"]) == ["clew-context"]
        context = json.loads(one["MessageAttributes"]["clew-context"]["BinaryValue"])
        received = wide["received"][number]
        assert received["outcome"] == "dead-lettered"
        (sent,) = [one for one in wide["sent"] if one["id"] == f"request-{number}"]
        assert context["traceparent"].split("-")[2] == sent["span"], "joined to the letter"
        assert sent["parent"] == received["span"]
        assert (sent["service"], sent["outcome"]) == ("sqs", "ok")
        (line,) = [
            line
            for line in lines
            if line["message"] == "record dead-lettered" and line["spanId"] == received["span"]
        ]
        assert (line["deadLetter"], line["target"]) == (letter.id, target)
    assert len(wide["sent"]) == 3


def test_letters_go_out_in_batches(cloud: LocalCloud, queue: tuple[str, str]) -> None:
    raws = [kinesis(number, f"key-{number}") for number in range(23)]
    handler = clew.kinesis_handler(on_failure=clew.dead_letter(queue[0]))(fails(*range(23)))
    with (
        cloud.faults.during("sqs", "SendMessageBatch", latency_s=0.001) as fault,
        logged() as lines,
    ):
        handler(event(raws), Context())
        calls = next(one for one in cloud.faults if one.id == fault.id).calls
    assert calls == 3
    assert outcomes(lines) == ["dead-lettered"] * 23
    assert len(messages(cloud, queue[0], 23)) == 23


def test_a_key_waits_for_its_letter(cloud: LocalCloud, queue: tuple[str, str]) -> None:
    """Its next record may only run when it is known that the one before is kept somewhere."""
    seen: list[int] = []

    def each(record: Any) -> None:
        seen.append(number_of(record))
        if number_of(record) in (0, 1):
            raise KeyError

    handler = clew.kinesis_handler(on_failure=clew.dead_letter(queue[0]))(each)
    raws = [kinesis(number, "abcb"[number]) for number in range(4)]
    with cloud.faults.during("sqs", "SendMessageBatch", error="OverLimit"), logged() as lines:
        answer = handler(event(raws), Context())
    assert seen == [0, 1, 2], "record 3 has the key of record 1"
    assert answer["batchItemFailures"][0]["itemIdentifier"].endswith("0000")
    assert outcomes(lines) == ["returned", "returned", "done", "returned"]


def test_a_queue_that_is_not_there_returns_the_record() -> None:
    url = "http://127.0.0.1:1/000000000000/not-there"
    handler = clew.kinesis_handler(on_failure=clew.dead_letter(url))(fails(1))
    with logged() as lines:
        answer = handler(batch(3), Context())
    assert answer["batchItemFailures"][0]["itemIdentifier"].endswith("0001")
    assert outcomes(lines) == ["done", "returned", "done"]
    (line,) = [line for line in lines if line["message"] == "record returned"]
    assert "its dead letter could not be written to" in line["why"]
    assert line["exception"]["type"] == "KeyError", "and the error that it was for"
    assert "dead letter" in invocation(lines)["received"][1]["error"]


def test_entries_that_are_refused_are_sent_once_more(
    cloud: LocalCloud, queue: tuple[str, str]
) -> None:
    handler = clew.kinesis_handler(on_failure=clew.dead_letter(queue[0]))(fails(*range(8)))
    sqs_calls = cloud.faults.add(
        "sqs", "SendMessageBatch", error="ServiceUnavailable", rate=0.5, seed=3
    )
    done: set[int] = set()
    for _ in range(20):
        with logged() as lines:
            handler(batch(8), Context())
        done |= {n for n, one in enumerate(outcomes(lines)) if one == "dead-lettered"}
        if len(done) == 8:
            break
    cloud.faults.clear(sqs_calls.id)
    kept = {number_of(unseal(one["Body"]).record()) for one in messages(cloud, queue[0], 8)}
    assert done == kept == set(range(8))


def test_a_topic_has_it_too(cloud: LocalCloud, queue: tuple[str, str]) -> None:
    sns = cloud.client("sns")
    topic = sns.create_topic(Name=f"dead-{next(_numbers)}")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue[1])
    handler = clew.kinesis_handler(on_failure=clew.dead_letter(topic))(fails(1, 2))
    with logged() as lines:
        handler(batch(4), Context())
    assert outcomes(lines) == ["done", "dead-lettered", "dead-lettered", "done"]
    assert {one["service"] for one in invocation(lines)["sent"]} == {"sns"}
    numbers = []
    for one in messages(cloud, queue[0], 2):
        notification = json.loads(one["Body"])
        letter = unseal(notification["Message"])
        assert list(notification["MessageAttributes"]) == ["clew-context"]
        numbers.append(number_of(letter.record()))
    assert sorted(numbers) == [1, 2]


def test_a_bucket_has_an_object_each(cloud: LocalCloud) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="dead-letters")
    handler = clew.kinesis_handler(on_failure=clew.dead_letter("s3://dead-letters/in/here"))(
        fails(1, 2)
    )
    with logged() as lines:
        handler(batch(4), Context())
    assert outcomes(lines) == ["done", "dead-lettered", "dead-lettered", "done"]
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket="dead-letters")["Contents"]]
    assert all(key.startswith("in/here/timeline/20") and key.endswith(".json") for key in keys)
    numbers = []
    for key in keys:
        found = s3.get_object(Bucket="dead-letters", Key=key)
        letter = unseal(found["Body"].read())
        numbers.append(number_of(letter.record()))
        assert found["Metadata"]["x-correlation-id"] == letter.correlation_id
    assert sorted(numbers) == [1, 2]


def large(number: int, size: int) -> dict[str, Any]:
    raw = kinesis(number, f"key-{number}")
    data = json.dumps({"n": number, "filler": "x" * size}).encode()
    raw["kinesis"]["data"] = b64encode(data).decode()
    return raw


def test_what_a_message_has_no_room_for_is_left_in_a_bucket(
    cloud: LocalCloud, queue: tuple[str, str]
) -> None:
    cloud.client("s3").create_bucket(Bucket="claims")
    policy = clew.dead_letter(queue[0], claim_check="s3://claims/x")
    handler = clew.kinesis_handler(on_failure=policy)(fails(0, 1))
    with logged() as lines:
        handler(event([large(0, 2_000_000), large(1, 10)]), Context())
    assert outcomes(lines) == ["dead-lettered"] * 2
    received = messages(cloud, queue[0], 2)
    letters = {unseal(one["Body"]).claim is not None: one for one in received}
    assert set(letters) == {True, False}
    claimed = unseal(letters[True]["Body"])
    assert claimed.members["payload"]["bytes"] > 2_000_000
    assert claimed.members["error"]["type"] == "KeyError", "all the rest is in the message"

    seen: list[Any] = []
    again = clew.retry_handler(on_failure=clew.halt())(seen.append)
    with logged() as lines:
        assert again(as_event(queue[1], received), Context()) == {"batchItemFailures": []}
    assert {number_of(one): len(one.data) for one in seen}[0] > 2_000_000


def test_without_a_bucket_what_is_too_large_is_returned(queue: tuple[str, str]) -> None:
    handler = clew.kinesis_handler(on_failure=clew.dead_letter(queue[0]))(fails(0, 1))
    with logged() as lines:
        answer = handler(event([large(0, 2_000_000), large(1, 10)]), Context())
    assert answer["batchItemFailures"][0]["itemIdentifier"].endswith("0000")
    assert "give dead_letter a claim_check" in invocation(lines)["received"][0]["error"]


def test_a_fifo_queue_keeps_the_order_of_each_key(cloud: LocalCloud) -> None:
    url, _ = new_queue(cloud, ".fifo", FifoQueue="true")
    handler = clew.kinesis_handler(on_failure=clew.dead_letter(url))(fails(*range(12)))
    with logged() as lines:
        handler(batch(12), Context())
    assert outcomes(lines) == ["dead-lettered"] * 12
    by_group: dict[str, list[int]] = {}
    client = cloud.client("sqs")
    for _ in range(24):
        for one in messages(cloud, url):
            number = number_of(unseal(one["Body"]).record())
            by_group.setdefault(one["Attributes"]["MessageGroupId"], []).append(number)
            client.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        if sum(map(len, by_group.values())) == 12:
            break
    assert sorted(by_group.values()) == [[0, 4, 8], [1, 5, 9], [2, 6, 10], [3, 7, 11]]


def test_a_slow_target_leaves_more_time_for_the_report(
    cloud: LocalCloud, queue: tuple[str, str]
) -> None:
    policy = clew.dead_letter(queue[0])
    handler = clew.kinesis_handler(on_failure=policy)(fails(0))
    target: Any = policy
    assert outbox.slowest_s(target) == outbox.FIRST_GUESS_S
    with cloud.faults.during("sqs", "SendMessageBatch", latency_s=0.7), logged():
        handler(batch(1), Context())
    assert outbox.slowest_s(target) >= 0.7


# The second chance.


def place_again(policy: clew.Policy, each: Any, **options: Any) -> Any:
    return clew.retry_handler(on_failure=policy, **options)(each)


@pytest.mark.parametrize("how", ["function", "handler"])
def test_the_same_function_gets_the_same_record_in_the_same_story(
    cloud: LocalCloud, queue: tuple[str, str], how: str
) -> None:
    seen: list[Any] = []
    broken = [True]

    def each(record: clew.KinesisRecord) -> None:
        assert clew.current() is record.correlation
        if broken[0]:
            raise KeyError("not yet")
        seen.append(record)

    handler = clew.kinesis_handler(
        on_failure=clew.retry(1, backoff=0, then=clew.dead_letter(queue[0]))
    )(each)
    with logged() as first:
        handler(batch(2), Context())
    broken[0] = False
    received = messages(cloud, queue[0], 2)
    again = place_again(clew.halt(), each if how == "function" else handler)
    with logged() as second:
        assert again(as_event(queue[1], received), Context()) == {"batchItemFailures": []}
    assert sorted(number_of(record) for record in seen) == [0, 1]
    record = next(one for one in seen if number_of(one) == 1)
    assert isinstance(record, clew.KinesisRecord)
    assert (record.partition_key, record.sequence_number[-4:]) == ("key-1", "0001")
    assert record.data == body(1)
    assert record.correlation.id == "request-1"
    (sent,) = [one for one in invocation(first)["sent"] if one["id"] == "request-1"]
    (entry,) = [one for one in invocation(second)["received"] if one["id"] == "request-1"]
    assert entry["parent"] == sent["span"], "both lives are one story"
    assert (entry["outcome"], entry["attempts"]) == ("done", 1)
    assert "messageId" in entry


def test_after_its_own_limit_the_envelope_is_parked(
    cloud: LocalCloud, queue: tuple[str, str]
) -> None:
    last, _ = new_queue(cloud)
    each = fails(0)
    handler = clew.kinesis_handler(on_failure=clew.dead_letter(queue[0]))(each)
    with logged():
        handler(batch(1), Context())
    received = messages(cloud, queue[0])
    before = unseal(received[0]["Body"])
    policy = clew.retry(times=2, backoff="1h", in_queue=True, then=clew.dead_letter(last))
    again = place_again(policy, each)
    came = as_event(queue[1], received)
    for receives in ("1", "2"):
        came["Records"][0]["attributes"]["ApproximateReceiveCount"] = receives
        came["Records"][0]["attributes"]["ApproximateFirstReceiveTimestamp"] = ""
        with logged() as lines:
            answer = again(came, Context())
        assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == [
            received[0]["MessageId"]
        ]
        assert outcomes(lines) == ["returned"]
    came["Records"][0]["attributes"]["ApproximateReceiveCount"] = "3"
    with logged() as lines:
        assert again(came, Context()) == {"batchItemFailures": []}
    assert outcomes(lines) == ["dead-lettered"]
    (one,) = messages(cloud, last)
    parked = unseal(one["Body"])
    assert (parked.id, parked.lives, parked.attempts) == (before.id, 2, 2)
    assert parked.payload == before.payload
    assert parked.members["history"][0]["error"] == {"type": "KeyError", "message": "0"}
    assert parked.correlation_id == "request-0"


def test_what_is_no_dead_letter_fails_at_once_and_alone(
    cloud: LocalCloud, queue: tuple[str, str]
) -> None:
    last, _ = new_queue(cloud)
    seen: list[Any] = []
    policy = clew.retry(5, backoff="1m", then=clew.dead_letter(last))
    again = place_again(policy, seen.append)
    later = {"clewDeadLetter": 99}
    raws = [sqs(0, ""), {**sqs(1, ""), "body": json.dumps(later)}]
    with logged() as lines:
        assert again(event(raws), Context()) == {"batchItemFailures": []}
    assert seen == []
    assert outcomes(lines) == ["dead-lettered"] * 2
    errors = {unseal(one["Body"]).members["error"]["message"] for one in messages(cloud, last, 2)}
    assert len(errors) == 2
    assert any("up to 1: update clew" in error for error in errors)


def test_a_claim_that_cannot_be_fetched_is_returned(
    cloud: LocalCloud, queue: tuple[str, str]
) -> None:
    cloud.client("s3").create_bucket(Bucket="slow-claims")
    last, _ = new_queue(cloud)
    policy = clew.dead_letter(queue[0], claim_check="s3://slow-claims/x")
    handler = clew.kinesis_handler(on_failure=policy)(fails(0))
    with logged():
        handler(event([large(0, 300_000)]), Context())
    came = as_event(queue[1], messages(cloud, queue[0]))
    again = place_again(clew.dead_letter(last), fails())
    with cloud.faults.during("s3", "GetObject", error="SlowDown"), logged() as lines:
        answer = again(came, Context())
    assert len(answer["batchItemFailures"]) == 1
    assert outcomes(lines) == ["returned"], "it may be there another time"
    s3 = cloud.client("s3")
    (found,) = s3.list_objects_v2(Bucket="slow-claims")["Contents"]
    s3.delete_object(Bucket="slow-claims", Key=found["Key"])
    with logged() as lines:
        again(came, Context())
    assert outcomes(lines) == ["dead-lettered"]
    (one,) = messages(cloud, last)
    assert "is gone from s3://slow-claims/" in unseal(one["Body"]).members["error"]["message"]


def test_a_topic_may_give_the_second_chance(cloud: LocalCloud, queue: tuple[str, str]) -> None:
    handler = clew.kinesis_handler(on_failure=clew.dead_letter(queue[0]))(fails(0))
    with logged():
        handler(batch(1), Context())
    (one,) = messages(cloud, queue[0])
    from .making import message

    seen: list[Any] = []
    again = place_again(clew.halt(), seen.append)
    with logged():
        again(message(one["Body"]), Context())
    assert [number_of(record) for record in seen] == [0]
    with logged(), pytest.raises(KeyError):
        place_again(clew.halt(), fails(0))(message(one["Body"]), Context())


# Waiting in the queue.


@pytest.mark.parametrize("make", [sqs, fifo])
def test_a_message_waits_in_its_queue(cloud: LocalCloud, make: Any) -> None:
    is_fifo = make is fifo
    url, arn = new_queue(
        cloud, ".fifo" if is_fifo else "", **({"FifoQueue": "true"} if is_fifo else {})
    )
    client = cloud.client("sqs")
    for number in range(2):
        own = {"MessageGroupId": "g", "MessageDeduplicationId": str(number)} if is_fifo else {}
        client.send_message(QueueUrl=url, MessageBody=body(number).decode(), **own)
    policy = clew.retry(times=3, backoff="1h", in_queue=True, then=clew.skip())
    handler = clew.sqs_handler(on_failure=policy)(fails(0, 1))
    received = messages(cloud, url, 2)
    with cloud.faults.during("sqs", "ChangeMessageVisibilityBatch", latency_s=0.001) as fault:
        with logged() as lines:
            answer = handler(as_event(arn, received), Context())
        calls = next(one for one in cloud.faults if one.id == fault.id).calls
    assert len(answer["batchItemFailures"]) == 2
    assert calls == 1
    assert outcomes(lines) == ["returned"] * 2
    client.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "0"})
    assert messages(cloud, url, 0) == [], "they are hidden for longer than the queue would"

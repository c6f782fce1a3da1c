"""Dead letters in real queues, topics and buckets, and what becomes of records without one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import clew
from clew.streams import outbox
from clew.streams.envelope import unseal
from log.lines import invocation, logged

from .making import Context, event, kinesis, number_of
from .queues import as_event, batch, fails, large, messages, new_name, new_queue, outcomes

if TYPE_CHECKING:
    from clew.localcloud import LocalCloud

pytestmark = pytest.mark.usefixtures("in_cloud")


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
        assert (sent["span"], sent["deadLetter"]) == (letter.span_id, letter.id)
        assert sent["parent"] == received["span"]
        assert (sent["service"], sent["outcome"]) == ("sqs", "ok")
        (line,) = [
            line
            for line in lines
            if line["message"] == "record dead-lettered" and line["spanId"] == received["span"]
        ]
        assert (line["deadLetter"], line["target"]) == (letter.id, target)
    assert len(wide["sent"]) == 3


def test_letters_of_one_request_are_told_apart(cloud: LocalCloud, queue: tuple[str, str]) -> None:
    raws = batch(4)["Records"]
    for raw in raws:
        raw["kinesis"]["data"] = raws[0]["kinesis"]["data"]  # all have its id, and its trace

    def each(record: Any) -> None:
        if record.sequence_number != raws[0]["kinesis"]["sequenceNumber"]:
            raise KeyError

    handler = clew.kinesis_handler(on_failure=clew.dead_letter(queue[0]))(each)
    with logged() as lines:
        handler(event(raws), Context())
    wide = invocation(lines)
    letters = [unseal(one["Body"]) for one in messages(cloud, queue[0], 3)]
    own = {letter.id: letter.members["correlation"]["spanId"] for letter in letters}
    assert {one["deadLetter"]: one["parent"] for one in wide["sent"]} == own
    assert set(own.values()) == {one["span"] for one in wide["received"][1:]}


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


def test_an_error_whose_text_is_no_unicode_is_written_all_the_same(
    cloud: LocalCloud, queue: tuple[str, str]
) -> None:
    """Or its record would be returned for ever, and all behind it would wait."""

    def each(_record: Any) -> None:
        raise ValueError("half a pair: \ud800, escape: \x1b[2J, none at all: \ufffe")

    handler = clew.kinesis_handler(on_failure=clew.dead_letter(queue[0]))(each)
    with logged() as lines:
        handler(batch(2), Context())
    assert outcomes(lines) == ["dead-lettered"] * 2
    for one in messages(cloud, queue[0], 2):
        said = unseal(one["Body"]).members["error"]["message"]
        assert said == "half a pair: \ud800, escape: \x1b[2J, none at all: \ufffe"


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
    topic = sns.create_topic(Name=new_name())["TopicArn"]
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
    sent = [(one["service"], one["deadLetter"] == claimed.id) for one in invocation(lines)["sent"]]
    assert sorted(sent) == [("s3", True), ("sqs", False), ("sqs", True)], "each says what it was"

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

"""Letters sent back: in order, once, and never deleted before they are sent."""

from __future__ import annotations

import io
import json
import zipfile
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest

import clew
from clew.dlq.errors import DlqError
from clew.dlq.filters import Filter
from clew.dlq.journal import Journal
from clew.dlq.parts import ToStream, Where
from clew.dlq.queue import find_queue
from clew.dlq.redrive import Redrive
from clew.dlq.send import BEHIND, Sender
from clew.streams.envelope import unseal
from log.lines import logged
from streams.making import Context, event, kinesis
from streams.queues import as_event, fails

from .conftest import Queue, Stream, dead_letters, dead_messages, fresh, one_sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import boto3

    from clew.localcloud import LocalCloud

    from .conftest import Ran

    Dlq = Callable[..., Ran]

FUNCTION = """
import json

def handler(event, context):
    print(json.dumps({"got": event}))
    record = event["Records"][0] if "Records" in event else {}
    if "fail" in json.dumps(event):
        raise ValueError("told to fail")
    if record.get("kinesis", {}).get("partitionKey") == "key-2":
        return {"batchItemFailures": [{"itemIdentifier": ""}]}
"""


@pytest.fixture(scope="module")
def function(cloud: LocalCloud) -> Iterator[str]:
    """A function that says what it got."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", FUNCTION)
    name = fresh("again")
    client = cloud.client("lambda")
    client.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role="arn:aws:iam::000000000000:role/r",
        Handler="app.handler",
        Code={"ZipFile": buffer.getvalue()},
    )
    yield name
    client.delete_function(FunctionName=name)


def got(cloud: LocalCloud, function: str) -> list[Any]:
    """The events that a function had."""
    lines = (line.message for line in cloud.log_lines(function))
    return [json.loads(line)["got"] for line in lines if line.startswith('{"got"')]


def test_records_go_back_to_their_stream_in_order(dlq: Dlq, queue: Queue, stream: Stream) -> None:
    dead_letters(queue, 60, stream)
    ran = dlq("redrive", queue.name, "--to", "source", "--yes")
    assert ran == (f"Sent 60 dead letters to the Kinesis stream {stream.name}.\n", "", 0)
    assert (queue.visible, queue.hidden) == (0, 0)
    records = stream.records()
    assert sorted(stream.numbers()) == list(range(60))
    for key in range(4):
        mine = [json.loads(one["Data"]) for one in records if one["PartitionKey"] == f"key-{key}"]
        assert [one["n"] for one in mine] == list(range(key, 60, 4))
        assert [one["__context"]["x-correlation-id"] for one in mine] == [
            f"request-{n}" for n in range(key, 60, 4)
        ]
    assert all("idempotency-key" in json.loads(one["Data"])["__context"] for one in records)


def test_only_what_is_meant_is_sent(dlq: Dlq, queue: Queue, stream: Stream) -> None:
    dead_letters(queue, 8, stream)
    dry = dlq("redrive", queue.name, "--to", "source", "--error", "KeyError: 3", "--dry-run")
    assert dry == (f"Would send 1 dead letter to the Kinesis stream {stream.name}.\n", "", 0)
    assert (queue.visible, stream.records()) == (8, [])
    assert dlq("redrive", queue.name, "--to", "source", "--id", "request-3", "--yes").status == 0
    assert (queue.visible, stream.numbers()) == (7, [3])
    limited = dlq("redrive", queue.name, "--to", "source", "--limit", "2", "--yes", "--json")
    assert limited.json["sent"] == {f"the Kinesis stream {stream.name}": 2}
    assert (queue.visible, stream.numbers()) == (5, [3, 0, 1])
    none = dlq("redrive", queue.name, "--to", "source", "--function", "other", "--yes")
    assert none == (f"Nothing to send in {queue.name}.\n", "", 0)


def test_it_asks_first(dlq: Dlq, queue: Queue, stream: Stream) -> None:
    dead_letters(queue, 1, stream)
    ran = dlq("redrive", queue.name, "--to", "source")
    assert (ran.status, "nobody to ask here; give --yes" in ran.err) == (2, True)
    assert (queue.visible, stream.records()) == (1, [])


def test_a_rate_is_kept(dlq: Dlq, queue: Queue, stream: Stream, monkeypatch: Any) -> None:
    waits: list[int] = []
    monkeypatch.setattr("clew.dlq.send.Pace.wait", lambda _pace, count: waits.append(count))
    dead_letters(queue, 10, stream)
    assert dlq("redrive", queue.name, "--to", "source", "--rate", "8/s", "--yes").status == 0
    assert waits == [2] * 5
    wrong = dlq("redrive", queue.name, "--to", "source", "--rate", "fast")
    assert (wrong.status, "like 50/s" in wrong.err) == (2, True)


def test_a_stream_that_is_gone_leaves_the_letters(
    dlq: Dlq, cloud: LocalCloud, queue: Queue, stream: Stream
) -> None:
    other = Stream(cloud)
    dead_letters(queue, 3, other)
    dead_letters(queue, 2, stream)
    other.client.delete_stream(StreamName=other.name)
    ran = dlq("redrive", queue.name, "--to", "source", "--yes")
    assert ran.status == 1
    assert ran.out == f"Sent 2 dead letters to the Kinesis stream {stream.name}.\n"
    assert ran.err.startswith(f"3 dead letters not sent, still in {queue.name}:\n")
    assert ran.err.count(f"there is no stream {other.arn} any more") == 3
    assert (queue.visible, queue.hidden) == (3, 0)


def test_a_stream_that_is_full_leaves_the_letters(
    dlq: Dlq, cloud: LocalCloud, queue: Queue, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clew.dlq.send._PATIENCE_S", 0.1)
    dead_letters(queue, 8, stream)
    full = "ProvisionedThroughputExceededException"
    with cloud.faults.during("kinesis", "PutRecords", error=full):
        ran = dlq("redrive", queue.name, "--to", "source", "--yes", "--json")
    assert (ran.status, len(ran.json["failed"])) == (1, 8)
    assert all("took no record for 100ms" in one["why"] for one in ran.json["failed"])
    assert not any("left over" in one["why"] for one in ran.json["failed"])
    assert (queue.visible, stream.records()) == (8, [])
    assert dlq("redrive", queue.name, "--to", "source", "--yes").status == 0
    assert sorted(stream.numbers()) == list(range(8))


def test_a_record_that_is_refused_keeps_its_key_behind_it(
    session: boto3.Session, stream: Stream
) -> None:
    sender = Sender(session)

    def parts(*given: tuple[str, bytes]) -> list[ToStream]:
        return [ToStream(stream.arn, key, data) for key, data in given]

    large = b"x" * 2_000_000
    told = sender.send(parts(("a", b"1"), ("b", large), ("a", b"2"), ("b", b"3")))
    assert [one.partition(":")[0] for one in told] == ["", "ValidationException", "", BEHIND]
    assert sender.send(parts(("b", b"4"), ("c", b"5"))) == [BEHIND, ""]
    assert [one["Data"] for one in stream.records()] == [b"1", b"2", b"5"]


def test_messages_go_back_to_their_queue_with_all_they_had(
    dlq: Dlq, cloud: LocalCloud, queue: Queue
) -> None:
    source = Queue(cloud, "orders")
    own = {"DataType": "String", "StringValue": "gold"}
    ids = {"DataType": "String", "StringValue": "request-1"}
    attributes = {"tier": own, "x-correlation-id": ids}
    with logged():
        source.send("a < b", MessageAttributes=attributes)
    dead_messages(queue, source)
    ran = dlq("redrive", queue.name, "--to", "queue", "--yes")
    assert ran == (f"Sent 1 dead letter to the queue {source.name}.\n", "", 0)
    received = source.take()
    found: list[Any] = list(clew.capture(as_event(source.arn, received)).records)
    (record,) = found
    assert (record.payload, record.correlation.id) == ("a < b", "request-1")
    assert record.attributes["tier"]["stringValue"] == "gold"
    assert record.idempotency_key.startswith(source.arn)
    assert not record.idempotency_key.endswith(received[0]["MessageId"]), "the key that it had"


def test_a_fifo_queue_gets_its_groups_in_order(dlq: Dlq, cloud: LocalCloud) -> None:
    fifo = {"FifoQueue": "true"}
    source, dead = Queue(cloud, "orders", **fifo), Queue(cloud, "dead", **fifo)
    for n in range(24):
        source.send(str(n), MessageGroupId=f"g{n % 2}", MessageDeduplicationId=f"d{n}")
    while source.visible:
        dead_messages(dead, source)
    assert dead.visible == 24
    assert dlq("redrive", dead.name, "--to", "source", "--yes").status == 0
    found: list[dict[str, Any]] = []
    while some := source.take():
        found += some
        for one in some:
            source.client.delete_message(QueueUrl=source.url, ReceiptHandle=one["ReceiptHandle"])
    for group in range(2):
        bodies = [
            int(one["Body"]) for one in found if one["Attributes"]["MessageGroupId"] == f"g{group}"
        ]
        assert bodies == list(range(group, 24, 2))


def test_the_same_message_fails_again_and_is_not_dropped_as_a_repeat(
    dlq: Dlq, cloud: LocalCloud
) -> None:
    """Within the five minutes in which a FIFO queue drops what it had already."""
    fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    source, dead = Queue(cloud, "orders", **fifo), Queue(cloud, "dead", **fifo)
    source.send("one", MessageGroupId="g")
    for _life in range(3):
        dead_messages(dead, source)
        assert dlq("redrive", dead.name, "--to", "source", "--yes").status == 0
    assert [one["Body"] for one in source.take()] == ["one"]


def test_plain_messages_go_where_a_redrive_policy_took_them_from(
    dlq: Dlq, cloud: LocalCloud, queue: Queue
) -> None:
    policy = json.dumps({"deadLetterTargetArn": queue.arn, "maxReceiveCount": 1})
    source = Queue(cloud, "orders", RedrivePolicy=policy, VisibilityTimeout="0")
    source.send("plain", MessageAttributes={"a": {"DataType": "Number", "StringValue": "1"}})
    source.client.receive_message(QueueUrl=source.url)
    assert source.take() == []
    source.client.set_queue_attributes(QueueUrl=source.url, Attributes={"RedrivePolicy": ""})
    (listed,) = dlq("list", queue.name, "--json").json
    assert (listed["kind"], listed["origin"]) == ("message", source.arn)
    assert dlq("redrive", queue.name, "--to", "source", "--yes").status == 0
    (message,) = source.client.receive_message(QueueUrl=source.url, MessageAttributeNames=["All"])[
        "Messages"
    ]
    assert message["Body"] == "plain"
    assert message["MessageAttributes"]["a"]["StringValue"] == "1"
    queue.send("from nowhere")
    ran = dlq("redrive", queue.name, "--to", "source", "--yes")
    assert (ran.status, queue.visible) == (1, 1)
    assert "Nothing says which queue it came from; redrive it with --to queue --queue" in ran.err
    assert dlq("redrive", queue.name, "--to", "queue", "--queue", source.arn, "--yes").status == 0
    assert "from nowhere" in [one["Body"] for one in _received(source)]


def _received(queue: Queue) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = queue.client.receive_message(
        QueueUrl=queue.url, MaxNumberOfMessages=10
    ).get("Messages", [])
    return found


def test_letters_are_moved_whole_to_another_queue(
    dlq: Dlq, cloud: LocalCloud, queue: Queue, stream: Stream
) -> None:
    again = Queue(cloud, "again")
    dead_letters(queue, 3, stream)
    ran = dlq("redrive", queue.name, "--to", "queue", "--queue", again.name, "--yes")
    assert ran.out == f"Sent 3 dead letters to the queue {again.name}.\n"
    seen: list[int] = []

    def each(record: Any) -> None:
        assert clew.current().id == f"request-{record.payload['n']}"
        seen.append(record.payload["n"])

    handler = clew.retry_handler(on_failure=clew.halt())(each)
    with logged():
        handler(as_event(again.arn, again.take()), Context())
    assert sorted(seen) == [0, 1, 2]


def test_a_topic_gets_its_message_again(dlq: Dlq, cloud: LocalCloud, queue: Queue) -> None:
    sns, subscriber = cloud.client("sns"), Queue(cloud, "subscriber")
    topic = sns.create_topic(Name=fresh("topic"))["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=subscriber.arn)
    message = {
        "EventSource": "aws:sns",
        "EventSubscriptionArn": f"{topic}:x",
        "Sns": {
            "Type": "Notification",
            "MessageId": "a-message",
            "TopicArn": topic,
            "Subject": "of it",
            "Message": '{"n": 1}',
            "Timestamp": "2026-01-02T03:04:05.000Z",
            "MessageAttributes": {"x-correlation-id": {"Type": "String", "Value": "request-1"}},
        },
    }
    handler = clew.sns_handler(on_failure=clew.dead_letter(queue.url))(fails(1))
    with logged():
        handler({"Records": [message]}, Context())
    assert dlq("redrive", queue.name, "--to", "source", "--yes").status == 0
    (received,) = subscriber.take()
    notification = json.loads(received["Body"])
    assert (notification["Message"], notification["Subject"]) == ('{"n": 1}', "of it")
    assert notification["MessageAttributes"]["x-correlation-id"]["Value"] == "request-1"


def test_the_function_gets_each_record_as_its_event(
    dlq: Dlq, cloud: LocalCloud, queue: Queue, stream: Stream, function: str
) -> None:
    dead_letters(queue, 4, stream)
    gone = dlq("redrive", queue.name, "--to", "function", "--yes", "--limit", "1")
    assert (gone.status, queue.visible) == (1, 4)
    assert "timeline" in gone.err
    ran = dlq("redrive", queue.name, "--to", "function", "--invoke", function, "--yes")
    assert (ran.status, queue.visible) == (1, 1)
    assert "returned the record in batchItemFailures" in ran.err
    ids = set()
    for one in got(cloud, function):
        if "Records" in one and "kinesis" in one["Records"][0]:
            record: Any = clew.capture(one).records[0]
            ids.add((record.correlation.id, record.payload["n"], record.partition_key))
    assert {(f"request-{n}", n, f"key-{n}") for n in range(4)} <= ids


def test_an_invocation_that_failed_is_made_again(
    dlq: Dlq, cloud: LocalCloud, queue: Queue, function: str
) -> None:
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function}:$LATEST"

    def failed(payload: Any) -> str:
        return json.dumps(
            {
                "version": "1.0",
                "timestamp": "2026-01-02T03:04:05.678Z",
                "requestContext": {
                    "requestId": "a-request",
                    "functionArn": arn,
                    "condition": "RetriesExhausted",
                    "approximateInvokeCount": 3,
                },
                "requestPayload": payload,
                "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
                "responsePayload": {"errorType": "ValueError", "errorMessage": "bad"},
            }
        )

    queue.send(failed({"order": 1, "__context": {"x-correlation-id": "request-77"}}))
    queue.send(failed({"order": "fail"}))
    found = dlq("list", queue.name, "--json").json
    assert {one["correlationId"] for one in found} == {"request-77", "a-request"}
    assert {(one["function"], one["error"]["type"], one["attempts"]) for one in found} == {
        (function, "ValueError", 3)
    }
    ran = dlq("redrive", queue.name, "--to", "function", "--yes")
    assert (ran.status, queue.visible) == (1, 1)
    assert "the function failed (ValueError: told to fail)" in ran.err
    assert {"order": 1, "__context": {"x-correlation-id": "request-77"}} in got(cloud, function)


def test_a_large_record_is_fetched_from_where_it_is(
    dlq: Dlq, cloud: LocalCloud, queue: Queue, stream: Stream
) -> None:
    bucket, s3 = fresh("claims"), cloud.client("s3")
    s3.create_bucket(Bucket=bucket)
    raws = []
    for number in range(2):
        raw = kinesis(number, f"key-{number}")
        data = json.dumps({"n": number, "filler": "x" * 280_000}).encode()
        raw["kinesis"]["data"] = b64encode(data).decode()
        raws.append({**raw, "eventSourceARN": stream.arn})
    policy = clew.dead_letter(queue.url, claim_check=f"s3://{bucket}/in")
    with logged():
        clew.kinesis_handler(on_failure=policy)(fails(0, 1))(event(raws), Context())
    letters = [unseal(one["body"]) for one in _bodies(dlq, queue)]
    assert all(letter.claim for letter in letters)
    lost = letters[1]
    s3.delete_object(Bucket=bucket, Key=(lost.claim or ("", ""))[1])
    shown = dlq("show", queue.name, letters[0].id)
    assert "280," in shown.out
    assert "is gone from s3://" in dlq("show", queue.name, lost.id).out
    ran = dlq("redrive", queue.name, "--to", "source", "--yes")
    assert (ran.status, queue.visible, len(stream.records())) == (1, 1, 1)
    assert f"The payload of the letter {lost.id} is gone from s3://{bucket}/in" in ran.err


def _bodies(dlq: Dlq, queue: Queue) -> list[dict[str, Any]]:
    return [one["message"] for one in dlq("list", queue.name, "--json").json]


def test_a_later_format_stays(dlq: Dlq, queue: Queue, stream: Stream) -> None:
    dead_letters(queue, 1, stream)
    queue.send('{"clewDeadLetter": 2, "id": "x"}')
    ran = dlq("redrive", queue.name, "--to", "source", "--yes")
    assert (ran.status, queue.visible, stream.numbers()) == (1, 1, [0])
    assert "has the format '2', and this clew reads up to 1" in ran.err
    assert "has the format '2'" in dlq("list", queue.name, "--json").out


def test_options_that_do_not_go_together_are_said(dlq: Dlq, queue: Queue) -> None:
    for words, said in (
        (["--to", "source", "--queue", "x"], "--queue goes with --to queue"),
        (["--to", "source", "--invoke", "x"], "--invoke goes with --to function"),
        ([], "--to"),
        (["--to", "source", "--profile", "x"], "--local is of a local cloud"),
        (["--to", "queue", "--queue", queue.arn], f"another queue than {queue.name} itself"),
    ):
        ran = dlq("redrive", queue.name, *words)
        assert (ran.status, said in ran.err) == (2, True)
    with one_sentence(
        dlq("redrive", queue.name, "--to", "queue", "--queue", "no-such")
    ) as sentence:
        assert "There is no queue no-such" in sentence


def test_a_journal_that_cannot_be_written_sends_nothing(
    dlq: Dlq, queue: Queue, stream: Stream
) -> None:
    dead_letters(queue, 1, stream)
    ran = dlq("redrive", queue.name, "--to", "source", "--yes", "--journal", "/dev/null/no.db")
    with one_sentence(ran) as sentence:
        assert "The journal /dev/null/no.db cannot be used" in sentence
    assert (queue.visible, stream.records()) == (1, [])


def test_a_journal_that_is_full_by_then_leaves_nothing_that_was_sent(
    dlq: Dlq, queue: Queue, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot be noted any more, and another journal would not know: so it is deleted."""
    dead_letters(queue, 5, stream)
    note = Journal.note

    def full(self: Journal, queue: str, parts: Any, state: str) -> None:
        if state != "sending":
            raise DlqError("The journal cannot be used: the disk is full.")
        note(self, queue, parts, state)

    words = ["redrive", queue.name, "--to", "source", "--yes", "--rate", "8/s"]  # two at once
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "note", full)
        with one_sentence(dlq(*words)) as sentence:
            assert "the disk is full" in sentence
    assert (stream.numbers(), queue.visible) == ([0, 1], 3)
    assert dlq(*words, "--journal", "another.db").status == 0
    assert (stream.numbers(), queue.visible) == ([0, 1, 2, 3, 4], 0)


def test_what_was_stopped_goes_on_the_next_time(
    dlq: Dlq, queue: Queue, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead_letters(queue, 9, stream)
    waits: list[int] = []

    def wait(_pace: Any, count: int) -> None:
        waits.append(count)
        if len(waits) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("clew.dlq.send.Pace.wait", wait)
        ran = dlq("redrive", queue.name, "--to", "source", "--rate", "8/s", "--yes")
    assert (ran.out, ran.status) == ("", 130)
    assert ran.err.strip() == "Stopped after 4 dead letters; run it again to go on."
    assert (queue.visible, queue.hidden) == (5, 0)
    assert dlq("redrive", queue.name, "--to", "source", "--yes").status == 0
    assert stream.numbers() == list(range(9))


def test_what_somebody_else_has_is_said_before_others_go_ahead_of_it(
    dlq: Dlq, queue: Queue, stream: Stream
) -> None:
    """A run that was killed has letters in hand that should have gone first."""
    dead_letters(queue, 3, stream)
    queue.client.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=1, VisibilityTimeout=600)
    ran = dlq("redrive", queue.name, "--to", "source", "--dry-run")
    assert ran.out == f"Would send 2 dead letters to the Kinesis stream {stream.name}.\n"
    assert ran.err.startswith(f"Note: 1 message of {queue.name} somebody else has in hand, ")
    assert (ran.status, stream.records()) == (0, [])


def test_letters_that_come_while_it_runs_are_left_for_the_next_run(
    session: boto3.Session, queue: Queue, stream: Stream, tmp_path: Path
) -> None:
    dead_letters(queue, 2, stream)
    found = find_queue(session, queue.name)
    found.found_at -= 3600  # they were all sent after it began
    with Journal(tmp_path / "journal.db") as journal:
        result = Redrive(session, found, Filter(), Where(), journal).run()
    assert (result.done, result.seen, stream.records()) == (0, 2, [])
    assert (queue.visible, queue.hidden) == (2, 0)

"""Looking at a queue: all of it is seen, and nothing is hidden, lost or moved by it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from clew.dlq import queue as dlq_queue
from clew.dlq.filters import Filter
from clew.dlq.look import look
from clew.dlq.queue import Hold, find_queue

from .conftest import Queue, dead_letters, one_sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import boto3

    from clew.localcloud import LocalCloud

    from .conftest import Ran, Stream

    Dlq = Callable[..., Ran]


@pytest.mark.parametrize("many", [10, 1000])
def test_every_letter_is_listed_and_given_back(
    dlq: Dlq, queue: Queue, stream: Stream, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(dlq_queue, "MANY", many)
    dead_letters(queue, 33, stream)
    ran = dlq("list", queue.name)
    assert ran.status == 0
    rows = ran.out.splitlines()
    assert rows[0].split() == ["id", "request", "function", "from", "tries", "age", "error"]
    assert [row.split()[1] for row in rows[1:-1]] == [f"request-{n}" for n in range(33)]
    assert rows[1].split()[2:6] == ["timeline", "Kinesis", stream.name, "1"]
    assert rows[-1] == f"33 dead letters in {queue.name}."
    assert (queue.visible, queue.hidden) == (33, 0)


def test_a_queue_is_found_by_name_url_and_arn(dlq: Dlq, queue: Queue) -> None:
    dead_letters(queue, 1)
    for given in (queue.name, queue.url, queue.arn):
        assert len(dlq("list", given, "--json").json) == 1


def test_what_is_asked_for_is_listed(dlq: Dlq, queue: Queue) -> None:
    dead_letters(queue, 12)
    queue.send("a message of somebody")

    def ids(*arguments: str) -> list[str]:
        found = dlq("list", queue.name, "--json", *arguments).json
        return [one["correlationId"] for one in found]

    assert len(ids("--function", "timeline")) == 12
    assert ids("--function", "time") == []
    assert len(ids("--error", "KeyError")) == 12
    assert ids("--error", "keyerror: 7") == ["request-7"]
    assert ids("--id", "request-11") == ["request-11"]
    assert set(ids("--id", "request-1")) == {"request-1", "request-10", "request-11"}
    assert ids("--search", '"n": 4') == ["request-4"]
    assert ids("--search", "OF SOMEBODY") == [""]
    assert ids("--older-than", "1h") == []
    assert len(ids("--newer-than", "1h")) == 13
    assert ids("--newer-than", "1h", "--error", "KeyError", "--id", "request-3") == ["request-3"]
    short = dlq("list", queue.name, "--id", "req")
    assert (short.status, "4 characters" in short.err) == (2, True)


def test_looking_is_refused_where_it_moves_messages(dlq: Dlq, cloud: LocalCloud) -> None:
    last = Queue(cloud, "last")
    policy = {"deadLetterTargetArn": last.arn, "maxReceiveCount": 2}
    first = Queue(cloud, "first", RedrivePolicy=json.dumps(policy))
    first.send("one")
    for command in (["list"], ["show"], ["purge", "--yes"], ["redrive", "--to", "source"]):
        words = [command[0], first.name, *command[1:]] + (["x"] if command == ["show"] else [])
        with one_sentence(dlq(*words)) as said:
            assert "after 2 receives, and looking is one" in said
    assert (first.visible, last.visible) == (1, 0)
    looked = dlq("list", first.name, "--force")
    assert looked.out.endswith(f"1 dead letter in {first.name}.\n")
    assert "Note: The queue " in looked.err
    many = {**policy, "maxReceiveCount": 100}
    patient = Queue(cloud, "first", RedrivePolicy=json.dumps(many))
    looked = dlq("list", patient.name)
    assert (looked.status, "after 100 receives" in looked.err) == (0, True)


def test_what_somebody_else_has_is_said(dlq: Dlq, queue: Queue) -> None:
    dead_letters(queue, 12)
    queue.client.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=5)
    ran = dlq("list", queue.name)
    assert "7 dead letters in " in ran.out
    assert "About 5 more were not seen: somebody else has them in hand." in ran.out


def test_a_look_that_takes_long_sees_each_message_once(
    session: boto3.Session, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They come back while it goes on: it knows them, and comes to an end."""
    monkeypatch.setattr(dlq_queue, "LOOK_S", 0)
    dead_letters(queue, 25)
    found = look(session, find_queue(session, queue.name), Filter())
    assert found.seen == len({letter.id for letter in found.letters})
    assert 10 <= found.seen <= 25


def interrupt(messages: Iterator[Any]) -> None:
    """Ctrl-C after all of them were received."""
    assert len(list(messages)) >= 12
    raise KeyboardInterrupt


def test_an_error_while_looking_gives_everything_back(session: boto3.Session, queue: Queue) -> None:
    dead_letters(queue, 15)
    found = find_queue(session, queue.name)
    with pytest.raises(KeyboardInterrupt), Hold(found) as hold:
        interrupt(hold.messages(12))
    assert (queue.visible, queue.hidden) == (15, 0)


def test_what_cannot_be_gets_one_sentence(dlq: Dlq, cloud: LocalCloud) -> None:
    for given, said in (
        ("no-such-queue", "There is no queue no-such-queue in us-east-1"),
        ("arn:aws:sns:us-east-1:000000000000:topic", "is not the ARN of a queue"),
        ("arn:aws:sqs:us-east-1:000000000000:no-such", "There is no queue arn:aws:sqs:"),
        (f"{cloud.endpoint_url}/000000000000/no-such", "There is no queue http://127.0.0.1:"),
    ):
        for command in (["list"], ["redrive", "--to", "source", "--yes"], ["purge", "--yes"]):
            with one_sentence(dlq(command[0], given, *command[1:])) as sentence:
                assert said in sentence
    with one_sentence(dlq("show", "no-such-queue", "an-id")) as sentence:
        assert "There is no queue no-such-queue" in sentence


def test_a_queue_that_refuses_is_said(dlq: Dlq, cloud: LocalCloud, queue: Queue) -> None:
    with cloud.faults.during("sqs", "ReceiveMessage", error="KmsAccessDenied"):
        ran = dlq("list", queue.name)
    with one_sentence(ran) as sentence:
        assert f"The queue {queue.name} cannot be used: KmsAccessDenied" in sentence

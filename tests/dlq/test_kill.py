"""A redrive that is killed at any moment, and run again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

from clew.dlq.journal import SENDING, SENT, UNSENT, Journal
from clew.dlq.redrive import TOGETHER

from .conftest import dead_letters

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from clew.localcloud import LocalCloud
    from conftest import Until

    from .conftest import Queue, Ran, Stream

COUNT, KILLED_AFTER = 100, 30
#: What it has in hand comes back one second after it is killed, not two minutes.
QUICK = "from clew.dlq import queue; queue.WORK_S = 1; from clew.cli import main; main()"
CLEW = [sys.executable, "-c", QUICK]


def test_each_letter_arrives_and_only_those_in_flight_twice(
    cloud: LocalCloud,
    queue: Queue,
    stream: Stream,
    tmp_path: Path,
    until: Until,
    dlq: Callable[..., Ran],
) -> None:
    dead_letters(queue, COUNT, stream)
    journal = str(tmp_path / "journal.db")
    words = ["redrive", queue.name, "--to", "source", "--yes", "--journal", journal]
    more = ["--rate", "100/s", "--local", cloud.name]  # 25 at once, so that there is a middle
    with subprocess.Popen(
        [*CLEW, "dlq", *words, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        try:
            until(lambda: len(stream.records()) >= KILLED_AFTER, "some are sent")
        finally:
            os.kill(running.pid, signal.SIGKILL)
        running.wait(10)
    arrived = len(stream.records())
    assert KILLED_AFTER <= arrived < COUNT, "it was killed in the middle"
    until(lambda: not queue.hidden, "what it had in hand comes back by itself")
    ran = dlq(*words, "--json")
    assert ran.status == 0, ran.err
    counts = Counter(stream.numbers())
    assert set(counts) == set(range(COUNT)), "none is lost"
    twice = sum(count - 1 for count in counts.values())
    assert max(counts.values()) <= 2
    assert twice <= ran.json["maybeTwice"] <= TOGETHER, "what was in flight, and it is said"
    assert (queue.visible, queue.hidden) == (0, 0)


def test_what_the_journal_says_was_sent_is_only_deleted(
    queue: Queue, stream: Stream, tmp_path: Path, dlq: Callable[..., Ran]
) -> None:
    """As after a death between the last send and the delete."""
    dead_letters(queue, 4, stream)
    ids = [one["message"]["messageId"] for one in dlq("list", queue.name, "--json").json]
    with Journal(tmp_path / "journal.db") as journal:
        journal.note(queue.arn, [(ids[0], 0, "t"), (ids[1], 0, "t")], SENT)
        journal.note(queue.arn, [(ids[2], 0, "t")], SENDING)
        journal.note("another queue", [(ids[3], 0, "t")], SENT)
    path = str(tmp_path / "journal.db")
    ran = dlq("redrive", queue.name, "--to", "source", "--yes", "--journal", path)
    assert ran.status == 0
    assert sorted(stream.numbers()) == [2, 3]
    assert "2 dead letters had been sent by an earlier run, and are deleted now." in ran.out
    assert "ended while it sent 1 dead letter of these: they may have arrived twice." in ran.out
    assert queue.visible == 0


def test_a_letter_that_went_out_in_part_is_not_taken_for_whole(
    queue: Queue, stream: Stream, tmp_path: Path, dlq: Callable[..., Ran]
) -> None:
    path = tmp_path / "deep" / "journal.db"
    dead_letters(queue, 3, stream)
    ids = [one["message"]["messageId"] for one in dlq("list", queue.name, "--json").json]
    with Journal(path) as journal:
        for name in ids:  # of three parts two went to another place
            rows = [(name, part, "the function f") for part in range(3)]
            journal.note(queue.arn, rows, SENDING)
            journal.note(queue.arn, rows[:2], SENT)
            journal.note(queue.arn, rows[2:], UNSENT)
    with Journal(path) as journal:
        states = journal.states(queue.arn, ids[0])
        assert [state for state, _ in states.values()] == [SENT, SENT, UNSENT]
        assert journal.states(queue.arn, "other") == {}
    ran = dlq("redrive", queue.name, "--to", "source", "--yes", "--journal", str(path))
    assert (ran.status, sorted(stream.numbers())) == (0, [0, 1, 2])


def test_a_message_that_cannot_be_deleted_is_not_sent_again(
    cloud: LocalCloud, queue: Queue, stream: Stream, dlq: Callable[..., Ran]
) -> None:
    dead_letters(queue, 3, stream)
    with cloud.faults.during("sqs", "DeleteMessageBatch", error="KmsAccessDenied"):
        ran = dlq("redrive", queue.name, "--to", "source", "--yes")
    assert ran.status == 1
    assert "KmsAccessDenied" in ran.err
    assert queue.visible == 3
    ran = dlq("redrive", queue.name, "--to", "source", "--yes", "--json")
    assert (ran.status, json.loads(ran.out)["sentBefore"]) == (0, 3)
    assert sorted(stream.numbers()) == [0, 1, 2]

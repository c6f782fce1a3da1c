"""Writers of a store that are killed: ten times here, 200 times with ``make soak``."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from clew.stories.store import Query, Store

from .store_process import LINES, line

TESTS = Path(__file__).parents[1]


@dataclass
class Report:
    """What came of it."""

    kills: int = 0
    acknowledged: int = 0
    #: Acknowledged lines that are not there.
    lost: int = 0
    #: Lines that are there more than once.
    doubled: int = 0
    #: Lines of calls that did not return.
    unacknowledged: int = 0
    #: Lines that were put in again after a kill.
    sent_again: int = 0
    checks: int = 0
    #: What SQLite found wrong with the file or the index of words.
    damage: int = 0
    seconds: float = 0

    def text(self) -> str:
        """A line for each number."""
        return "\n".join(f"{name:16} {value:,.0f}" for name, value in vars(self).items())


def killed(path: Path, first: int, after_s: float) -> int:
    """Run a writer from a line on and kill it; what it had acknowledged."""
    command = [sys.executable, "-m", "soak.store_process", str(path), str(first)]
    environment = os.environ | {"PYTHONPATH": str(TESTS)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        told = process.stdout.readline()
        assert told, f"the writer ended by itself, with {process.wait()}"
        last: list[str] = [told]
        reader = threading.Thread(target=_keep_last, args=(process.stdout, last))
        reader.start()
        time.sleep(after_s)  # a random one: at any point of its work
        process.kill()
        reader.join()
    return int(last[0])


def _keep_last(stream: IO[str], last: list[str]) -> None:
    for told in stream:
        if told.endswith("\n"):  # the last one may be cut
            last[0] = told


def soak(path: Path, kills: int, *, seed: int, check_every: int) -> Report:
    """Kill writers of one store."""
    draw = random.Random(seed)
    report = Report()
    began = time.monotonic()
    for number in range(kills):
        # Some of what was acknowledged comes again, as after a crash of whoever shipped it.
        first = max(report.acknowledged - draw.randrange(3 * LINES), 0)
        report.sent_again += report.acknowledged - first
        done = killed(path, first, draw.uniform(0, 0.15))
        report.acknowledged = max(report.acknowledged, done)
        report.kills += 1
        if number % check_every == check_every - 1 or number == kills - 1:
            check(path, report)
    report.seconds = time.monotonic() - began
    return report


def check(path: Path, report: Report) -> None:
    """Look for lines that are lost or doubled, and for damage."""
    with Store(path, write=True) as store:
        report.checks += 1
        report.damage += len(store.damage())
        there = [int(entry.message.split('"line n')[1].split('"')[0]) for entry in store.entries()]
        report.lost = len(set(range(report.acknowledged)).difference(there))
        report.doubled = len(there) - len(set(there))
        report.unacknowledged = max(there) + 1 - report.acknowledged
        # By the index of words and by that of ids too.
        for number in random.Random(report.checks).sample(range(report.acknowledged), 20):
            (found,) = store.search(Query(text=f"n{number}")).lines
            assert found.message == line(number).message
            (found,) = store.search(Query(id=f"request-{number // 25}", text=f"n{number}")).lines


def judge(report: Report) -> None:
    assert report.lost == 0, report.text()
    assert report.doubled == 0, report.text()
    assert report.damage == 0, report.text()
    assert report.acknowledged > 0


def test_killed_writers_lose_nothing_in_seconds(tmp_path: Path) -> None:
    judge(soak(tmp_path / "logs.db", 10, seed=random.randrange(1 << 30), check_every=5))


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_killed_writers_lose_nothing_in_minutes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = soak(tmp_path / "logs.db", 200, seed=random.randrange(1 << 30), check_every=20)
    with capsys.disabled():
        print(f"\n{report.text()}")
    judge(report)
    assert report.kills == 200

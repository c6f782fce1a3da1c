"""Drives the scaling functions in processes that are killed, and judges what they leave behind."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from scaling.managed.stage import Stage

if TYPE_CHECKING:
    from clew.localcloud import LocalCloud

_TESTS = Path(__file__).parents[1]
#: How long the lock stands and how far clocks may be apart, in a storm: not as long as on AWS, so
#: that whoever was killed is followed by others in good time. And how far they are apart.
_LEASE = (6.0, 3.0)
_SKEW_S = 1.4


class Functions:
    """The functions, each invocation in a process of its own, one after the other."""

    def __init__(self, on: Stage, folder: Path) -> None:
        self._on = on
        self.journal = folder / "journal.jsonl"
        self.log = folder / "functions.log"
        environment = {
            **os.environ,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": on.cloud.region,
            "AWS_ENDPOINT_URL": on.cloud.endpoint_url,
            "CLEW_SCALING_TABLE": on.table,
            "CLEW_SCALING_TOPIC": on.topic,
            "PYTHONPATH": str(_TESTS),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "soak.scaling_process"],
            cwd=_TESTS,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def invoke(
        self,
        function: str,
        event: Any,
        *,
        request_id: str = "",
        kill: int | None = None,
        after: bool = False,
        skew_s: float = 0.0,
        lease: tuple[float, float] | None = None,
    ) -> dict[str, Any]:
        """Whether it was killed, and its exit status if not."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        job = {
            "function": function,
            "event": event,
            "request_id": request_id or str(uuid4()),
            "kill": kill,
            "after": after,
            "skew_s": skew_s,
            "lease": lease,
            "journal": str(self.journal),
            "log": str(self.log),
        }
        stdin.write(json.dumps(job) + "\n")
        stdin.flush()
        answer: dict[str, Any] = json.loads(stdout.readline())
        return answer

    def end(self) -> None:
        """End the process that forks them."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)
        if self._process.stdout is not None:
            self._process.stdout.close()


@dataclass(slots=True)
class Storm:
    """What is thrown at a stream, and for how long."""

    seconds: float = 90.0
    workers: int = 3
    kill_part: float = 0.4
    by_hand_every_s: float = 2.0
    seed: int = 11


@dataclass(slots=True)
class Report:
    """What came of a storm."""

    counts: Counter[str] = field(default_factory=Counter)
    #: Calls that change the shards, whose fencing number is lower than one before: an action
    #: that another one had overtaken.
    overtaken: list[str] = field(default_factory=list)
    outside: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def text(self) -> str:
        """For a person."""
        lines = [f"{name}: {number}" for name, number in sorted(self.counts.items())]
        return "\n".join([*lines, *self.overtaken, *self.problems])


def storm(cloud: LocalCloud, folder: Path, how: Storm) -> Report:
    """Alarms, schedules, kills, skewed clocks, refused calls and people, all at once."""
    chance = random.Random(how.seed)
    on = Stage(
        cloud,
        2,
        min_shards=2,
        max_shards=8,
        cool_down_s=1.0,
        up_over_s=60,
        down_over_s=60,
        down_every_s=1.0,
    )
    report = Report()
    until = time.monotonic() + how.seconds
    alarms: list[tuple[Any, str]] = []
    faults = [
        cloud.faults.add("kinesis", name, error="LimitExceededException", rate=0.05, seed=7)
        for name in ("SplitShard", "MergeShards", "ListShards", "DescribeStreamSummary")
    ]
    try:
        threads = [
            threading.Thread(
                target=_work,
                args=(Functions(on, folder), on, random.Random(how.seed + n), until, alarms),
                kwargs={"report": report, "how": how},
            )
            for n in range(how.workers)
        ]
        for thread in threads:
            thread.start()
        while time.monotonic() < until:
            time.sleep(how.by_hand_every_s)
            on.clock.now = time.time()
            # What is written in one minute adds up: it fills the stream again each time.
            on.write(chance.uniform(0.0, 1.2), refused=chance.choice([0, 0, 5]))
            report.counts["by hand"] += _by_hand(on, chance)
        for thread in threads:
            thread.join()
    finally:
        for fault in faults:
            cloud.faults.clear(fault.id)
    _settle(on, folder, report)
    on.close()
    return report


def _work(
    functions: Functions,
    on: Stage,
    chance: random.Random,
    until: float,
    alarms: list[tuple[Any, str]],
    *,
    report: Report,
    how: Storm,
) -> None:
    try:
        while time.monotonic() < until:
            kill = chance.randrange(9) if chance.random() < how.kill_part else None
            what: dict[str, Any] = {
                "request_id": str(uuid4()),
                "kill": kill,
                "after": chance.random() < 0.5,
                "skew_s": chance.uniform(-_SKEW_S, _SKEW_S),
                "lease": _LEASE,
            }
            if chance.random() < 0.25:
                name, event = "scale_down", {"stream": on.stream}
            elif alarms and chance.random() < 0.4:  # late, twice, or tried again
                name = "scale_up"
                event, request_id = chance.choice(alarms[-20:])
                if chance.random() < 0.5:
                    what["request_id"] = request_id
                report.counts["alarms delivered again"] += 1
            else:
                name, event = "scale_up", on.alarm(chance.choice(["bytes", "records", "refused"]))
                alarms.append((event, what["request_id"]))
                report.counts["alarms"] += 1
            said = functions.invoke(name, event, **what)
            report.counts["invocations"] += 1
            report.counts["killed"] += said["killed"]
            report.counts["failed"] += said["code"] != 0
            if said["killed"] and chance.random() < 0.5:  # as Lambda tries it again
                functions.invoke(name, event, **{**what, "kill": None})
                report.counts["tried again"] += 1
    except Exception as error:  # noqa: BLE001 - in a thread; the test judges it
        report.problems.append(f"{type(error).__name__}: {error}")
    finally:
        functions.end()


def _by_hand(on: Stage, chance: random.Random) -> int:
    """Somebody splits or merges, within the bounds. The service may refuse."""
    shards = on.shards().shards
    try:
        if chance.random() < 0.5 and len(shards) < on.settings.max_shards:
            shard = chance.choice(shards)
            at = chance.randrange(shard.start + 1, shard.end)
            on.kinesis.split_shard(
                StreamName=on.stream, ShardToSplit=shard.id, NewStartingHashKey=str(at)
            )
        elif len(shards) > on.settings.min_shards:
            at = chance.randrange(len(shards) - 1)
            on.kinesis.merge_shards(
                StreamName=on.stream,
                ShardToMerge=shards[at].id,
                AdjacentShardToMerge=shards[at + 1].id,
            )
    except Exception:  # noqa: BLE001 - somebody else was quicker
        return 0
    return 1


def _settle(on: Stage, folder: Path, report: Report) -> None:
    """A few scheduled runs later, with nobody about, the stream has to be valid."""
    functions = Functions(on, folder)
    load = 4.2
    for number in range(4):
        on.clock.now = time.time() + 130 * (number + 1)
        on.write(load)
        functions.invoke("scale_down", {"stream": on.stream}, skew_s=130.0 * (number + 1))
    functions.end()
    shards = len(on.shards())
    if on.store.plan(on.stream) is not None:
        report.problems.append("a plan was not finished")
    if not on.settings.min_shards <= shards <= on.settings.max_shards:
        report.outside.append(shards)
    if load > on.settings.alarm_at * shards:
        report.problems.append(f"{shards} shards are too few for {load}")
    if on.thresholds() != on.wanted_thresholds():
        report.problems.append("thresholds are stale")
    highest = 0
    for line in functions.journal.read_text().splitlines():
        said = json.loads(line)
        report.counts["splits, merges and calls"] += 1
        if said["fence"] < highest:
            report.overtaken.append(line)
        highest = max(highest, said["fence"])
    report.counts["actions that changed the stream"] = len(
        {json.loads(line)["fence"] for line in functions.journal.read_text().splitlines()}
    )

"""Several workers share a stream that is split and merged while they are killed."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .journal import Verdict, judge, read_journal

if TYPE_CHECKING:
    from clew.localcloud import LocalCloud

_PROCESS = Path(__file__).with_name("worker_process.py")
_KEYS = 97
_PUT = 250
_START_S = 5.0


@dataclass(frozen=True)
class Plan:
    """How much of everything."""

    records: int = 200_000
    shards: int = 4
    reshards: int = 6
    workers: int = 3
    put_per_second: int = 2_000
    #: How long the handler takes.
    handle_s: float = 0.02
    #: Seconds between two kills, about, and the share that only stands still for two leases.
    kill_every_s: float = 1.5
    pauses: float = 0.25
    batch_size: int = 50
    lease_s: float = 1.5
    read_failures: float = 0.05
    store_failures: float = 0.02
    handler_failures: float = 0.01
    seed: int = 1
    timeout_s: float = 900.0


@dataclass
class Report:
    """What happened."""

    records: int
    seconds: float
    kills: int
    pauses: int
    reshards: int
    read_faults: int
    exit_codes: list[int]
    verdict: Verdict = field(default_factory=Verdict)

    def text(self) -> str:
        """The counts, for the documentation."""
        verdict = self.verdict
        counts = {
            "records": self.records,
            "lost": self.records - verdict.handled,
            "out of order": len(verdict.out_of_order),
            "batches by an older holder": len(verdict.stale),
            "records that came again": verdict.repeats,
            "of those, such as no batch in flight explains": len(verdict.unexplained),
            "discarded": verdict.discarded,
            "batches": verdict.batches,
            "batches that failed or were cut off": verdict.failed_batches,
            "kills": self.kills,
            "pauses longer than a lease": self.pauses,
            "splits and merges": self.reshards,
            "failed reads injected": self.read_faults,
            "store failures seen": verdict.events.get("lease store failed", 0),
            "seconds": round(self.seconds),
        }
        return "\n".join(f"{name}: {count:,}" for name, count in counts.items())


def soak(cloud: LocalCloud, directory: Path, plan: Plan) -> Report:
    """Put the records, share them among workers, kill those, and judge what they wrote down."""
    dice = random.Random(plan.seed)
    client = cloud.client("kinesis")
    stream = f"soak-{plan.seed}-{plan.records}-{time.monotonic_ns()}"
    client.create_stream(StreamName=stream, ShardCount=plan.shards)
    arn = client.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamARN"]
    journal = directory / "journal"
    fault = cloud.faults.add(
        "kinesis",
        "GetRecords",
        "GetShardIterator",
        "ListShards",
        error="ProvisionedThroughputExceededException",
        rate=plan.read_failures,
        seed=plan.seed,
    )
    started = time.monotonic()
    resharded = [0]
    putting = threading.Thread(
        target=_put, args=(client, stream, plan, random.Random(plan.seed + 2), resharded)
    )
    numbers = iter(range(10**6))

    def begin() -> subprocess.Popen[bytes]:
        number = next(numbers)
        spec = {
            **asdict(plan),
            "arn": arn,
            "endpoint_url": cloud.endpoint_url,
            "leases": str(directory / "leases.db"),
            "journal": str(journal),
            "worker": f"w{number}",
            "seed": plan.seed + 10 * number,
        }
        return subprocess.Popen([sys.executable, str(_PROCESS), json.dumps(spec)])

    workers = [begin() for _ in range(plan.workers)]
    kills = pauses = 0
    codes: list[int] = []
    try:
        putting.start()
        kill_at = time.monotonic() + 2 * plan.kill_every_s
        while (now := time.monotonic()) < started + plan.timeout_s:
            if not putting.is_alive() and _distinct(journal) >= plan.records:
                break
            for at, process in enumerate(workers):
                assert process.poll() is None, f"a worker ended by itself: {process.returncode}"
                if now < kill_at or at != (kills + pauses) % plan.workers:
                    continue
                if dice.random() < plan.pauses:
                    _pause(process, 2 * plan.lease_s)
                    pauses += 1
                else:
                    process.kill()
                    process.wait()
                    workers[at] = begin()
                    kills += 1
                kill_at = time.monotonic() + plan.kill_every_s * dice.uniform(0.5, 1.5)
            time.sleep(0.2)
        while _started(journal) < kills + plan.workers and time.monotonic() < now + _START_S:
            time.sleep(0.05)
        for process in workers:
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(30) for process in workers]
    finally:
        for process in workers:
            process.kill()
            process.wait()
        putting.join()
        struck = _struck(cloud, fault.id)
        cloud.faults.clear(fault.id)
        client.delete_stream(StreamName=stream)
    seconds = time.monotonic() - started
    verdict = judge(read_journal(journal))
    return Report(plan.records, seconds, kills, pauses, resharded[0], struck, codes, verdict)


def _pause(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Let a worker stand still, as a machine that swaps or a suspended one does."""
    process.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    process.send_signal(signal.SIGCONT)


def _put(client: Any, stream: str, plan: Plan, dice: random.Random, resharded: list[int]) -> None:
    """Put all records, each with its number within its key, and reshard on the way."""
    counts = [0] * _KEYS
    due = time.monotonic()
    every = plan.records // (plan.reshards + 1)
    for at in range(0, plan.records, _PUT):
        records = []
        for _ in range(min(_PUT, plan.records - at)):
            key = dice.randrange(_KEYS)
            data = f"{key}:{counts[key]}".encode()
            counts[key] += 1
            records.append({"PartitionKey": f"key-{key}", "Data": data})
        client.put_records(StreamName=stream, Records=records)
        due += len(records) / plan.put_per_second
        time.sleep(max(0.0, due - time.monotonic()))
        if resharded[0] < plan.reshards and at >= every * (resharded[0] + 1):
            _reshard(client, stream, dice, split=resharded[0] % 2 == 0)
            resharded[0] += 1


def _reshard(client: Any, stream: str, dice: random.Random, *, split: bool) -> None:
    shards = client.list_shards(StreamName=stream)["Shards"]
    living = sorted(
        (shard for shard in shards if "EndingSequenceNumber" not in shard["SequenceNumberRange"]),
        key=lambda shard: int(shard["HashKeyRange"]["StartingHashKey"]),
    )
    if split:
        shard = dice.choice(living)
        first = int(shard["HashKeyRange"]["StartingHashKey"])
        last = int(shard["HashKeyRange"]["EndingHashKey"])
        client.split_shard(
            StreamName=stream,
            ShardToSplit=shard["ShardId"],
            NewStartingHashKey=str((first + last) // 2),
        )
    else:
        at = dice.randrange(len(living) - 1)
        client.merge_shards(
            StreamName=stream,
            ShardToMerge=living[at]["ShardId"],
            AdjacentShardToMerge=living[at + 1]["ShardId"],
        )


def _distinct(journal: Path) -> int:
    """How many records were done at least once."""
    found: set[str] = set()
    for line in read_journal(journal):
        if line.get("batch") == "done":
            found.update(line["records"])
    return len(found)


def _started(journal: Path) -> int:
    """How many workers have begun; one that was killed at once may not have."""
    return sum(line.get("event") == "started" for line in read_journal(journal))


def _struck(cloud: LocalCloud, fault_id: str) -> int:
    return sum(fault.struck for fault in cloud.faults if fault.id == fault_id)

"""A hundred thousand records through handlers whose process, memory, time and queue fail."""

from __future__ import annotations

import itertools
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from clew.localcloud.session import LoopbackSession
from clew.streams.worker import MappingSettings, SqliteLeases, Worker, WorkerOptions

from .outcomes import Judged, judge
from .sandbox import Sandboxes
from .stream_function import Spec

if TYPE_CHECKING:
    from pathlib import Path

    from clew.localcloud import LocalCloud

_KEYS = 97
_PUT = 500
POLICIES = ("retry", "skip", "halt")
#: What befalls the dead letters' queue and the table, one after the other, and for how long.
_FAULTS: tuple[tuple[tuple[str, str], dict[str, Any], float], ...] = (
    (("sqs", "SendMessageBatch"), {"error": "RequestThrottled", "rate": 0.6}, 2.0),
    (("dynamodb", "PutItem"), {"error": "ThrottlingException", "rate": 0.3}, 1.0),
    (("sqs", "SendMessageBatch"), {"error": "AccessDeniedException"}, 2.0),
    (("sqs", "SendMessageBatch"), {"latency_s": 0.3}, 1.0),
    (("sqs", "SendMessageBatch"), {"timeout": True, "rate": 0.5}, 1.0),
    (("sqs", "SendMessageBatch"), {"error": "ServiceUnavailable", "rate": 0.6}, 1.0),
)
#: And for how long nothing does.
_PEACE_S = 2.0


@dataclass(frozen=True)
class Plan:
    """How much of everything."""

    #: Records of each way of running them without a table of what was done, and with one.
    without_table: int = 10_000
    with_table: int = 600
    #: How records are run: without a table, and with one.
    ways: tuple[str, ...] = ("one at a time", "lanes=1", "lanes=8")
    ways_with_table: tuple[str, ...] = ("lanes=1", "lanes=8")
    #: One more, for coroutines, with the first policy.
    asynchronous: int = 6_400
    shards: int = 2
    batch_size: int = 100
    timeout_s: float = 3.0
    #: How many of these are under way at once.
    at_once: int = 6
    seed: int = 1
    patience_s: float = 600.0

    def runs(self) -> list[tuple[str, str, bool, int]]:
        """Policy, way, whether with a table, records."""
        slow = [
            (policy, way, True, self.with_table)
            for policy in POLICIES
            for way in self.ways_with_table
        ]
        quick = [
            (policy, way, False, self.without_table) for policy in POLICIES for way in self.ways
        ]
        more = [("retry", "async, lanes=8", False, self.asynchronous)] if self.asynchronous else []
        return slow + quick + more


@dataclass
class Run:
    """One policy and way, and what came of it."""

    policy: str
    how: str
    table: bool
    records: int
    seconds: float = 0.0
    ends: dict[str, int] = field(default_factory=dict)
    judged: Judged = field(default_factory=Judged)


@dataclass
class Report:
    """What happened."""

    runs: list[Run]
    seconds: float
    faults: int

    def text(self) -> str:
        """The counts, for the documentation."""
        head = ("policy", "run", "table", *Judged.HEAD, "s")
        rows = [
            (
                one.policy,
                one.how,
                "yes" if one.table else "no",
                *(f"{value:,}" for value in one.judged.row()),
                f"{one.seconds:.0f}",
            )
            for one in self.runs
        ]
        totals = [sum(column) for column in zip(*(r.judged.row() for r in self.runs), strict=True)]
        rows.append(("all", "", "", *(f"{value:,}" for value in totals), f"{self.seconds:.0f}"))
        lines = [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
        what: dict[str, int] = {}
        for one in self.runs:
            for name, count in (one.judged.chances | one.ends).items():
                what[name or "answered"] = what.get(name or "answered", 0) + count
        what["calls of the queue and the table that failed"] = self.faults
        return "\n".join([*lines, "", *(f"{name}: {count:,}" for name, count in what.items())])


def soak(cloud: LocalCloud, directory: Path, plan: Plan) -> Report:
    """Run all of it, with faults by turns, and judge what was written down."""
    started = time.monotonic()
    over = threading.Event()
    struck = [0]
    trouble = threading.Thread(target=_trouble, args=(cloud, over, struck, plan.seed))
    trouble.start()
    try:
        with ThreadPoolExecutor(plan.at_once) as pool:
            futures = [
                pool.submit(_run, cloud, directory / str(number), plan, number, over, *which)
                for number, which in enumerate(plan.runs())
            ]
            runs = [future.result() for future in futures]
    finally:
        over.set()
        trouble.join()
    return Report(runs, time.monotonic() - started, struck[0])


def _trouble(cloud: LocalCloud, over: threading.Event, struck: list[int], seed: int) -> None:
    """The queue and the table fail by turns, in the same order each time."""
    for turn, (where, how, for_s) in enumerate(itertools.cycle(_FAULTS)):
        if over.wait(_PEACE_S):
            return
        fault = cloud.faults.add(*where, seed=seed + turn, **how)
        over.wait(for_s)
        struck[0] += sum(one.struck for one in cloud.faults if one.id == fault.id)
        cloud.faults.clear(fault.id)


def _run(
    cloud: LocalCloud,
    directory: Path,
    plan: Plan,
    number: int,
    over: threading.Event,
    policy: str,
    how: str,
    table: bool,
    records: int,
) -> Run:
    """One policy and way: until the stream has nothing left."""
    started = time.monotonic()
    directory.mkdir()
    (directory / "attempts").write_bytes(bytes(records))
    name = f"soak-{plan.seed}-{number}-{time.monotonic_ns()}"
    kinesis = cloud.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=plan.shards)
    described = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    queue_url = cloud.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    if table:
        cloud.client("dynamodb").create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
    spec = Spec(
        policy=policy,
        how=how,
        queue_url=queue_url,
        table=name if table else "",
        seed=plan.seed * 1000 + number,
        records=records,
        endpoint_url=cloud.endpoint_url,
        directory=str(directory),
    )
    settings = MappingSettings(
        described["StreamARN"],
        "TRIM_HORIZON",
        batch_size=plan.batch_size,
        report_batch_item_failures=True,
    )
    numbers = _put(kinesis, name, records)
    sandboxes = Sandboxes(spec, settings, plan.timeout_s)
    worker = Worker(
        settings,
        target=sandboxes,
        leases=SqliteLeases(directory / "leases.db"),
        session=LoopbackSession(cloud.endpoint_url, cloud.region),
        options=WorkerOptions(
            poll_interval_s=0.1,
            reads_per_second=50,
            bytes_per_second=1e9,
            backoff_first_s=0.01,
            backoff_most_s=0.2,
            lease_s=60,
        ),
    )
    worker.start()
    try:
        while (
            len(sandboxes.acknowledged) < records
            and time.monotonic() < started + plan.patience_s
            and not over.wait(0.05)
        ):
            assert worker.status().state == "running", worker.status().reason
    finally:
        worker.stop(grace_s=5)
        sandboxes.close()
    judged = judge(
        directory,
        numbers=numbers,
        key_of=_key,
        acknowledged=sandboxes.acknowledged,
        answered=sandboxes.answered,
        deliveries=sandboxes.deliveries,
        letters=_letters(cloud, queue_url),
    )
    kinesis.delete_stream(StreamName=name)
    seconds = time.monotonic() - started
    return Run(policy, how, table, records, seconds, dict(sandboxes.ends), judged)


def _key(number: int) -> int:
    return number * 31 % _KEYS


def _put(client: Any, stream: str, records: int) -> dict[str, int]:
    """Put all records: their numbers by sequence number."""
    numbers: dict[str, int] = {}
    for first in range(0, records, _PUT):
        some = range(first, min(first + _PUT, records))
        answer = client.put_records(
            StreamName=stream,
            Records=[
                {"PartitionKey": f"key-{_key(n)}", "Data": json.dumps({"n": n})} for n in some
            ],
        )
        numbers |= {
            one["SequenceNumber"]: n for n, one in zip(some, answer["Records"], strict=True)
        }
    return numbers


def _letters(cloud: LocalCloud, queue_url: str) -> list[str]:
    """Everything that is in the dead-letter queue."""
    client = cloud.client("sqs")
    found: list[str] = []
    while True:
        got = client.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages")
        if not got:
            return found
        found += [one["Body"] for one in got]
        client.delete_message_batch(
            QueueUrl=queue_url,
            Entries=[
                {"Id": str(at), "ReceiptHandle": one["ReceiptHandle"]} for at, one in enumerate(got)
            ],
        )

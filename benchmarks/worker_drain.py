"""Draining a backlog of a million records over 8 shards from the local Kinesis.

Each reader is a process of its own, so that its memory and its clients are its own. Both of
clew's pace limits are lifted (AWS allows a shard 2 MB and five reads a second; the local Kinesis
has no such limit unless one asks), since it is the engine's own speed that is compared.
"""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.measure import Result, in_fresh_process, version
from clew.localcloud import LocalCloud

RECORDS = int(os.environ.get("CLEW_BENCH_RECORDS", "1000000"))
_SHARDS, _BATCH, _STREAM = 8, 500, "backlog"
_PAYLOAD = json.dumps({"event": "post-published", "text": "x" * 159}).encode()
_ROUNDS = 1

_BARE = """
import json, sys, threading, time
from benchmarks import worker_drain
print(json.dumps(worker_drain.bare(sys.argv[1])))
"""
_CLEW = _BARE.replace("worker_drain.bare", "worker_drain.with_clew")
_ASYNC_KINESIS = _BARE.replace("worker_drain.bare", "worker_drain.with_async_kinesis")


def run() -> list[Result]:
    """Records a second: the bare loop, clew's worker with a trivial handler, and async-kinesis."""
    with LocalCloud.start(name="bench-drain") as cloud:
        _fill(cloud)
        bare, ours, peer, rss = [], [], [], 0.0
        for _ in range(_ROUNDS):
            bare.append(in_fresh_process(_BARE, cloud.endpoint_url)["rate"])
            found = in_fresh_process(_CLEW, cloud.endpoint_url)
            ours.append(found["rate"])
            rss = max(rss, found["rss_mb"])
        peer.append(in_fresh_process(_ASYNC_KINESIS, cloud.endpoint_url)["rate"])
    rate, bare_rate, peer_rate = max(ours), max(bare), max(peer)
    return [
        Result(
            claim=f"draining {RECORDS:,} records of 8 shards, against a bare get_records loop",
            ours=rate,
            peer=bare_rate,
            peer_name="boto3",
            peer_version=version("boto3"),
            ratio=rate / bare_rate,
            target=0.8,
            met=rate / bare_rate >= 0.8,
            unit="records/s",
        ),
        Result(
            claim="the same against async-kinesis",
            ours=rate,
            peer=peer_rate,
            peer_name="async-kinesis",
            peer_version=version("async-kinesis"),
            ratio=rate / peer_rate,
            target=1.5,
            met=rate / peer_rate >= 1.5,
            unit="records/s",
        ),
        Result(
            claim="memory of the worker while it drains, in MB",
            ours=rss,
            peer=200.0,
            peer_name="the target",
            peer_version="",
            ratio=rss,
            target=200.0,
            met=rss <= 200.0,
            unit="MB",
        ),
    ]


def _fill(cloud: LocalCloud) -> None:
    kinesis = cloud.client("kinesis")
    kinesis.create_stream(StreamName=_STREAM, ShardCount=_SHARDS)
    kinesis.get_waiter("stream_exists").wait(StreamName=_STREAM)

    def put(first: int) -> None:
        records = [
            {"PartitionKey": str(number), "Data": _PAYLOAD}
            for number in range(first, min(first + _BATCH, RECORDS))
        ]
        kinesis.put_records(StreamName=_STREAM, Records=records)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put, range(0, RECORDS, _BATCH)))


def bare(endpoint_url: str) -> dict[str, float]:
    """A thread for each shard that asks for the next page, and does nothing with it."""
    import threading
    import time

    session = _session(endpoint_url)
    counts: list[int] = []

    def drain(shard_id: str) -> None:
        kinesis: Any = session.client("kinesis")
        iterator = kinesis.get_shard_iterator(
            StreamName=_STREAM, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        count = 0
        while True:
            page = kinesis.get_records(ShardIterator=iterator, Limit=10_000)
            count += len(page["Records"])
            if not page["Records"] and page["MillisBehindLatest"] == 0:
                break
            iterator = page["NextShardIterator"]
        counts.append(count)

    shards = session.client("kinesis").list_shards(StreamName=_STREAM)["Shards"]
    threads = [threading.Thread(target=drain, args=[shard["ShardId"]]) for shard in shards]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return _said(sum(counts), time.perf_counter() - started)


def with_clew(endpoint_url: str) -> dict[str, float]:
    """clew's worker, leases in SQLite, batches of 1,000, a function that counts."""
    import tempfile
    import threading
    import time
    from pathlib import Path

    from clew.streams.worker import (
        FunctionTarget,
        MappingSettings,
        SqliteLeases,
        Worker,
        WorkerOptions,
    )

    seen = 0
    done = threading.Event()

    def handler(event: dict[str, Any], context: object) -> None:
        nonlocal seen
        seen += len(event["Records"])
        if seen >= RECORDS:
            done.set()

    settings = MappingSettings.from_properties(
        {
            "EventSourceArn": f"arn:aws:kinesis:us-east-1:000000000000:stream/{_STREAM}",
            "StartingPosition": "TRIM_HORIZON",
            "BatchSize": 1000,
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        worker = Worker(
            settings,
            target=FunctionTarget(handler),
            leases=SqliteLeases(str(Path(folder) / "leases.db")),
            session=_session(endpoint_url),
            options=WorkerOptions(reads_per_second=1e6, bytes_per_second=1e12),
        )
        started = time.perf_counter()
        worker.start()
        done.wait(300)
        seconds = time.perf_counter() - started
        worker.stop(grace_s=10)
    return _said(seen, seconds)


def with_async_kinesis(endpoint_url: str) -> dict[str, float]:
    """async-kinesis' consumer, its queue as large as it likes, a loop that counts."""
    import asyncio
    import time

    os.environ.update(AWS_ACCESS_KEY_ID="local", AWS_SECRET_ACCESS_KEY="local")
    from kinesis import Consumer

    async def drain() -> int:
        count = 0
        async with Consumer(
            _STREAM,
            endpoint_url=endpoint_url,
            region_name="us-east-1",
            max_queue_size=100_000,
            sleep_time_no_records=0,
            shard_fetch_rate=1000,
            idle_timeout=5.0,
        ) as consumer:
            while count < RECORDS:
                async for _ in consumer:
                    count += 1
                    if count >= RECORDS:
                        break
        return count

    started = time.perf_counter()
    count = asyncio.run(drain())
    return _said(count, time.perf_counter() - started)


def _session(endpoint_url: str) -> Any:
    from clew.localcloud.session import LoopbackSession

    return LoopbackSession(endpoint_url, "us-east-1")


def _said(count: int, seconds: float) -> dict[str, float]:
    import resource

    assert count >= RECORDS, f"{count} of {RECORDS} records"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"rate": count / seconds, "rss_mb": peak}

"""From ``PutRecord`` to the handler in the local cloud: how old a record is when it arrives."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

from benchmarks.measure import Result
from clew.localcloud import LocalCloud

_RECORDS, _WARM_UP = 200, 10
_TEMPLATE = Path(__file__).parent / "latency" / "template.yaml"


def run() -> list[Result]:
    """The 95th percentile of 200 records, put one after the other at odd intervals."""
    with LocalCloud.start(_TEMPLATE, name="bench-latency") as cloud:
        kinesis = cloud.client("kinesis")
        for number in range(_RECORDS + _WARM_UP):
            kinesis.put_record(
                StreamName=cloud.outputs["StreamName"],
                PartitionKey=str(number),
                Data=json.dumps({"put_at": time.time()}).encode(),
            )
            time.sleep(0.02 + 0.01 * (number % 7))  # so that no rhythm of the poller is met
        ages = _ages(cloud)
    p95 = statistics.quantiles(ages[_WARM_UP:], n=20)[-1]
    return [
        Result(
            claim="from PutRecord to the handler in the local cloud, 95th percentile",
            ours=p95,
            peer=300.0,
            peer_name="the target",
            peer_version="",
            ratio=p95 / 300.0,
            target=1.0,
            met=p95 <= 300.0,
            unit="ms",
        )
    ]


def _ages(cloud: LocalCloud) -> list[float]:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        lines = [line.message.split() for line in cloud.log_lines("Seen")]
        ages = [float(words[1]) for words in lines if words[:1] == ["age_ms"]]
        if len(ages) >= _RECORDS + _WARM_UP:
            return ages
        time.sleep(0.1)
    raise RuntimeError(f"of {_RECORDS + _WARM_UP} records {len(ages)} arrived within 30 s")

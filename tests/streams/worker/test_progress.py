"""What a worker says of itself, and whether its pace is right."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from clew.streams.worker import ShardStatus, WorkerError, WorkerEvent, WorkerOptions, WorkerStatus
from clew.streams.worker.health import HealthServer
from clew.streams.worker.progress import (
    Pace,
    as_json,
    as_text,
    is_shown,
    progress_json,
    progress_line,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

STATUS = WorkerStatus(
    "running",
    "w",
    {
        "s0": ShardStatus("s0", 1, "100", 500, 1500, 20),
        "s1": ShardStatus("s1", 1, None, 0, 90_000, 0),
    },
    records=1234,
    batches=20,
)


def test_the_line_says_how_it_goes() -> None:
    assert progress_line(STATUS, 567.8) == "running, 2 shards, 1,234 records, 568/s, 1.5 min behind"
    bad = replace(STATUS, shards={}, failures=2, discarded=1, filtered=3)
    assert progress_line(bad, 0) == (
        "running, 0 shards, 1,234 records, 0/s, 0.0 s behind, 2 failed batches, 1 discarded, "
        "3 filtered out"
    )


def test_the_json_says_the_same() -> None:
    line = json.loads(progress_json(STATUS, 567.8))
    assert (line["records"], line["recordsPerSecond"], line["behindMs"]) == (1234, 567.8, 90_000)
    assert (line["message"], line["logger"], line["level"]) == ("progress", "clew.worker", "INFO")


def test_an_event_is_told_with_its_gravity() -> None:
    event = WorkerEvent("batch discarded", "s0", {"records": 2, "destination": None})
    line = json.loads(as_json(event))
    assert (line["level"], line["message"], line["shardId"], line["records"]) == (
        "ERROR",
        "batch discarded",
        "s0",
        2,
    )
    assert as_text(event) == "s0: batch discarded (records 2)"
    assert is_shown(event, "WARNING")
    assert not is_shown(WorkerEvent("batch"), "INFO")


def test_the_pace_is_that_of_the_last_seconds() -> None:
    pace = Pace()
    assert pace.per_second(0, 0.0) == 0
    assert pace.per_second(100, 1.0) == 100
    for second in range(2, 10):
        last = pace.per_second(100, float(second))
    assert last == 0


@pytest.fixture
def status() -> list[WorkerStatus]:
    return [STATUS]


@pytest.fixture
def server(status: list[WorkerStatus]) -> Iterator[HealthServer]:
    running = HealthServer(0, lambda: status[0], WorkerOptions())
    yield running
    running.stop()


def asked(server: HealthServer, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}") as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_worker_is_healthy_while_it_renews_its_leases(
    server: HealthServer, status: list[WorkerStatus]
) -> None:
    code, said = asked(server, "/healthz")
    assert (code, json.loads(said)["healthy"]) == (200, True)
    status[0] = replace(STATUS, quiet_s=11.0)
    assert asked(server, "/healthz")[0] == 503
    status[0] = replace(STATUS, state="failed", reason="The stream is gone.")
    code, said = asked(server, "/healthz")
    assert (code, json.loads(said)["reason"]) == (503, "The stream is gone.")


def test_prometheus_reads_every_shard(server: HealthServer) -> None:
    code, said = asked(server, "/metrics")
    assert code == 200
    assert "clew_worker_records_total 1234.0" in said
    assert 'clew_worker_shard_behind_seconds{shard="s1"} 90.0' in said
    assert asked(server, "/nothing")[0] == 404


def test_a_port_that_is_taken_gets_one_sentence(server: HealthServer) -> None:
    with pytest.raises(WorkerError, match=f"The health port {server.port} on 127.0.0.1 cannot"):
        HealthServer(server.port, lambda: STATUS, WorkerOptions())

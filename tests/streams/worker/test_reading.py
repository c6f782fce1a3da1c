"""Expired iterators, refused reads, trimmed records, and streams that are not there."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from clew.streams.worker import (
    FunctionTarget,
    MappingSettings,
    SqliteLeases,
    Worker,
    WorkerError,
)

from .conftest import QUICK, Handled, numbered, put
from .stream_service import Refusal, StreamService

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import RunWorker

    Until = Callable[..., Any]


def test_expired_iterators_are_made_anew_after_the_last_record(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    running = run_worker(service, handled)
    for batch in range(5):
        put(service, *numbered(10, 10 * batch))
        until(lambda: len(handled.data) >= 10 * (batch + 1), "the batch is handled")  # noqa: B023
        service.expire_iterators()
    assert handled.data == numbered(50)
    assert not running.events("records lost")


def test_throttled_reads_are_made_later(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    refusals = [
        "ProvisionedThroughputExceededException",
        "InternalFailure",
        "KMSThrottlingException",
    ]

    def fault(operation: str) -> None:
        if operation == "GetRecords" and refusals:
            raise Refusal(refusals.pop())

    service.fault = fault
    put(service, "0")
    handled = Handled()
    running = run_worker(service, handled)
    until(lambda: handled.data, "it is handled")
    assert len(running.events("read throttled")) == 2
    assert len(running.events("read failed")) == 1


def test_what_was_trimmed_before_it_was_read_is_told(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    put(service, *numbered(10))
    first = run_worker(service, handled)
    until(lambda: len(handled.data) == 10, "the first ten are handled")
    first.worker.stop()
    numbers = put(service, *numbered(10, 10))
    (name,) = service.open_shards()
    position = service.shards[name].records[9]
    service.trim(name, 15)
    second = run_worker(service, handled)
    until(lambda: len(handled.data) == 15, "what is left is handled")
    assert handled.data == numbered(10) + numbered(5, 15)
    (lost,) = second.events("records lost")
    assert lost.fields["after"] == position["SequenceNumber"]
    arrived = position["ApproximateArrivalTimestamp"]
    assert lost.fields["since"].startswith(time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(arrived)))
    assert lost.fields["until"]
    assert int(numbers[-1])


def test_a_worker_may_be_told_to_stop_at_a_loss(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    put(service, *numbered(10))
    first = run_worker(service, handled)
    until(lambda: len(handled.data) == 10, "the first ten are handled")
    first.worker.stop()
    put(service, *numbered(10, 10))
    service.trim(service.open_shards()[0], 15)
    second = run_worker(service, handled, options=replace(QUICK, continue_after_loss=False))
    with pytest.raises(WorkerError, match="were trimmed before they were read"):
        second.worker.wait(10)
    assert second.worker.status().state == "failed"
    assert handled.data == numbered(10)


def test_a_position_of_another_stream_stops_the_worker(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    put(service, "0")
    first = run_worker(service, handled)
    until(lambda: handled.data, "it is handled")
    first.worker.stop()
    service._count = -1000  # as if its numbers were not those of the checkpoint
    second = run_worker(service, handled)
    with pytest.raises(WorkerError, match=r"The checkpoint of shardId-0+ \(\d+\) is not of this"):
        second.worker.wait(10)


def test_leases_of_another_stream_are_refused_before_anything_runs(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    put(service, "0")
    first = run_worker(service, handled)
    until(lambda: handled.data, "it is handled")
    first.worker.stop()
    service.created += 100  # deleted and created again under the same name
    second = run_worker(service, handled, start=False)
    with pytest.raises(WorkerError, match="are of another stream"):
        second.worker.start()


def test_a_stream_that_is_deleted_stops_the_worker(
    service: StreamService, run_worker: RunWorker
) -> None:
    running = run_worker(service, Handled())
    service.arn += "-gone"
    with pytest.raises(WorkerError, match="The Kinesis stream faulty is gone"):
        running.worker.wait(10)


def test_a_stream_that_does_not_exist_is_told_before_anything_runs(
    service: StreamService, tmp_path: Path
) -> None:
    worker = Worker(
        MappingSettings(f"{service.arn}-nobody", "LATEST"),
        target=FunctionTarget(Handled()),
        leases=SqliteLeases(tmp_path / "leases.db"),
        session=service.session(),
    )
    with pytest.raises(
        WorkerError, match="There is no such stream as the Kinesis stream faulty-no"
    ):
        worker.start()
    worker.stop()


def test_at_latest_only_what_comes_later_is_read(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    put(service, "before")
    running = run_worker(service, handled, starting_position="LATEST")
    until(lambda: service.reads, "it reads")
    put(service, "after")
    until(lambda: handled.data, "it is handled")
    assert handled.data == ["after"]
    assert running.worker.status().records == 1


def test_at_latest_a_restart_before_the_first_record_loses_nothing(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    first = run_worker(service, handled, starting_position="LATEST")
    until(lambda: service.reads, "it reads")
    first.worker.stop()
    put(service, "between")
    run_worker(service, handled, starting_position="LATEST")
    until(lambda: handled.data, "it is handled")
    assert handled.data == ["between"]


def test_reading_starts_at_a_time(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    put(service, "old")
    service.shards[service.open_shards()[0]].records[0]["ApproximateArrivalTimestamp"] -= 100
    put(service, "new")
    run_worker(service, handled, starting_position="AT_TIMESTAMP", starting_at=time.time() - 50)
    until(lambda: handled.data, "it is handled")
    assert handled.data == ["new"]


def test_reads_keep_to_the_limit_of_a_shard(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    options = replace(QUICK, reads_per_second=20, poll_interval_s=0.0)
    run_worker(service, handled, options=options)
    until(lambda: len(service.reads) >= 45, "it has read often")
    times = [when for _, when, _ in service.reads]
    # 20 that were saved up, then one each twentieth of a second.
    assert times[44] - times[0] >= (45 - 1 - 20) / 20

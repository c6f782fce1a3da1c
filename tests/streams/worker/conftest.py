"""A worker in this process, on a stream that can be made to misbehave."""

from __future__ import annotations

import threading
from base64 import b64decode
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from clew.streams.worker import (
    FunctionTarget,
    MappingSettings,
    SqliteLeases,
    Worker,
    WorkerEvent,
    WorkerOptions,
)

from .stream_service import StreamService

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from clew.streams.worker.clock import Clock

QUICK = WorkerOptions(
    poll_interval_s=0.02,
    reads_per_second=200,
    bytes_per_second=1e9,
    backoff_first_s=0.02,
    backoff_most_s=0.1,
    lease_s=1.0,
    shard_sync_s=0.2,
)


class Handled:
    """A handler that remembers what it got, and does what it is told."""

    def __init__(self, act: Callable[[list[str]], Any] = lambda _data: None) -> None:
        self._act = act
        self._lock = threading.Lock()
        self.events: list[dict[str, Any]] = []

    def __call__(self, event: dict[str, Any], _context: object) -> Any:
        with self._lock:
            self.events.append(event)
        return self._act([_data(record) for record in event["Records"]])

    @property
    def batches(self) -> list[list[str]]:
        return [[_data(record) for record in event["Records"]] for event in list(self.events)]

    @property
    def data(self) -> list[str]:
        return [each for batch in self.batches for each in batch]


def _data(record: dict[str, Any]) -> str:
    return b64decode(record["kinesis"]["data"]).decode()


class Running:
    """A worker and what it told."""

    def __init__(self, worker: Worker, told: list[WorkerEvent]) -> None:
        self.worker = worker
        self.told = told

    def events(self, kind: str) -> list[WorkerEvent]:
        return [event for event in list(self.told) if event.kind == kind]


class RunWorker(Protocol):
    """Starts a worker that ends with the test."""

    def __call__(
        self,
        service: StreamService,
        handler: Callable[[dict[str, Any], Any], Any],
        *,
        options: WorkerOptions = QUICK,
        start: bool = True,
        worker_id: str = "",
        clock: Clock | None = None,
        starting_position: str = "TRIM_HORIZON",
        **settings: Any,
    ) -> Running: ...


@pytest.fixture
def run_worker(tmp_path: Path) -> Iterator[RunWorker]:
    running: list[Running] = []

    def run(
        service: StreamService,
        handler: Callable[[dict[str, Any], Any], Any],
        *,
        options: WorkerOptions = QUICK,
        start: bool = True,
        worker_id: str = "",
        clock: Clock | None = None,
        starting_position: str = "TRIM_HORIZON",
        **settings: Any,
    ) -> Running:
        told: list[WorkerEvent] = []
        worker = Worker(
            MappingSettings(service.arn, starting_position, **settings),
            target=FunctionTarget(handler, name="handler", concurrency=100),
            leases=SqliteLeases(tmp_path / "leases.db"),
            session=service.session(),
            options=options,
            worker_id=worker_id,
            observe=told.append,
            clock=clock,
        )
        running.append(Running(worker, told))
        if start:
            worker.start()
        return running[-1]

    yield run
    for each in running:
        each.worker.stop(grace_s=5)


@pytest.fixture
def service() -> Iterator[StreamService]:
    with StreamService() as running:
        yield running


def put(service: StreamService, *data: str, key: str = "k") -> list[str]:
    return service.put((key, each.encode()) for each in data)


def numbered(count: int, first: int = 0) -> list[str]:
    return [str(at) for at in range(first, first + count)]


def by_key(handled: Handled) -> dict[str, list[str]]:
    keys: dict[str, list[str]] = defaultdict(list)
    for event in list(handled.events):
        for record in event["Records"]:
            keys[record["kinesis"]["partitionKey"]].append(record["eventID"].partition(":")[2])
    return keys

"""Several workers, and a lease store that fails."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from .conftest import Handled, put
from .stream_service import StreamService

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import RunWorker

    Until = Callable[..., Any]


def test_two_workers_share_the_shards_and_hand_them_over(
    run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    with StreamService(shards=4) as service:
        first = run_worker(service, handled, worker_id="one")
        until(lambda: len(first.worker.status().shards) == 4, "the first has all")
        second = run_worker(service, handled, worker_id="two")
        until(
            lambda: len(first.worker.status().shards) == len(second.worker.status().shards) == 2,
            "they have two each",
        )
        service.put((f"key-{at}", str(at).encode()) for at in range(200))
        until(lambda: len(handled.data) >= 200, "all are handled")
        second.worker.stop()
        until(lambda: len(first.worker.status().shards) == 4, "the first has all again")
        service.put((f"key-{at}", str(at).encode()) for at in range(200, 400))
        until(lambda: len(handled.data) >= 400, "all are handled")
    assert sorted(map(int, handled.data)) == list(range(400))


def test_the_shards_of_a_worker_that_died_are_taken_over(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    put(service, "0")
    first = run_worker(service, handled, worker_id="one")
    until(lambda: handled.data, "it is handled")
    # As if it was killed: its threads stand still, and nothing is released.
    first.worker._keep_leases = lambda: None  # type: ignore[method-assign]
    for consumer in first.worker._consumers.values():
        consumer._stopping.set()
    second = run_worker(service, handled, worker_id="two")
    (taken,) = until(lambda: second.events("shard taken"), "it is taken over")
    assert taken.fields["token"] == 2
    put(service, "1")
    until(lambda: len(handled.data) == 2, "the next is handled")
    assert handled.data == ["0", "1"]


def test_a_worker_that_cannot_renew_its_lease_stops_by_itself(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    running = run_worker(service, handled)
    put(service, "0")
    until(lambda: handled.data, "it is handled")
    running.worker._keep_leases = lambda: None  # type: ignore[method-assign]
    (consumer,) = running.worker._consumers.values()
    until(lambda: time.monotonic() > consumer._held_until, "the lease ran out")
    put(service, "1")
    until(lambda: running.events("shard lost"), "it notices")
    assert handled.data == ["0"]


def test_a_store_that_fails_for_a_while_holds_up_and_loses_nothing(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    from clew.streams.worker.errors import LeaseStoreError

    handled = Handled()
    running = run_worker(service, handled, batch_size=1)
    until(lambda: service.reads, "it reads")
    store = running.worker._store
    write, failures = store.checkpoint, [1, 2, 3]

    def checkpoint(*arguments: Any, **options: Any) -> None:
        if failures:
            failures.pop()
            raise LeaseStoreError("the disk is full")
        write(*arguments, **options)

    store.checkpoint = checkpoint  # type: ignore[method-assign]
    put(service, "0", "1")
    until(lambda: len(handled.data) == 2, "both are handled")
    assert handled.data == ["0", "1"]
    told = running.events("lease store failed")
    assert [event.fields["error"] for event in told] == ["the disk is full"] * 3

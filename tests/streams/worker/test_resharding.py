"""Splits, merges, and shards that the stream forgets."""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from .conftest import Handled, by_key, numbered, put
from .stream_service import StreamService

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import RunWorker

    Until = Callable[..., Any]


def _base64(text: str) -> str:
    import base64

    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("factor", [1, 4])
def test_keys_keep_their_order_through_splits_and_merges(
    run_worker: RunWorker, until: Until, factor: int
) -> None:
    handled = Handled()
    expected: dict[str, list[str]] = defaultdict(list)

    def produce(service: StreamService, count: int) -> None:
        keys = [f"key-{at % 17}" for at in range(count)]
        for key, number in zip(keys, service.put((key, b"x") for key in keys), strict=True):
            expected[key].append(number)

    with StreamService(shards=2) as service:
        produce(service, 300)
        running = run_worker(service, handled, batch_size=10, parallelization_factor=factor)
        low, high = service.open_shards()
        service.split(low)
        produce(service, 300)
        service.merge(*service.open_shards()[1:3])
        produce(service, 300)
        service.split(service.open_shards()[-1])
        produce(service, 300)
        until(lambda: len(handled.data) >= 1200, "all are handled")
        assert by_key(handled) == expected
        until(lambda: len(running.events("shard finished")) == 4, "the closed ones are finished")
        assert sorted(running.worker.status().shards) == sorted(service.open_shards())
    assert high in {event.shard_id for event in running.events("shard finished")}


def test_a_closed_shard_that_the_stream_lists_no_more_is_drained_before_its_children(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    gate = threading.Event()
    handled = Handled(lambda _data: gate.wait(10) and None)
    put(service, *numbered(5))
    running = run_worker(service, handled, batch_size=5)
    until(lambda: handled.data, "the first is under way")
    (parent,) = service.open_shards()
    service.split(parent)
    put(service, "child")
    listed = service.shards[parent]
    service.answer("ListShards", {"StreamARN": service.arn})
    hidden = service._ListShards
    service._ListShards = lambda request: {  # type: ignore[method-assign]
        "Shards": [each for each in hidden(request)["Shards"] if each["ShardId"] != parent]
    }
    put_late = [f"{at}" for at in range(5, 8)]
    listed.records += [
        {**listed.records[-1], "SequenceNumber": service._number(), "Data": _base64(each)}
        for each in put_late
    ]
    until(lambda: len(running.worker._store.leases()) == 3, "the children are known")
    gate.set()
    until(lambda: "child" in handled.data, "the child is read")
    assert handled.data == [*numbered(8), "child"]


def test_a_shard_that_the_stream_forgot_is_said_to_be_lost(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    (last,) = put(service, "0")
    running = run_worker(service, handled)
    until(lambda: handled.data, "the first is handled")
    (parent,) = service.open_shards()
    service.split(parent)
    service.forget(parent)
    put(service, "1")
    until(lambda: len(handled.data) == 2, "the child is read")
    (lost,) = running.events("records lost")
    assert (lost.shard_id, lost.fields["after"]) == (parent, last)
    assert "does not have the shard any more" in lost.fields["reason"]


def test_a_shard_under_an_old_name_is_read_from_its_beginning(
    service: StreamService, run_worker: RunWorker, until: Until
) -> None:
    handled = Handled()
    put(service, *numbered(5))
    running = run_worker(service, handled)
    until(lambda: len(handled.data) == 5, "the old one is handled")
    (name,) = service.open_shards()
    old = service.shards.pop(name)
    service._open_shard((), old.first_hash, old.last_hash)
    service.expire_iterators()
    put(service, "new")
    until(lambda: running.events("shard remade"), "it is noticed")
    put(service, "newer")
    until(lambda: "newer" in handled.data, "the new one is read")
    # A batch that was under way when it was noticed comes twice.
    assert list(dict.fromkeys(handled.data)) == [*numbered(5), "new", "newer"]


def test_leases_of_shards_that_are_long_gone_are_forgotten(
    service: StreamService, run_worker: RunWorker, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clew.streams.worker.worker._FORGET_AFTER_S", 0.0)
    handled = Handled()
    put(service, "0")
    running = run_worker(service, handled)
    (parent,) = service.open_shards()
    service.split(parent)
    until(lambda: running.events("shard finished"), "the parent is done")
    assert parent in {lease.shard_id for lease in running.worker._store.leases()}
    service.forget(parent)
    until(lambda: len(running.worker._store.leases()) == 2, "its lease is forgotten")
    put(service, "1")
    until(lambda: len(handled.data) == 2, "its children are read")

"""Both lease stores, by one contract."""

from __future__ import annotations

import dataclasses
import re
import threading
import uuid
from typing import TYPE_CHECKING, Protocol

import pytest

from clew.streams.worker import (
    DynamoDBLeases,
    LeaseLostError,
    LeaseStore,
    SqliteLeases,
    WorkerError,
)
from clew.streams.worker.leases import Lease, Start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from clew.localcloud import LocalCloud

S0 = Lease("s0", Start("LATEST", 17.5), begins="100")
S1 = Lease("s1", Start("TRIM_HORIZON"), parents=("s0", "s9"), begins="200")


class OpenStore(Protocol):
    """Opens one more store on the same leases, as another process would."""

    def __call__(self, mapping: str = "m", identity: str = "stream#1") -> LeaseStore: ...


@pytest.fixture(params=["sqlite", "dynamodb"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    stores: list[LeaseStore] = []
    unique = uuid.uuid4().hex
    if request.param == "dynamodb":
        cloud: LocalCloud = request.getfixturevalue("cloud")

    def opened(mapping: str = "m", identity: str = "stream#1") -> LeaseStore:
        store: LeaseStore
        if request.param == "sqlite":
            store = SqliteLeases(tmp_path / "below" / "leases.db")
        else:
            store = DynamoDBLeases(cloud.session(), "worker-leases")
            mapping += unique  # making a table for each test would take most of the time
        store.open(mapping, identity)
        stores.append(store)
        return store

    yield opened
    for store in stores:
        store.close()


def taken(store: LeaseStore, lease: Lease, worker: str) -> Lease:
    found = store.take(lease, worker)
    assert found is not None
    return found


def test_what_is_added_is_there_for_every_process(open_store: OpenStore) -> None:
    store, other = open_store(), open_store()
    store.add([S1, S0])
    other.add([dataclasses.replace(S0, begins="changed")])
    assert store.leases() == other.leases() == [S0, S1]


def test_mappings_do_not_mix(open_store: OpenStore) -> None:
    store, other = open_store(), open_store("n")
    store.add([S0])
    store.beat("a")
    assert other.leases() == []
    assert list(other.workers()) == []


def test_leases_of_another_stream_are_refused(open_store: OpenStore) -> None:
    open_store()
    with pytest.raises(
        WorkerError, match=re.escape("are of another stream (stream#1, not stream#2")
    ):
        open_store(identity="stream#2")


def test_only_the_first_fixes_where_a_mapping_begins(open_store: OpenStore) -> None:
    store, other = open_store(), open_store()
    store.add([S0], first=True)
    other.add([S0, S1], first=True)
    assert store.leases() == [S0]


def test_one_of_two_takes_a_lease(open_store: OpenStore) -> None:
    store, other = open_store(), open_store()
    store.add([S0])
    first = taken(store, S0, "a")
    assert (first.owner, first.token) == ("a", 1)
    assert other.take(S0, "b") is None
    (now,) = other.leases()
    assert now == first


def test_a_lease_that_was_renewed_in_the_meantime_is_not_taken(open_store: OpenStore) -> None:
    store, other = open_store(), open_store()
    store.add([S0])
    held = taken(store, S0, "a")
    (looked_at,) = other.leases()
    store.renew(held)
    assert other.take(looked_at, "b") is None


def test_what_an_older_token_writes_is_refused(open_store: OpenStore) -> None:
    store, other = open_store(), open_store()
    store.add([S0])
    old = taken(store, S0, "a")
    store.checkpoint(old, "one")
    new = taken(other, old, "b")
    assert (new.token, new.checkpoint) == (2, "one")
    for write in (
        lambda: store.checkpoint(old, "two"),
        lambda: store.checkpoint(old, "two", finished=True),
        lambda: store.renew(old),
    ):
        with pytest.raises(LeaseLostError, match="held by somebody else now"):
            write()
    store.release(old)
    assert not store.ask(old, "c")
    assert other.leases() == [new]


def test_an_owner_that_comes_back_under_its_name_is_another_one(open_store: OpenStore) -> None:
    store = open_store()
    store.add([S0])
    old = taken(store, S0, "a")
    taken(store, old, "a")
    with pytest.raises(LeaseLostError):
        store.checkpoint(old, "late")


def test_a_released_lease_keeps_its_checkpoint_and_who_wants_it(open_store: OpenStore) -> None:
    store, other = open_store(), open_store()
    store.add([S0])
    held = taken(store, S0, "a")
    assert other.ask(held, "b")
    assert not other.ask(held, "c")  # one at a time
    assert store.renew(held).wanted_by == "b"
    store.checkpoint(held, "text")
    store.release(held)
    (free,) = other.leases()
    assert (free.owner, free.wanted_by, free.checkpoint) == ("", "b", "text")
    assert taken(other, free, "b").wanted_by == ""
    with pytest.raises(LeaseLostError):
        store.checkpoint(held, "late")


def test_a_finished_shard_is_not_taken_again(open_store: OpenStore) -> None:
    store = open_store()
    store.add([S0])
    store.checkpoint(taken(store, S0, "a"), "end", finished=True)
    (lease,) = store.leases()
    assert lease.finished
    assert store.take(lease, "b") is None


def test_only_a_finished_shard_is_forgotten(open_store: OpenStore) -> None:
    store = open_store()
    store.add([S0, S1])
    store.checkpoint(taken(store, S0, "a"), "end", finished=True)
    for lease in store.leases():
        store.remove(lease)
    assert store.leases() == [S1]


def test_a_large_checkpoint_comes_back_as_it_was(open_store: OpenStore) -> None:
    store = open_store()
    store.add([S0])
    held = taken(store, S0, "a")
    for text in ("é" * 300_000, '{"small": 1}'):
        store.checkpoint(held, text)
        assert store.leases()[0].checkpoint == text


def test_a_shard_that_is_another_one_begins_anew(open_store: OpenStore) -> None:
    store = open_store()
    store.add([S0])
    held = taken(store, S0, "a")
    store.checkpoint(held, "old", finished=True)
    fresh = Lease("s0", Start("TRIM_HORIZON"), begins="999")
    assert store.remake(held, fresh)
    assert not store.remake(held, fresh)
    (lease,) = store.leases()
    assert lease == dataclasses.replace(fresh, token=2, beat=lease.beat)
    with pytest.raises(LeaseLostError):
        store.checkpoint(held, "late")


def test_workers_are_seen_to_live(open_store: OpenStore) -> None:
    store, other = open_store(), open_store()
    store.beat("a")
    other.beat("b")
    before = dict(other.workers())
    store.beat("a")
    after = dict(other.workers())
    assert after["a"] > before["a"]
    assert after["b"] == before["b"]
    store.leave("a")
    assert dict(other.workers()) == {"b": after["b"]}


def test_of_many_at_once_one_takes_each_lease(open_store: OpenStore) -> None:
    shards = [Lease(f"s{at}", Start("TRIM_HORIZON")) for at in range(5)]
    stores = [open_store() for _ in range(4)]
    stores[0].add(shards)
    won: list[tuple[str, int]] = []

    def take_all(worker: int) -> None:
        won.extend(
            (lease.shard_id, worker) for lease in shards if stores[worker].take(lease, f"w{worker}")
        )

    threads = [threading.Thread(target=take_all, args=(at,)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(shard for shard, _ in won) == ["s0", "s1", "s2", "s3", "s4"]
    assert {lease.token for lease in stores[0].leases()} == {1}


def test_a_file_that_cannot_be_one_gets_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match=re.escape(f"The lease store {tmp_path} cannot be used")):
        SqliteLeases(tmp_path)
    (tmp_path / "text").write_text("no database at all, but a text of some length" * 50)
    with pytest.raises(WorkerError, match="file is not a database"):
        SqliteLeases(tmp_path / "text")


def test_a_state_that_no_item_holds_gets_one_sentence(cloud: LocalCloud) -> None:
    store = DynamoDBLeases(cloud.session(), "worker-leases")
    store.open(uuid.uuid4().hex, "stream")
    store.add([S0])
    held = taken(store, S0, "a")
    noise = "".join(uuid.uuid4().hex for _ in range(40_000))
    with pytest.raises(WorkerError, match="too large for a lease in DynamoDB"):
        store.checkpoint(held, noise)

"""How workers share shards out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from clew.streams.worker.balance import plan
from clew.streams.worker.leases import Lease, Start

if TYPE_CHECKING:
    from random import Random


def leases(*owners: str) -> list[Lease]:
    return [Lease(f"s{at}", Start("TRIM_HORIZON"), owner=owner) for at, owner in enumerate(owners)]


def taken(
    given: list[Lease], me: str, workers: set[str], expired: set[str] | None = None
) -> list[str]:
    return [lease.shard_id for lease in plan(given, me, workers, expired or set()).take]


def test_one_worker_takes_everything() -> None:
    assert taken(leases("", "", ""), "a", {"a"}) == ["s0", "s1", "s2"]


def test_a_worker_leaves_the_others_their_share() -> None:
    assert taken(leases("", "", ""), "a", {"a", "b"}) == ["s0", "s1"]
    assert taken(leases("b", "b", ""), "a", {"a", "b"}) == ["s2"]


def test_the_shards_of_a_dead_worker_are_free() -> None:
    assert taken(leases("b", "b"), "a", {"a"}) == ["s0", "s1"]
    assert taken(leases("b", "b"), "a", {"a", "b"}, {"s1"}) == ["s1"]


def test_a_worker_that_comes_later_asks_the_richest() -> None:
    asked = plan(leases("a", "a", "a", "b"), "c", {"a", "b", "c"}, set()).ask
    assert asked is not None
    assert asked.owner == "a"
    assert plan(leases("a", "b"), "c", {"a", "b", "c"}, set()).ask is None


def test_it_asks_for_one_at_a_time() -> None:
    given = leases("a", "a", "a", "a")
    given[0] = replace(given[0], wanted_by="b")
    assert plan(given, "b", {"a", "b"}, set()).ask is None


def test_what_was_let_go_for_another_one_is_left_to_it() -> None:
    given = [replace(leases("")[0], wanted_by="b")]
    assert taken(given, "a", {"a", "b"}) == []
    assert taken(given, "b", {"a", "b"}) == ["s0"]
    assert taken(given, "a", {"a"}) == ["s0"]  # which is not there any more
    assert taken([*given, *leases("a", "b")[1:]], "a", {"a", "b"}) == ["s0"]  # which has its share


def test_children_are_left_alone_until_their_parents_are_done() -> None:
    child = replace(leases("")[0], shard_id="s9", parents=("s0",))
    assert taken([*leases(""), child], "a", {"a"}) == ["s0"]


def step(state: list[Lease], me: str, present: set[str]) -> bool:
    """One look of one worker; whether it did anything."""
    mine = plan(state, me, present, set())
    for lease in mine.take:
        state[state.index(lease)] = replace(lease, owner=me, wanted_by="")
    if mine.ask:
        state[state.index(mine.ask)] = replace(mine.ask, wanted_by=me)
    given_up = [lease for lease in state if lease.owner == me and lease.wanted_by]
    for lease in given_up:
        state[state.index(lease)] = replace(lease, owner="")
    return bool(mine.take or mine.ask or given_up)


@settings(deadline=None)
@given(
    count=st.integers(1, 30),
    names=st.sets(st.sampled_from("abcdef"), min_size=1),
    order=st.randoms(use_true_random=False),
)
def test_workers_that_come_at_any_time_end_up_even(
    count: int, names: set[str], order: Random
) -> None:
    state = leases(*[""] * count)
    present: set[str] = set()
    for newcomer in sorted(names):
        present.add(newcomer)
        for _ in range(order.randrange(20)):
            step(state, order.choice(sorted(present)), present)
    for _ in range(10 * count):
        for name in sorted(present):
            step(state, name, present)
    held = [sum(lease.owner == name for lease in state) for name in names]
    assert sum(held) == count
    assert max(held) - min(held) <= 1

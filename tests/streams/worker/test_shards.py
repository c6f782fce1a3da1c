"""Which shards are read, and in what order."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from clew.streams.worker import MappingSettings, checkpoint
from clew.streams.worker.leases import Lease, Start
from clew.streams.worker.machine import Lane
from clew.streams.worker.shards import Shard, first_leases, later_leases, remade, startable

from .making import ARN

if TYPE_CHECKING:
    from random import Random

FIRST = Start("TRIM_HORIZON")


def ids(leases: list[Lease]) -> list[str]:
    return [lease.shard_id for lease in leases]


def test_a_mapping_at_latest_begins_with_the_open_shards() -> None:
    shards = [Shard("s0", closed=True), Shard("s1", ("s0",)), Shard("s2", ("s0",))]
    leases = first_leases(shards, MappingSettings(ARN, "LATEST"), 17.0)
    assert [lease.finished for lease in leases] == [True, False, False]
    assert leases[1].start == Start("LATEST", 15.0)
    assert ids(startable(leases)) == ["s1", "s2"]


def test_a_mapping_at_the_beginning_reads_parents_first() -> None:
    shards = [Shard("s0", closed=True), Shard("s1", ("s0",)), Shard("s2", ("s0",))]
    leases = first_leases(shards, MappingSettings(ARN, "TRIM_HORIZON"), 17.0)
    assert ids(startable(leases)) == ["s0"]
    leases[0] = dataclasses.replace(leases[0], finished=True)
    assert ids(startable(leases)) == ["s1", "s2"]


def test_a_merged_shard_waits_for_both_parents() -> None:
    leases = [Lease("s0", FIRST), Lease("s1", FIRST), Lease("s2", FIRST, ("s0", "s1"))]
    leases[0] = dataclasses.replace(leases[0], finished=True)
    assert ids(startable(leases)) == ["s1"]
    leases[1] = dataclasses.replace(leases[1], finished=True)
    assert ids(startable(leases)) == ["s2"]


def test_a_parent_that_was_never_seen_is_over() -> None:
    assert ids(startable([Lease("s5", FIRST, ("s1",))])) == ["s5"]


def test_a_parent_that_the_stream_forgot_is_remembered() -> None:
    known = [Lease("s0", Start("LATEST", 17.0))]
    later = later_leases([Shard("s1", ("s0",)), Shard("s2", ("s0",))], known)
    assert [lease.start for lease in later] == [FIRST, FIRST]  # all of it, whatever the mapping's
    assert ids(startable(known + later)) == ["s0"]


def test_children_of_a_shard_read_from_a_time_are_read_from_that_time() -> None:
    known = [Lease("s0", Start("AT_TIMESTAMP", 99.0))]
    (later,) = later_leases([Shard("s1", ("s0",))], known)
    assert later.start == Start("AT_TIMESTAMP", 99.0)


def test_a_shard_that_is_another_one_is_noticed() -> None:
    known = [Lease("s0", FIRST, begins="10"), Lease("s1", FIRST, begins="20")]
    ((old, fresh),) = remade([Shard("s0", begins="10"), Shard("s1", begins="99")], known)
    assert (old.shard_id, fresh) == ("s1", Lease("s1", FIRST, (), "99"))
    assert not remade([Shard("s0")], known)  # the service does not say


def test_what_was_read_of_a_remade_shard_is_not_read_again() -> None:
    for done, kept in [("99", False), ("101", True), (None, False)]:
        text = checkpoint.write([Lane(done="150", read_to="150"), Lane(done=done, read_to=done)])
        old = Lease("s0", FIRST, begins="10", checkpoint=text)
        ((_, fresh),) = remade([Shard("s0", begins="100")], [old])
        assert fresh.checkpoint == (text if kept else "")


@st.composite
def histories(draw: st.DrawFn) -> list[Shard]:
    """A stream that was split and merged at random."""
    count = draw(st.integers(1, 4))
    shards = [Shard(f"s{at:03d}") for at in range(count)]
    open_ids = [shard.shard_id for shard in shards]
    for _ in range(draw(st.integers(0, 8))):
        if len(open_ids) > 1 and draw(st.booleans()):
            parents = (open_ids.pop(0), open_ids.pop(0))
            children = 1
        else:
            parents = (open_ids.pop(0),)  # type: ignore[assignment]
            children = 2
        for _ in range(children):
            shards.append(Shard(f"s{len(shards):03d}", parents))
            open_ids.append(shards[-1].shard_id)
    return shards


@settings(deadline=None)
@given(shards=histories(), choice=st.randoms(use_true_random=False))
def test_every_shard_is_read_after_its_parents(shards: list[Shard], choice: Random) -> None:
    leases = first_leases(shards, MappingSettings(ARN, "TRIM_HORIZON"), 0.0)
    finished: list[str] = []
    while ready := startable(leases):
        lease = choice.choice(ready)
        assert set(lease.parents) <= set(finished)
        finished.append(lease.shard_id)
        leases[leases.index(lease)] = dataclasses.replace(lease, finished=True)
    assert sorted(finished) == sorted(shard.shard_id for shard in shards)

"""Which shards a mapping reads, and in what order: parents before their children. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from clew.streams.worker import checkpoint
from clew.streams.worker.clock import CLOCK_TOLERANCE_S
from clew.streams.worker.leases import Lease, Start
from clew.streams.worker.settings import AT_TIMESTAMP, LATEST, TRIM_HORIZON

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clew.streams.worker.settings import MappingSettings


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard as the service lists it."""

    shard_id: str
    parents: tuple[str, ...] = ()
    #: Its first possible sequence number, or "" where the service does not give a lasting one.
    begins: str = ""
    #: Whether it takes no more records.
    closed: bool = False


def first_leases(shards: Iterable[Shard], settings: MappingSettings, wall: float) -> list[Lease]:
    """The leases of a mapping that begins now.

    At LATEST, what is closed already is over. Everything else starts where the settings say.
    """
    start = Start(settings.starting_position, settings.starting_at or 0.0)
    if settings.starting_position == LATEST:
        # Only used by whoever goes on before there is a checkpoint. A record of the seconds
        # before is better than one that is missing because two clocks differ.
        start = Start(LATEST, wall - CLOCK_TOLERANCE_S)
    return [
        Lease(
            shard.shard_id,
            start,
            shard.parents,
            shard.begins,
            finished=settings.starting_position == LATEST and shard.closed,
        )
        for shard in shards
    ]


def later_leases(shards: Iterable[Shard], leases: Sequence[Lease]) -> list[Lease]:
    """The leases of shards that appeared while the mapping runs.

    They were made by a split or a merge, so they are read from their beginning, whatever the
    starting position: their first record follows the last of their parents. Only with a point
    in time that is still ahead of the parents it counts for them too.
    """
    known = {lease.shard_id: lease for lease in leases}
    return [
        Lease(shard.shard_id, _inherited(shard, known), shard.parents, shard.begins)
        for shard in shards
        if shard.shard_id not in known
    ]


def _inherited(shard: Shard, known: Mapping[str, Lease]) -> Start:
    for parent in shard.parents:
        if parent in known and known[parent].start.position == AT_TIMESTAMP:
            return known[parent].start
    return Start(TRIM_HORIZON)


def remade(shards: Iterable[Shard], leases: Sequence[Lease]) -> list[tuple[Lease, Lease]]:
    """Leases whose shard is not the one it was, each with one for the shard that there is now.

    Shard ids are not used again on AWS while a stream lives. An emulator may do so, and then the
    iterators of the old shard mean nothing in the new one. Positions may: what was read of the
    new one already, before it was noticed, is not read again.
    """
    known = {lease.shard_id: lease for lease in leases}
    found = []
    for shard in shards:
        old = known.get(shard.shard_id)
        if old is not None and shard.begins and old.begins not in ("", shard.begins):
            fresh = Lease(shard.shard_id, Start(TRIM_HORIZON), (), shard.begins)
            if checkpoint.is_past(old.checkpoint, shard.begins):
                fresh = replace(fresh, checkpoint=old.checkpoint)
            found.append((old, fresh))
    return found


def startable(leases: Sequence[Lease]) -> list[Lease]:
    """The leases that may be read now: not finished, and nothing before them is left.

    A parent that was never seen is over: it was trimmed before the mapping began.
    """
    unfinished = {lease.shard_id for lease in leases if not lease.finished}
    return [
        lease
        for lease in leases
        if not lease.finished and not any(parent in unfinished for parent in lease.parents)
    ]

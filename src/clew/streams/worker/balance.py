"""How workers share the shards of a mapping out among themselves. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.streams.worker.shards import startable

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from clew.streams.worker.leases import Lease


@dataclass(frozen=True, slots=True)
class Plan:
    """What one worker does about its leases now."""

    #: Free ones, to take.
    take: tuple[Lease, ...] = ()
    #: One of another worker's, to ask for.
    ask: Lease | None = None


def plan(
    leases: Sequence[Lease], me: str, workers: Collection[str], expired: Collection[str]
) -> Plan:
    """What worker ``me`` does so that all hold about as many.

    Args:
        leases: All of the mapping.
        me: This worker.
        workers: Every worker that lives, this one too.
        expired: Shards whose owner has not renewed its lease in time.
    """
    active = startable(leases)
    held = Counter(
        lease.owner for lease in active if lease.owner in workers and lease.shard_id not in expired
    )
    most = -(-len(active) // len({*workers, me}))
    # Owners that live and have less than their share: what was let go for them is left to them.
    waiting = {worker for worker in workers if held[worker] < most} - {me}
    free = [
        lease
        for lease in active
        if (not lease.owner or lease.shard_id in expired or lease.owner not in workers)
        and (lease.owner or lease.wanted_by not in waiting)
    ]
    if free:
        room = max(0, most - held[me])
        # What was handed over for this worker comes first.
        free.sort(key=lambda lease: lease.wanted_by != me)
        return Plan(take=tuple(free[:room]))
    return Plan(ask=_to_ask_for(active, me, held, expired))


def _to_ask_for(
    active: Sequence[Lease], me: str, held: Counter[str], expired: Collection[str]
) -> Lease | None:
    """A lease of the worker that has the most, if taking it makes the two more even."""
    if any(lease.wanted_by == me for lease in active):
        return None  # one at a time
    richest = max(held, key=lambda worker: (held[worker], worker), default=me)
    if held[richest] - held[me] < 2:
        return None
    for lease in active:
        if lease.owner == richest and not lease.wanted_by and lease.shard_id not in expired:
            return lease
    return None

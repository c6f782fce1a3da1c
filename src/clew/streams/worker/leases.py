"""Who reads which shard, and how far: what is kept, and what a store of it has to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Start:
    """Where a shard is read from that has no checkpoint yet."""

    #: "TRIM_HORIZON", "LATEST" or "AT_TIMESTAMP".
    position: str
    #: Seconds since the epoch: the time asked for, or for LATEST when the mapping began.
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Lease:
    """One shard of one mapping. Rows stay when the stream forgets a closed shard."""

    shard_id: str
    start: Start
    #: Ids of the shards that it was made of by a split or a merge.
    parents: tuple[str, ...] = ()
    #: The shard's first possible sequence number, by which a remade shard is told from the old.
    begins: str = ""
    #: Who reads it, or "".
    owner: str = ""
    #: Counts the owners: the fencing token. What an older token writes is refused.
    token: int = 0
    #: Counts the renewals. An owner whose count stands still is dead.
    beat: int = 0
    #: Who asked the owner to hand it over, or "".
    wanted_by: str = ""
    #: How far it is done, as `clew.streams.worker.checkpoint` writes it, or "".
    checkpoint: str = ""
    #: Whether it is closed and everything in it is done.
    finished: bool = False


class LeaseStore(Protocol):
    """Keeps the leases of any number of mappings.

    Every change is atomic and conditional. What fails because somebody else was first returns
    False or None, or raises `LeaseLostError` where the caller believed that it held the lease.
    """

    def open(self, mapping: str, identity: str) -> None:
        """Begin with a mapping, or go on with it.

        Args:
            mapping: Its name: the leases of several do not mix.
            identity: The stream's ARN and creation time. Raises `WorkerError` if the leases
                under this name are of another stream.
        """

    def leases(self) -> list[Lease]:
        """Every lease, in the order of shard ids."""

    def add(self, leases: Iterable[Lease], *, first: bool = False) -> None:
        """Add those whose shard is not known yet.

        With ``first``, all or none: only if the mapping has no lease at all. Where a mapping
        begins is fixed by the worker that comes first.
        """

    def take(self, lease: Lease, owner: str) -> Lease | None:
        """Hold a lease, if its token and beat still are those of ``lease``.

        Then nobody has taken it, and its owner has not renewed it. The token goes up by one.
        """

    def renew(self, lease: Lease) -> Lease:
        """Show that its owner lives. Raises `LeaseLostError`."""

    def ask(self, lease: Lease, worker: str) -> bool:
        """Ask the owner to hand it over, if the token still is ``lease.token``."""

    def checkpoint(self, lease: Lease, checkpoint: str, *, finished: bool = False) -> None:
        """Say how far it is. Raises `LeaseLostError`."""

    def release(self, lease: Lease) -> None:
        """Hold it no more. Nothing happens if it is lost already."""

    def remake(self, lease: Lease, fresh: Lease) -> bool:
        """Put ``fresh`` in the place of a lease, if the token still is ``lease.token``."""

    def remove(self, lease: Lease) -> None:
        """Forget a lease that is finished."""

    def beat(self, worker: str) -> None:
        """Show that a worker lives, also one without a lease."""

    def workers(self) -> Sequence[tuple[str, int]]:
        """Every worker and the count of its beats."""

    def leave(self, worker: str) -> None:
        """Say that a worker is gone."""

    def close(self) -> None:
        """End the use of the store."""

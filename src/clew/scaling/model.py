"""What a stream looks like to the planner: ranges of the hash-key space, and the load in each.

A partition key's MD5 is a hash key, from 0 to 2**128 - 1; each open shard takes a range of them,
and together they take all. Ranges here are half open (``start`` to before ``end``); the service's
``EndingHashKey`` is ``end - 1``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from clew.errors import ClewError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clew.scaling.limits import Limits

KEY_SPACE = 2**128


class ScalingError(ClewError):
    """A stream, a goal or a trace that makes no sense: which, where, and what to do next."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is written to a shard or a stream."""

    bytes_per_s: float = 0.0
    records_per_s: float = 0.0

    def __add__(self, other: Load) -> Load:
        """Both together."""
        return Load(self.bytes_per_s + other.bytes_per_s, self.records_per_s + other.records_per_s)

    def times(self, factor: float) -> Load:
        """The same, so many times."""
        return Load(self.bytes_per_s * factor, self.records_per_s * factor)

    def shards(self, limits: Limits) -> float:
        """How many shards' worth it is: the tighter of the two limits counts."""
        return max(
            self.bytes_per_s / limits.shard_bytes_per_s,
            self.records_per_s / limits.shard_records_per_s,
        )


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a shard's range and the share of the shard's load that lies in it.

    A piece that holds one hash key (``end == start + 1``) is one partition key: it cannot be
    split. In any other the load is taken to be spread evenly.
    """

    start: int
    end: int
    bytes_share: float
    records_share: float

    @property
    def one_key(self) -> bool:
        """Whether it holds a single hash key."""
        return self.end - self.start == 1


@dataclass(frozen=True, slots=True)
class Shard:
    """An open shard. Without ``pieces``, its load is taken to be spread evenly over its range."""

    start: int
    end: int
    load: Load = Load()
    id: str = ""
    pieces: tuple[Piece, ...] = ()

    @property
    def width(self) -> float:
        """Its part of the hash-key space, from 0 to 1."""
        return (self.end - self.start) / KEY_SPACE

    def utilisation(self, limits: Limits) -> float:
        """Its load as a part of what a shard takes: 1.0 is full."""
        return self.load.shards(limits)


@dataclass(frozen=True, slots=True)
class ShardMap:
    """The open shards of a stream, in the order of their ranges, without gap or overlap."""

    shards: tuple[Shard, ...]

    def __post_init__(self) -> None:
        """Refuse what is no partition of the hash-key space."""
        at = 0
        for shard in self.shards:
            if shard.start != at or shard.end <= shard.start:
                raise ScalingError(
                    f"The open shards do not cover the hash keys once each: {shard.id or 'a shard'}"
                    f" begins at {shard.start} where {at} was expected; list the shards again"
                    " when the stream is ACTIVE."
                )
            at = shard.end
        if at != KEY_SPACE:
            raise ScalingError(
                f"The open shards end at hash key {at} of {KEY_SPACE}; list all pages of the"
                " stream's shards."
            )

    @classmethod
    def even(cls, count: int, load: Load | None = None) -> ShardMap:
        """``count`` shards of the same width, with ``load`` spread evenly."""
        cuts = [even_cut(number, count) for number in range(count + 1)]
        each = (load or Load()).times(1 / count)
        return cls(tuple(Shard(a, b, each) for a, b in pairwise(cuts)))

    @classmethod
    def of_cuts(cls, cuts: Sequence[int], loads: Sequence[Load] = ()) -> ShardMap:
        """Shards between 0, the inner boundaries ``cuts`` and the end."""
        edges = [0, *cuts, KEY_SPACE]
        given = loads or [Load()] * (len(edges) - 1)
        ranges = zip(pairwise(edges), given, strict=True)
        return cls(tuple(Shard(a, b, load) for (a, b), load in ranges))

    @classmethod
    def listed(
        cls, shards: Iterable[Mapping[str, Any]], loads: Mapping[str, Load] | None = None
    ) -> ShardMap:
        """Of what ListShards returns, all pages; closed shards are left out. Loads by shard id."""
        known = loads or {}
        opened = [
            Shard(
                int(one["HashKeyRange"]["StartingHashKey"]),
                int(one["HashKeyRange"]["EndingHashKey"]) + 1,
                known.get(one["ShardId"], Load()),
                one["ShardId"],
            )
            for one in shards
            if "EndingSequenceNumber" not in one["SequenceNumberRange"]
        ]
        return cls(tuple(sorted(opened, key=lambda shard: shard.start)))

    def __len__(self) -> int:
        """How many shards are open."""
        return len(self.shards)

    @property
    def cuts(self) -> tuple[int, ...]:
        """The boundaries between them."""
        return tuple(shard.start for shard in self.shards[1:])

    @property
    def load(self) -> Load:
        """Of the whole stream."""
        return sum((shard.load for shard in self.shards), Load())

    def with_samples(self, keys: Mapping[int, float], *, bins: int = 64) -> ShardMap:
        """The same with what a sample of records says of where in each shard the load lies.

        ``keys`` holds hash keys and their weight, such as bytes seen. See :func:`sampled`, and
        leave out shards of which fewer than some hundred records were seen: in a handful, each key
        looks heavy.
        """
        ordered = sorted(keys.items())
        found, at = [], 0
        for shard in self.shards:
            first = at
            while at < len(ordered) and ordered[at][0] < shard.end:
                at += 1
            found.append(replace(shard, pieces=sampled(shard, ordered[first:at], bins=bins)))
        return ShardMap(tuple(found))


def even_cut(number: int, count: int) -> int:
    """The boundary ``number`` of ``count`` shards of the same width."""
    return number * KEY_SPACE // count


def sampled(
    shard: Shard, keys: Sequence[tuple[int, float]], *, bins: int = 64, least: float = 0.05
) -> tuple[Piece, ...]:
    """Pieces of a shard, of sampled hash keys and their weights in ascending order.

    A key with ``least`` of the shard's weight or more stands alone; the others are counted in
    ``bins`` ranges of the same width, since single records say little of their neighbours.
    """
    total = sum(weight for _, weight in keys)
    if total <= 0 or shard.end - shard.start < 2 * bins:
        return ()
    alone = {key: weight / total for key, weight in keys if weight >= least * total}
    edges = {shard.start + (shard.end - shard.start) * n // bins for n in range(bins + 1)}
    edges |= {at for key in alone for at in (key, key + 1)}
    ordered = sorted(edges)
    shares = [0.0] * (len(ordered) - 1)
    at = 0
    for key, weight in keys:
        while ordered[at + 1] <= key:
            at += 1
        shares[at] += weight / total
    return tuple(
        Piece(a, b, share, share) for (a, b), share in zip(pairwise(ordered), shares, strict=True)
    )

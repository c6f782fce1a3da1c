"""Keys that no shard can hold. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clew.scaling.curve import SAME, Curve
from clew.scaling.model import Load

if TYPE_CHECKING:
    from clew.scaling.limits import Limits
    from clew.scaling.model import Shard, ShardMap

#: A shard this much narrower than an even one that is still too full holds one hot key, as far as
#: can be told without a sample: splits have halved everything else away.
_NARROW = 1 / 64


@dataclass(frozen=True, slots=True)
class HotKey:
    """A partition key that alone passes the target: no split can help it."""

    hash_key: int
    shard: str
    utilisation: float  # of one shard, by this key alone
    certain: bool = True  # False where no sample shows the key and only the shard's width tells
    name: str = ""  # the partition key, where it is known

    def __str__(self) -> str:
        """What to tell the team."""
        if self.certain and self.name:
            who = f"The partition key {self.name} (hash key {self.hash_key}) alone fills"
        elif self.certain:
            who = f"One partition key (hash key {self.hash_key}) alone fills"
        else:
            who = f"One partition key in {self.shard or 'a narrow shard'} seems to fill"
        return (
            f"{who} {self.utilisation:.0%} of a shard: splitting cannot help. Spread it over"
            " several keys where it is written."
        )


def without_hot_keys(
    shards: ShardMap, target: float, limits: Limits, *, isolate: bool
) -> tuple[tuple[HotKey, ...], Curve]:
    """The keys that no shard can hold, and the load without them.

    To ``isolate`` them, boundaries may go around them; else their shards are left alone.
    """
    found: list[HotKey] = []
    walled_shards: set[int] = set()
    walled_keys: set[int] = set()
    even = 1 / len(shards)
    for number, shard in enumerate(shards.shards):
        full = shard.utilisation(limits)
        if full <= target + SAME:
            continue
        keys = [key for key in _keys(shard, limits) if key.utilisation > target + SAME]
        narrow = shard.width < even * _NARROW or shard.end - shard.start == 1
        if not keys and narrow and not shard.pieces:
            keys = [HotKey(shard.start, shard.id, full, certain=False)]
            walled_shards.add(number)
        elif keys and not isolate:
            walled_shards.add(number)
        walled_keys |= {key.hash_key for key in keys}
        found += keys
    curve = Curve(shards, limits, walled_shards=walled_shards, walled_keys=walled_keys)
    return tuple(found), curve


def _keys(shard: Shard, limits: Limits) -> list[HotKey]:
    """The single keys that a sample shows in a shard."""
    found = []
    for piece in shard.pieces:
        if piece.one_key:
            load = Load(
                shard.load.bytes_per_s * piece.bytes_share,
                shard.load.records_per_s * piece.records_share,
            )
            found.append(HotKey(piece.start, shard.id, load.shards(limits)))
    return found

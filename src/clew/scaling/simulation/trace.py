"""What a stream was asked to take, minute by minute: scaled, halved, resampled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from clew.scaling.limits import Limits
from clew.scaling.model import ScalingError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Series = NDArray[np.float64]

#: Steps longer than this are joined by straight lines; shorter ones are taken to be even inside.
_EVEN_S = 300
#: How much the minutes of one longer step differ at least and at most: the standard deviation as a
#: part of the mean. In between they differ as counts of independent events do.
_ROUGH = 0.02, 0.25


@dataclass(frozen=True)
class Trace:
    """Demand in even steps of a minute, from ``start_s`` on."""

    bytes_per_s: Series
    records_per_s: Series
    start_s: float = 0.0
    name: str = ""
    #: The part of all load that one partition key has, minute by minute; None: no key stands out.
    hot_key: Series | None = None
    hot_at: float = 0.37  # where in the hash-key space that key is, from 0 to 1

    def __len__(self) -> int:
        """Minutes."""
        return len(self.bytes_per_s)

    @property
    def days(self) -> float:
        """Its length."""
        return len(self) / 1440

    def shards(self, limits: Limits | None = None) -> Series:
        """The shards' worth of each minute."""
        known = limits or Limits()
        return np.maximum(
            self.bytes_per_s / known.shard_bytes_per_s,
            self.records_per_s / known.shard_records_per_s,
        )

    @property
    def records(self) -> float:
        """How many records it has."""
        return float(self.records_per_s.sum()) * 60

    @property
    def record_bytes(self) -> float:
        """The mean size of a record."""
        return float(self.bytes_per_s.sum() * 60 / self.records) if self.records else 0.0

    def scaled(self, peak_shards: float, limits: Limits | None = None) -> Trace:
        """The same shape, so that the highest minute needs so many shards."""
        highest = float(self.shards(limits).max())
        if highest <= 0:
            raise ScalingError(f"The trace {self.name} has no load, so it cannot be scaled.")
        by = peak_shards / highest
        return replace(
            self, bytes_per_s=self.bytes_per_s * by, records_per_s=self.records_per_s * by
        )

    def part(self, first: int, end: int) -> Trace:
        """The minutes from ``first`` to before ``end``."""
        return replace(
            self,
            bytes_per_s=self.bytes_per_s[first:end],
            records_per_s=self.records_per_s[first:end],
            start_s=self.start_s + 60 * first,
            hot_key=None if self.hot_key is None else self.hot_key[first:end],
        )

    def halves(self) -> tuple[Trace, Trace]:
        """The first half and the second."""
        middle = len(self) // 2
        return self.part(0, middle), self.part(middle, len(self))

    def resampled(self, seed: int, block_days: float = 1.0) -> Trace:
        """As long a trace of blocks drawn from this one, each at its own time of the day."""
        random = np.random.default_rng(seed)
        block = max(1, min(int(block_days * 1440), len(self)))
        starts = np.arange(0, max(len(self) - block, 0) + 1, block)
        drawn = random.choice(starts, size=-(-len(self) // block))
        index = np.concatenate([np.arange(start, start + block) for start in drawn])[: len(self)]
        return replace(
            self,
            bytes_per_s=self.bytes_per_s[index],
            records_per_s=self.records_per_s[index],
            hot_key=None if self.hot_key is None else self.hot_key[index],
        )


def from_values(
    values: Iterable[float],
    step_s: float,
    *,
    start_s: float = 0.0,
    name: str = "",
    record_bytes: float = 1024,
    seed: int = 7,
) -> Trace:
    """Of one number in each step, in any unit; :meth:`Trace.scaled` gives it a size.

    Steps of more than a minute are filled in: those of up to five minutes hold their value,
    longer ones are joined by straight lines between their middles. Either way the minutes differ
    by a seeded noise like that of counts: ``sqrt(n)`` where a minute has ``n``, within 2 and 25 %.
    """
    known = np.asarray(list(values), dtype=np.float64)
    if not len(known) or not np.isfinite(known).all() or (known < 0).any():
        raise ScalingError(
            f"The trace {name} has no values, or some that are negative or no numbers."
        )
    each = max(1, round(step_s / 60))
    if each == 1:
        minutes = known
    else:
        at = np.arange(len(known) * each)
        if step_s <= _EVEN_S:
            minutes = np.repeat(known, each)
        else:
            minutes = np.interp(at + 0.5, (np.arange(len(known)) + 0.5) * each, known)
        rough = np.clip(1 / np.sqrt(np.maximum(minutes / each, 1e-9)), *_ROUGH)
        noise = np.random.default_rng(seed).normal(0.0, 1.0, len(minutes))
        minutes = minutes * (1 + rough * np.clip(noise, -3, 3))
    return Trace(minutes * record_bytes, minutes.copy(), start_s=start_s, name=name)

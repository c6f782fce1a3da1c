"""A first ``streams.yml``, of the streams that there are and what they were asked for. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from clew.scaling.seen import quantile_of, shards_for
from clew.scaling.words import count, duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.scaling.managed.desired import Existing

_TARGET = 0.75  # that of ManagedStream
_QUIET = 0.05  # the quietest 5 % of the time are taken to be its nights
_ROOM = 2  # the most is twice what the highest peak needs, or twice what there is
_MOST = 10_000
_STEP_S = 300
_LEAST_KNOWN = 288  # five minutes each: of less than a day nothing is concluded


@dataclass(frozen=True, slots=True)
class Bounds:
    """The fewest and the most shards to begin with, and why."""

    least: int
    most: int
    why: str


def bounds(shards: int, demand: Sequence[float]) -> Bounds:
    """From how many shards there are, and what was asked in every five minutes (in shards' worth).

    Without a day of metrics, what there is is the least, and twice that the most.
    """
    if len(demand) < _LEAST_KNOWN or not max(demand):
        why = f"{count(shards, 'shard')} now; too few metrics to tell what it needs"
        return Bounds(shards, min(shards * _ROOM, _MOST), why)
    peak, quiet = max(demand), quantile_of(list(demand), _QUIET)
    least = min(shards_for(quiet, _TARGET), shards)
    most = max(shards, ceil(peak / _TARGET)) * _ROOM
    why = (
        f"{count(shards, 'shard')} now; in {duration(len(demand) * _STEP_S)} never more than"
        f" {peak:.2g} shards' worth was asked"
    )
    return Bounds(least, min(most, _MOST), why)


def first_file(streams: Sequence[tuple[Existing, Sequence[float]]], region: str) -> str:
    """The text: provisioned streams with their bounds, the others in a comment."""
    lines = [
        f"# The Kinesis streams of {region} and how they are scaled: clew streams --help",
        "# Check it: clew streams validate   See what it does: clew streams plan",
        "version: 1",
        "",
        "defaults:",
        "  target: 75%                       # how full a shard should be at most",
        "  scale_up: {alarm_at: 80%, over: 5m}",
        "  scale_down: {below: 50%, over: 24h, every: 36h}",
        "",
        "streams:",
    ]
    listed = False
    for one, demand in streams:
        if one.mode == "on-demand":
            lines.append(f"  # {one.name} is left out: it is in on-demand mode.")
            continue
        found = bounds(one.shards, demand)
        name = one.name if re.fullmatch(r"[A-Za-z][\w.-]*", one.name) else f'"{one.name}"'
        lines += [f"  {name}:  # {found.why}", f"    min: {found.least}", f"    max: {found.most}"]
        if one.retention_h != 24:
            lines.append(f"    retention: {one.retention_h:g}h")
        listed = True
    if not listed:
        lines[lines.index("streams:")] = "streams: {}"
    return "\n".join(lines) + "\n"

"""Models of how others scale Kinesis streams, and of the two simplest ways, for comparison.

Written from what their documentation and their code say they do, with the settings that they ship,
and taken at their best: an alarm that is on asks again every minute, and bounds hold.

- awslabs/amazon-kinesis-scaling-utils at 23ba220 (2022), its README's example: 5 of the last 15
  minutes above 75 % add one shard, or 150 % more; 15 minutes under 25 % take one away, or a
  quarter; 15 and 60 minutes of cool-off; it looks every 300 s, and what UpdateShardCount refuses
  (more than double, an eleventh call in a day) it does by own splits and merges.
- aws-samples/kinesis-auto-scaling at e1e52f8 (2022), its Terraform: five points of 5 minutes at
  75 % double the stream, 57 of 60 under 25 % halve it.
- epsagon/kinesis-autoscaler at a866ff4 (2022), its example: 5 minutes at 75 % add 100, 50 or 25 %
  by size; a day of 5 minutes at 25 % or less brings the highest of them to 50 %, or halves it.
- aws-samples/aws-application-auto-scaling-kinesis at 9fe4d11 (2020): a minute at 80 % adds a
  shard, 15 minutes below the same 80 % take one away; 600 s between.
- brexhq/substation at 28f1b349 (2026), its Terraform: five minutes at 70 % add 100, 75, 50 or 25 %
  by size, 60 minutes under 35 % take as much away; 3 and 30 minutes between.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from math import ceil, floor
from typing import TYPE_CHECKING

import numpy as np

from clew.scaling.policy import Fixed, ScaleDown, SimpleRule
from clew.scaling.seen import Alarm, Seen, Wish
from clew.scaling.simulation.outcome import Outcome
from clew.scaling.simulation.simulate import Contender
from clew.scaling.simulation.stream import FULL, Stream
from clew.scaling.uniform import even_cuts

if TYPE_CHECKING:
    from clew.scaling.simulation.simulate import Conditions
    from clew.scaling.simulation.trace import Trace


@dataclass(frozen=True, slots=True)
class Awslabs:
    """The awslabs utility: fixed steps, seen every five minutes, by votes of minutes."""

    add_part: float | None = None  # None: one shard
    every_s: int = 300
    alarms: tuple[Alarm, ...] = ()

    def wish(self, seen: Seen) -> Wish:
        """One step up or down."""
        last = [value / seen.shards for value in seen.written[-15:]]
        high = sum(value > 0.75 for value in last)
        low = sum(value < 0.25 for value in last)
        if high >= 5:
            if seen.at_s - seen.last_up_s < 900:
                return Wish()
            add = 1 if self.add_part is None else ceil(seen.shards * self.add_part)
            return Wish(seen.shards + add)
        if low >= 15 and seen.shards > 1 and seen.at_s - seen.last_down_s >= 3600:
            less = 1.0 if self.add_part is None else max(seen.shards * 0.25, 1.0)
            return Wish(at_most=max(1, ceil(seen.shards - less)))
        return Wish()

    def explain(self) -> str:
        """In words."""
        return "The awslabs utility at 75 and 25 %."


@dataclass(frozen=True, slots=True)
class AwsSample:
    """The AWS sample: doubles and halves."""

    every_s: int = 0
    alarms: tuple[Alarm, ...] = (
        Alarm("up", "utilisation", 0.75, 5, 5, 300),
        Alarm("down", "utilisation", 0.25, 57, 60, 300, above=False),
    )

    def wish(self, seen: Seen) -> Wish:
        """Double or half."""
        if seen.alarm == "up":
            return Wish(seen.shards * 2)
        return Wish(at_most=max(1, seen.shards // 2))

    def explain(self) -> str:
        """In words."""
        return "The AWS sample: doubling and halving."


@dataclass(frozen=True, slots=True)
class Epsagon:
    """Epsagon's autoscaler: steps by size, and down to twice what a day has needed."""

    every_s: int = 0
    alarms: tuple[Alarm, ...] = (
        Alarm("up", "utilisation", 0.75, 1, 1, 300),
        Alarm("down", "utilisation", 0.25, 288, 288, 300, above=False),
    )

    def wish(self, seen: Seen) -> Wish:
        """Its step for this size, or what the day's highest five minutes need twice."""
        if seen.alarm == "up":
            factor = 2 if seen.shards <= 3 else 1.5 if seen.shards <= 50 else 1.25
            return Wish(ceil(seen.shards * factor))
        needed = ceil(2 * seen.fullest(86_400, 300))
        return Wish(at_most=max(1, ceil(seen.shards / 2), needed))

    def explain(self) -> str:
        """In words."""
        return "Epsagon's autoscaler."


@dataclass(frozen=True, slots=True)
class AppAutoScaling:
    """The sample for Application Auto Scaling: one more above a line, one fewer below it."""

    every_s: int = 0
    alarms: tuple[Alarm, ...] = (
        Alarm("up", "utilisation", 0.8),
        Alarm("down", "utilisation", 0.8, 3, 3, 300, above=False),
    )

    def wish(self, seen: Seen) -> Wish:
        """One more or one fewer, ten minutes after the last."""
        if seen.at_s - max(seen.last_up_s, seen.last_down_s) < 600:
            return Wish()
        if seen.alarm == "up":
            return Wish(seen.shards + 1)
        return Wish(at_most=max(1, seen.shards - 1))

    def explain(self) -> str:
        """In words."""
        return "The sample for Application Auto Scaling, at 80 %."


@dataclass(frozen=True, slots=True)
class Substation:
    """Substation: steps that get smaller as the stream gets larger."""

    every_s: int = 0
    alarms: tuple[Alarm, ...] = (
        Alarm("up", "utilisation", 0.70, 5, 5),
        Alarm("down", "utilisation", 0.35, 60, 60, above=False),
    )

    def wish(self, seen: Seen) -> Wish:
        """Its step for this size, if the last one is long enough ago."""
        last = max(seen.last_up_s, seen.last_down_s)
        factor = 2 if seen.shards < 5 else 1.75 if seen.shards < 13 else 1.5
        factor = 1.25 if seen.shards >= 33 else factor
        if seen.alarm == "up" and seen.at_s - last >= 180:
            return Wish(floor(seen.shards * factor))
        if seen.alarm == "down" and seen.at_s - last >= 1800:
            return Wish(at_most=max(1, ceil(seen.shards / factor)))
        return Wish()

    def explain(self) -> str:
        """In words."""
        return "Substation's dynamic steps."


@dataclass(frozen=True, slots=True)
class OneLess:
    """The careful way down of the simple rule: one shard, and only when a day was quiet."""

    when: ScaleDown = field(default_factory=ScaleDown)
    every_s: int = 300
    alarms: tuple[Alarm, ...] = ()

    def wish(self, seen: Seen) -> Wish:
        """One fewer, if the day was quiet."""
        found = self.when.wish(seen)
        return found if found.at_most is None else replace(found, at_most=seen.shards - 1)

    def explain(self) -> str:
        """In words."""
        return "One shard fewer when all of a day was quiet."


def peers(peak_shards: int) -> list[Contender]:
    """All of them; ``peak_shards`` is what the highest minute of all history needs."""
    return [
        Contender("awslabs utility, +1/-1", Awslabs(), "update or sweep"),
        Contender("awslabs utility, +150/-25 %", Awslabs(1.5), "update or sweep"),
        Contender("AWS sample, x2 and /2", AwsSample(), "update"),
        Contender("Epsagon, steps by size", Epsagon(), "update"),
        Contender("Application Auto Scaling, +1/-1", AppAutoScaling(), "update"),
        Contender("Substation, dynamic steps", Substation(), "update"),
        Contender("simple rule", SimpleRule() | OneLess(), "split"),
        Contender("static at the peak", Fixed(peak_shards), start_shards=peak_shards),
    ]


def on_demand(trace: Trace, conditions: Conditions, known_peak: float = 0.0) -> Outcome:
    """On-demand mode: twice the highest minute of the last 30 days, and 4 MB/s at first.

    A higher peak counts after ``on_demand_adapts_s``. ``known_peak`` is that of the days before
    the trace. A key that passes a shard's limit is refused there too: its shards are even.
    """
    limits = conditions.situation.limits
    load = trace.shards(limits)
    hot = np.zeros(len(load)) if trace.hot_key is None else trace.hot_key
    least = limits.on_demand_start_bytes_per_s / limits.shard_bytes_per_s
    most = limits.on_demand_max_bytes_per_s / limits.shard_bytes_per_s
    adapts, month = int(limits.on_demand_adapts_s // 60), 30 * 1440
    peaks: deque[tuple[int, float]] = deque([(-1, known_peak)])  # falling
    accepted, refused, open_shards = (np.zeros(len(load)) for _ in range(3))
    stream = Stream((), trace.hot_at, conditions.give_up_s // 60)
    lost, waited, longest = 0.0, 0, 0
    for minute, (asked, hot_share) in enumerate(zip(load.tolist(), hot.tolist(), strict=True)):
        ready = minute - adapts
        if ready >= 0:
            known = float(accepted[ready])
            while peaks and peaks[-1][1] <= known:
                peaks.pop()
            peaks.append((ready, known))
        while peaks[0][0] < ready - month:
            peaks.popleft()
        capacity = int(min(max(least, limits.on_demand_peak_factor * peaks[0][1]), most))
        if capacity != stream.shards:
            stream.change(tuple(even_cuts(capacity)), hot_share)
        open_shards[minute] = capacity
        if not stream.waiting and stream.fullest(asked, hot_share) <= FULL:
            accepted[minute], waited = asked, 0
            continue
        accepted[minute], _, refused[minute], gone = stream.take(asked, hot_share)
        lost += gone
        waited = waited + 1 if stream.waiting else 0
        longest = max(longest, waited)
    return Outcome(
        name="on-demand mode",
        trace=trace,
        demand=load,
        open_shards=open_shards,
        accepted=accepted,
        refused_new=refused,
        lost=lost,
        waiting=stream.backlog,
        waited_minutes=longest,
        closed=0,
        retention_h=conditions.situation.retention_h,
        on_demand=True,
    )

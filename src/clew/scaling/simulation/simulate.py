"""What a policy would have done: replays a trace against a stream, minute by minute.

Metrics of a minute are known ``metric_lag_s`` after its end, an alarm acts ``alarm_delay_s`` later,
and a change takes the time that :class:`~clew.scaling.limits.Timing` says. What a shard cannot take
in a minute is refused; producers try it again for ``give_up_s``, and then it is lost.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from clew.scaling.plan import Goal
from clew.scaling.seen import Seen
from clew.scaling.simulation.outcome import Change, Outcome
from clew.scaling.simulation.reshape import Reshaper
from clew.scaling.simulation.stream import FULL, Stream
from clew.scaling.simulation.watch import Watch
from clew.scaling.situation import Situation
from clew.scaling.uniform import even_cuts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clew.scaling.policy import Rule
    from clew.scaling.seen import Wish
    from clew.scaling.simulation.reshape import Step
    from clew.scaling.simulation.trace import Trace

#: How long to leave an uneven stream alone after nothing could be done about it.
_SETTLED_MINUTES = 15


@dataclass(frozen=True, slots=True)
class Conditions:
    """What holds for every policy alike."""

    situation: Situation = field(default_factory=Situation)
    min_shards: int = 1
    max_shards: int = 100
    start_shards: int | None = None  # None: what the first hour needs at 75 %
    metric_lag_s: int = 60
    alarm_delay_s: int = 30
    give_up_s: int = 300
    attempts_a_minute: float = 3.0  # of a record that is refused: how much refusals overstate
    warm_up_minutes: int = 0  # at the start, that count for nothing
    #: Whether the keys of records are sampled. That shows a hot one, so that the planner can put
    #: boundaries around it, for the sake of its neighbours.
    samples: bool = True


@dataclass(frozen=True, slots=True)
class Contender:
    """A policy as it runs: which rule, and by what it changes the stream.

    ``method`` is that of :class:`~clew.scaling.simulation.reshape.Reshaper`; ``target`` is what
    the planner keeps each shard under.
    """

    name: str
    rule: Rule
    method: str = "plan"
    start_shards: int | None = None
    target: float = 0.75
    min_shards: int = 1
    max_shards: int | None = None  # None: that of the conditions
    isolate_hot_keys: bool = True  # where keys are sampled


def simulate(
    trace: Trace, contenders: Iterable[Contender], conditions: Conditions | None = None
) -> list[Outcome]:
    """What each of them would have done, side by side."""
    given = conditions or Conditions()
    return [_Run(trace, one, given).outcome() for one in contenders]


class _Run:
    """One contender's way through a trace."""

    def __init__(self, trace: Trace, contender: Contender, given: Conditions) -> None:
        self._trace, self._contender, self._given = trace, contender, given
        self._load = trace.shards(given.situation.limits)
        minutes = len(trace)
        self._accepted = np.zeros(minutes)
        self._refused = np.zeros(minutes)  # in all attempts
        self._refused_new = np.zeros(minutes)
        self._hottest = np.zeros(minutes)
        self._open = np.zeros(minutes)
        start = contender.start_shards or given.start_shards
        start = start or ceil(float(self._load[:60].max(initial=0.0)) / 0.75)
        self._min = max(given.min_shards, contender.min_shards)
        self._max = max(min(given.max_shards, contender.max_shards or given.max_shards), self._min)
        start = min(max(start, self._min), self._max)
        self._stream = Stream(even_cuts(start), trace.hot_at, given.give_up_s // 60)
        self._reshaper = Reshaper(
            contender.method,
            given.situation,
            Goal(
                contender.target,
                self._min,
                self._max,
                isolate_hot_keys=contender.isolate_hot_keys and given.samples,
            ),
            given.samples,
            deque(),
        )
        series = {
            "utilisation": self._accepted,
            "refused": self._refused,
            "hottest": self._hottest,
        }
        self._watches = [Watch(one, series[one.measure]) for one in contender.rule.alarms]
        self._under_way: list[Step] = []
        self._last_up_s = self._last_down_s = float("-inf")
        self._changes: list[Change] = []
        self._settled_until = 0
        self._sums = _Sums()

    def outcome(self) -> Outcome:
        """Run to the end."""
        given, stream, sums = self._given, self._stream, self._sums
        hot = [0.0] * len(self._trace)
        if self._trace.hot_key is not None:
            hot = self._trace.hot_key.tolist()
        every, lag = self._contender.rule.every_s // 60, given.metric_lag_s // 60
        waited, first = 0, given.warm_up_minutes
        warm = _Sums()
        for minute, (asked, hot_share) in enumerate(zip(self._load.tolist(), hot, strict=True)):
            if minute == first:
                warm = replace(sums, longest=0)
                sums.longest = 0
            if self._under_way and self._under_way[0].done_s <= 60 * minute:
                self._finish(60 * minute, hot_share)
            if minute > lag:
                self._look(minute, minute - lag, hot_share, tick=every > 0 and minute % every == 0)
            self._open[minute] = stream.shards
            fullest = stream.fullest(asked, hot_share)
            if fullest <= FULL and not stream.waiting:
                self._accepted[minute] = asked
                self._hottest[minute] = fullest
                waited = 0
                continue
            accepted, refused, of_new, gone = stream.take(asked, hot_share)
            self._accepted[minute] = accepted
            self._refused[minute] = refused * given.attempts_a_minute
            self._refused_new[minute] = of_new
            self._hottest[minute] = min(fullest, 1.0)
            sums.lost += gone
            waited = waited + 1 if stream.waiting else 0
            sums.longest = max(sums.longest, waited)
        return Outcome(
            name=self._contender.name,
            trace=self._trace.part(first, len(self._trace)),
            demand=self._load[first:],
            open_shards=self._open[first:],
            accepted=self._accepted[first:],
            refused_new=self._refused_new[first:],
            lost=sums.lost - warm.lost,
            waiting=stream.backlog,
            waited_minutes=sums.longest,
            closed=sums.closed - warm.closed,
            retention_h=given.situation.retention_h,
            operations=sums.operations - warm.operations,
            update_calls=sums.calls - warm.calls,
            changes=tuple(one for one in self._changes if one.minute >= first),
        )

    def _finish(self, now_s: float, hot_share: float) -> None:
        """What is done by now holds; counted is what was done, not what was planned."""
        sums = self._sums
        while self._under_way and self._under_way[0].done_s <= now_s:
            step = self._under_way.pop(0)
            sums.closed += step.closed
            sums.operations += step.operations
            sums.calls += not step.operations
        self._stream.change(step.cuts, hot_share)

    def _look(self, minute: int, known: int, hot_share: float, *, tick: bool) -> None:
        """Ask the rule, if an alarm is on or it is time."""
        shards = self._stream.shards
        alarm = ""
        for watch in self._watches:
            if watch.on(known, shards):
                alarm = watch.alarm.name
                break
        if not (alarm or tick) or (self._under_way and self._contender.method != "plan"):
            return
        seen = Seen(
            at_s=self._trace.start_s + 60 * minute,
            shards=shards,
            written=self._accepted[:known],
            refused=self._refused[:known],
            hottest=self._hottest[:known],
            alarm=alarm,
            last_up_s=self._last_up_s,
            last_down_s=self._last_down_s,
            shards_then=self._open[:known],
        )
        self._act(minute, seen, self._contender.rule.wish(seen), hot_share)

    def _act(self, minute: int, seen: Seen, wish: Wish, hot_share: float) -> None:
        given, now = self._given, seen.shards
        low = min(max(wish.at_least, self._min), self._max)
        if self._under_way:
            # Splits and merges come one by one: those that are not begun may be planned anew.
            if low > len(self._under_way[-1].cuts) + 1:
                self._reshaper.give_up(self._under_way[1:])
                del self._under_way[1:]
            return
        wanted = now
        if low > now:
            wanted = low
        elif wish.at_most is not None:
            wanted = min(max(wish.at_most, low), now)
        uneven = wish.uneven and wanted == now and minute >= self._settled_until
        if wanted == now and not uneven:
            return
        change = self._reshaper.change(
            60.0 * minute + given.alarm_delay_s,
            self._stream,
            wanted,
            self._demand(seen, hot_share),
            hot_share,
            urgent=wanted >= now and seen.demand(120, 1.0) > seen.demand(120, 0.0),
        )
        if not change:
            self._settled_until = minute + _SETTLED_MINUTES
            return
        self._under_way = change
        after = len(change[-1].cuts) + 1
        if after < now:
            self._last_down_s = seen.at_s
        else:
            self._last_up_s = seen.at_s
        done, why = ceil(change[-1].done_s / 60), "; ".join(wish.why)
        self._changes.append(Change(minute, done, now, after, self._contender.method, why))

    def _demand(self, seen: Seen, hot_share: float) -> float:
        """What shard-level metrics show to be asked of the stream."""
        if hot_share and seen.concentrated(300):
            # Only the hot key's shard is full: the others tell of the part that they have.
            of_hot = float(self._stream.shares(hot_share)[self._stream.hot])
            return max(float(seen.written[-1]) - 1.0, 0.0) / max(1.0 - of_hot, 1e-9)
        return seen.demand(300, 1 / self._given.attempts_a_minute)


@dataclass(slots=True)
class _Sums:
    """What is counted on the way."""

    lost: float = 0.0
    closed: int = 0
    operations: int = 0
    calls: int = 0
    longest: int = 0

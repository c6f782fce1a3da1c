"""Policies side by side on one trace: what each refused, cost and changed, and what to say of it.

Pure. What shows it: :mod:`~clew.scaling.simulation.report_text` on a terminal,
:mod:`~clew.scaling.simulation.report_html` and :mod:`~clew.scaling.simulation.report_png`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from clew.scaling.prices import HOURS_A_MONTH, READ_ON, SOURCE
from clew.scaling.words import count, duration, usd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from clew.scaling.simulation.outcome import Outcome
    from clew.scaling.simulation.roster import Policy
    from clew.scaling.simulation.simulate import Conditions
    from clew.scaling.simulation.trace import Trace

#: A part of the load below this is nothing.
NOTHING = 5e-7
#: Refused records come again: this much of them is no loss to many a stream.
_BEARABLE = 0.01


@dataclass(frozen=True)
class Line:
    """One policy and what it came to. Loads are in shards' worth, money in US dollars."""

    policy: Policy
    outcome: Outcome
    usd_month: float  # at the rate that closed shards are taken to be billed at
    usd_month_open: float  # closed shards cost nothing
    usd_month_closed: float  # closed shards cost what open ones do

    @property
    def refused(self) -> float:
        """The part of the records that was refused when it came."""
        return self.outcome.throttled

    @property
    def refused_minutes(self) -> int:
        """In so many minutes."""
        return self.outcome.throttled_minutes

    @property
    def lost(self) -> float:
        """The part that producers gave up."""
        return self.outcome.lost_share

    @property
    def catch_up_s(self) -> float:
        """The longest time until everything that waited was in."""
        return 60.0 * self.outcome.waited_minutes

    @property
    def shards(self) -> tuple[int, float, int]:
        """The fewest, the mean and the most that were open."""
        shards = self.outcome.open_shards
        return int(shards.min()), float(shards.mean()), int(shards.max())

    @property
    def changes_a_day(self) -> float:
        """How often it changed the stream."""
        return len(self.outcome.changes) / max(self.outcome.trace.days, 1e-9)

    @property
    def most_changes_a_day(self) -> int:
        """On the worst day."""
        days = Counter(change.minute // 1440 for change in self.outcome.changes)
        return max(days.values(), default=0)


@dataclass(frozen=True)
class Report:
    """All of it."""

    trace: Trace
    conditions: Conditions
    lines: tuple[Line, ...]
    source: str
    notes: tuple[str, ...] = ()

    @property
    def load(self) -> Any:
        """The shards' worth of each minute."""
        return self.trace.shards(self.conditions.situation.limits)

    @property
    def real(self) -> list[Line]:
        """Those that can be chosen."""
        return [line for line in self.lines if line.policy.real]

    @property
    def optimum(self) -> Line | None:
        """The bound, if it was asked for."""
        return next((line for line in self.lines if not line.policy.real), None)

    @property
    def closed_matters(self) -> bool:
        """Whether it makes a difference what closed shards cost."""
        return any(line.usd_month_closed - line.usd_month_open > 0.005 for line in self.lines)


def compare(
    policies: Iterable[Policy],
    trace: Trace,
    conditions: Conditions,
    source: str,
    *,
    notes: tuple[str, ...] = (),
    done: Callable[[Policy], None] = lambda _: None,
) -> Report:
    """Run each of them over the trace; ``done`` is told after each."""
    lines = []
    for one in policies:
        line = line_of(one, one.run(trace, conditions), conditions)
        if not one.real:
            # It knows the price of closed shards, too: at another it would do something else.
            line = replace(
                line,
                usd_month_open=_at_rate(one, trace, conditions, 0.0),
                usd_month_closed=_at_rate(one, trace, conditions, 1.0),
            )
        lines.append(line)
        done(one)
    return Report(trace, conditions, tuple(lines), source, notes)


def line_of(policy: Policy, outcome: Outcome, conditions: Conditions) -> Line:
    """What an outcome comes to in a month."""
    prices = conditions.situation.prices
    months = len(outcome.trace) / 60 / HOURS_A_MONTH

    def at(rate: float) -> float:
        return outcome.usd(replace(prices, closed_shard_rate=rate)) / months

    return Line(policy, outcome, at(prices.closed_shard_rate), at(0.0), at(1.0))


def _at_rate(policy: Policy, trace: Trace, conditions: Conditions, rate: float) -> float:
    prices = conditions.situation.prices.with_closed_shards_at(rate)
    there = replace(conditions, situation=replace(conditions.situation, prices=prices))
    return line_of(policy, policy.run(trace, there), there).usd_month


def summary(report: Report) -> list[str]:
    """What to take away, in sentences for somebody who never heard of a shard's limit."""
    load = report.load
    limits = report.conditions.situation.limits
    trace = report.trace
    said = [
        f"{trace.name or 'The stream'} was asked to take {_few(load.max())} shards' worth in its"
        f" fullest minute and {_few(load.mean())} on average, over {_days(trace.days)}. One shard"
        f" takes {limits.shard_bytes_per_s / 2**20:g} MiB or {limits.shard_records_per_s:,.0f}"
        " records a second; what is above that is refused, and has to be sent again."
    ]
    real = report.real
    if not real:
        return said
    clean = [line for line in real if line.refused < NOTHING]
    if clean:
        best = min(clean, key=lambda line: line.usd_month)
        said.append(
            f"The cheapest that refused nothing is {best.policy.name}: {usd(best.usd_month)} a"
            f" month{', which is known only afterwards' if best.policy.hindsight else ''}."
        )
    else:
        best = min(real, key=lambda line: (line.refused, line.usd_month))
        said.append(
            f"Each of them refused something; {best.policy.name} the least: {part(best.refused)}"
            f" of the records, for {usd(best.usd_month)} a month."
        )
    bearable = [line for line in real if line.refused <= _BEARABLE]
    cheapest = min(bearable, key=lambda line: line.usd_month, default=best)
    if cheapest.usd_month < best.usd_month - 0.005:
        said.append(
            f"Who can bear to have up to {part(_BEARABLE)} refused pays least with"
            f" {cheapest.policy.name}: {usd(cheapest.usd_month)} a month,"
            f" {part(cheapest.refused)} refused in {count(cheapest.refused_minutes, 'minute')},"
            f" and never more than {duration(cheapest.catch_up_s)} until all of it was in."
        )
    if report.optimum is not None:
        said.append(
            "Who knew the future and refused nothing would pay"
            f" {usd(report.optimum.usd_month)} a month: the rest is the price of not knowing."
        )
    if report.closed_matters:
        said.append(
            "Splits and merges leave closed shards until their records expire, and AWS's pages do"
            " not say whether these are billed: both prices are given."
        )
    return said


def price_note() -> str:
    """Where the prices are from."""
    return f"Prices: {SOURCE}; read on {READ_ON:%Y-%m-%d}. A month has {HOURS_A_MONTH} hours."


def sparse(values: Any, columns: int, how: str = "max") -> Any:
    """As many numbers as there are columns: the highest, the mean or the sum of each stretch."""
    if len(values) <= columns:
        return np.asarray(values, dtype=np.float64)
    edges = np.linspace(0, len(values), columns + 1).astype(int)
    if how == "max":
        return np.maximum.reduceat(values, edges[:-1])
    sums = np.add.reduceat(values, edges[:-1])
    return sums if how == "sum" else sums / np.diff(edges)


def at_peaks(load: Any, values: Any, columns: int) -> Any:
    """``values`` at the minute of each stretch in which the load was highest."""
    if len(load) <= columns:
        return np.asarray(values, dtype=np.float64)
    edges = np.linspace(0, len(load), columns + 1).astype(int)
    places = [a + int(np.argmax(load[a:b])) for a, b in pairwise(edges)]
    return np.asarray(values, dtype=np.float64)[places]


def ceiling(report: Report) -> float:
    """How high a picture has to be: the load, and the shards of all but those far above it."""
    top = float(report.load.max())
    most = [float(line.outcome.open_shards.max()) for line in report.lines]
    return max([top, *(value for value in most if value <= max(1.5 * ceil(top), 4))]) * 1.05


def part(value: float) -> str:
    """A part of all, as a percentage with as many digits as matter."""
    if value < NOTHING:
        return "0 %"
    if value < 0.0001:
        return "under 0.01 %"
    return f"{100 * value:.2g} %" if value < 0.1 else f"{100 * value:.0f} %"


def _few(value: float) -> str:
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def _days(days: float) -> str:
    return f"{days:.0f} days" if days >= 3 else duration(days * 86_400)

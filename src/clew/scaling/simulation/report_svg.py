"""One policy against the load, as SVG inside a page: its colours are the page's. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import escape
from math import ceil
from typing import TYPE_CHECKING, Any

from clew.scaling.simulation.report import NOTHING, at_peaks, ceiling, part, sparse
from clew.stories.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.scaling.simulation.report import Line, Report

_WIDTH, _HEIGHT = 960, 150
_LEFT, _BOTTOM, _TOP = 30, 30, 6
_COLUMNS = 600
_TICKS = 7


def curve(report: Report, line: Line) -> str:
    """The load as an area, the shards as a line, and a mark wherever something was refused."""
    load, top = report.load, ceiling(report)
    columns = min(_COLUMNS, len(load))
    asked = sparse(load, columns)
    shards = at_peaks(load, line.outcome.open_shards, columns)
    refused = sparse(line.outcome.refused_new, columns)
    step = (_WIDTH - _LEFT) / columns
    floor = _HEIGHT - _BOTTOM

    def y(value: float) -> str:
        return f"{floor - (floor - _TOP) * min(float(value) / top, 1.02):.1f}".removesuffix(".0")

    low, mean, high = line.shards
    told = (
        f"{visible(line.policy.name)}: {low} to {high} shards, {mean:.1f} on average; refused"
        f" {part(line.refused) if line.refused >= NOTHING else 'nothing'}."
    )
    marks = [
        f"M{_LEFT + step * (n + 0.5):.1f} {y(shards[n])}V{y(max(asked[n], shards[n] + 0.02 * top))}"
        f"M{_LEFT + step * (n + 0.5):.1f} {floor + 2}v6"
        for n in range(columns)
        if refused[n] > 1e-9
    ]
    return "".join(
        (
            f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(told)}">',
            *_scale(report, y, top),
            f'<path fill="var(--load)" d="M{_LEFT} {floor}{_steps(asked, step, y)}V{floor}Z"/>',
            f'<path fill="none" stroke="var(--shards)" stroke-width="1.6"'
            f' d="M{_LEFT} {y(shards[0])}{_steps(shards, step, y)}"/>',
            f'<path stroke="var(--refused)" stroke-width="1.6" d="{"".join(marks)}"/>'
            if marks
            else "",
            "</svg>\n",
        )
    )


def _steps(values: Any, step: float, y: Any) -> str:
    """A path through values, each of which holds for one column; equal ones are one stretch."""
    found, last = [], ""
    for number, value in enumerate(values):
        here = y(value)
        if here != last:
            found.append(f"H{_LEFT + step * number:.1f}V{here}")
            last = here
    return "".join(found) + f"H{_WIDTH}"


def _scale(report: Report, y: Any, top: float) -> Iterator[str]:
    each = max(1, ceil(top / 4))
    for value in range(0, int(top) + 1, each):
        at = y(value)
        yield f'<path stroke="var(--rule)" d="M{_LEFT} {at}H{_WIDTH}"/>'
        yield f'<text x="{_LEFT - 6}" y="{float(at) + 4:.1f}" text-anchor="end">{value}</text>'
    first = datetime.fromtimestamp(report.trace.start_s, UTC)
    shape = "%d %b" if report.trace.days > 3 else "%d %b %H:%M"
    for number in range(_TICKS):
        part_of = (number + 0.5) / _TICKS
        at_s = first + timedelta(minutes=len(report.trace) * part_of)
        x = _LEFT + (_WIDTH - _LEFT) * part_of
        yield f'<text x="{x:.0f}" y="{_HEIGHT - 4}" text-anchor="middle">{at_s:{shape}}</text>'

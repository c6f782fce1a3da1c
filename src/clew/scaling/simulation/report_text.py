"""A report on a terminal: what to take away, a table, and load and shards as sparklines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from clew.scaling.simulation.report import (
    NOTHING,
    at_peaks,
    ceiling,
    part,
    price_note,
    sparse,
    summary,
)
from clew.scaling.simulation.report_spark import spark
from clew.scaling.words import duration, usd
from clew.stories.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, RenderableType

    from clew.scaling.simulation.report import Line, Report

_WIDE = 112  # from here on everything has a place
_MOST_SPARKS = 120
_NAME = 30


def print_report(report: Report, console: Console) -> None:
    """All of it."""
    for one in report_parts(report, console.width):
        console.print(one)


def report_parts(report: Report, width: int) -> Iterator[RenderableType]:
    """Its parts, for a terminal of that width."""
    for sentence in summary(report):
        yield Text(visible(sentence))
    yield Text()
    yield table_of(report, wide=width >= _WIDE)
    yield Text()
    yield from sparklines(report, width)
    yield Text()
    for note in (*report.notes, price_note()):
        yield Text(visible(note), style="dim")


def table_of(report: Report, *, wide: bool) -> Table:
    """One row for each policy."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    both = report.closed_matters
    table.add_column("policy", overflow="fold", min_width=20, max_width=_NAME)
    table.add_column("$ a month", justify="right")
    if both:
        table.add_column("closed shards billed", justify="right", max_width=13)
    table.add_column("refused", justify="right", no_wrap=True)
    if wide:
        table.add_column("in minutes", justify="right")
        table.add_column("lost", justify="right", no_wrap=True)
    table.add_column("longest wait", justify="right", max_width=8)
    table.add_column("shards", justify="right", no_wrap=True)
    if wide:
        table.add_column("changes a day", justify="right", max_width=9)
    for line in report.lines:
        table.add_row(*_cells(line, wide=wide, both=both))
    return table


def _cells(line: Line, *, wide: bool, both: bool) -> Iterator[RenderableType]:
    low, mean, high = line.shards
    real = line.policy.real
    yield Text(visible(line.policy.name), style="" if real else "italic")
    yield usd(line.usd_month_open if both else line.usd_month)
    if both:
        yield usd(line.usd_month_closed)
    yield Text(part(line.refused), style="red" if line.refused >= NOTHING else "green")
    if wide:
        yield f"{line.refused_minutes:,}"
        yield part(line.lost)
    yield duration(line.catch_up_s) if line.catch_up_s else "none"
    yield str(low) if low == high else f"{low} to {high}, mean {mean:.1f}"
    if wide:
        yield f"{line.changes_a_day:.1f}" if real else ""


def sparklines(report: Report, width: int) -> Iterator[Text]:
    """The load, and below it the shards that each policy had for it, to the same scale."""
    longest = max(len(line.policy.name) for line in report.lines) if report.lines else 0
    beside = min(max(longest, len("load")), _NAME) + 2
    columns = min(max(width - beside - 1, 20), _MOST_SPARKS, len(report.load))
    top, load = ceiling(report), report.load
    yield _named("load", Text(spark(sparse(load, columns), top)), beside)
    for line in report.lines:
        shown = spark(at_peaks(load, line.outcome.open_shards, columns), top)
        refused = sparse(line.outcome.refused_new, columns)
        text = Text()
        for character, here in zip(shown, refused, strict=True):
            text.append(character, style="red" if here > 1e-9 else "cyan")
        yield _named(line.policy.name, text, beside)
    marks = "Each character is the fullest minute of its time, and the shards that were open in"
    yield Text(f"{marks} it; red where records were refused.", style="dim")


def _named(name: str, text: Text, beside: int) -> Text:
    shown = visible(name)
    if len(shown) > beside - 2:
        shown = shown[: beside - 3] + "…"
    return Text(f"{shown:{beside}}").append_text(text)

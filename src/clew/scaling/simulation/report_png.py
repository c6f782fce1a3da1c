"""A report as one picture, for a page or a mail: drawn by Matplotlib, without a display."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from clew.scaling.model import ScalingError
from clew.scaling.simulation.report import (
    NOTHING,
    at_peaks,
    ceiling,
    part,
    price_note,
    sparse,
    summary,
)
from clew.scaling.words import duration, usd
from clew.stories.visible import visible

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from clew.scaling.simulation.report import Line, Report

_COLUMNS = 700
#: Distinct also to those who do not see red and green apart.
LOAD, SHARDS, REFUSED, CLOSED, INK, DIM = (
    "#b9c3cd", "#0b6fb8", "#d1495b", "#e3a72f", "#1d2733", "#66727f",
)  # fmt: skip
_WIDTH = 13.0
_ROW, _EACH, _MONEY = 0.215, 1.12, 0.4  # inches


def write_png(report: Report, path: Path) -> None:
    """Draw it into a file.

    Raises:
        ScalingError: The file cannot be written.
    """
    try:
        figure_of(report).savefig(path, format="png", dpi=110, metadata={"Software": "clew"})
    except OSError as error:
        raise ScalingError(f"{path} cannot be written: {error.strerror or error}.") from error


def figure_of(report: Report) -> Figure:
    """The picture: what to take away, each policy against the load, and what each costs."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    lines = report.lines
    said = "\n".join(fill(visible(one), 148) for one in summary(report))
    told = "\n".join(fill(visible(one), 185) for one in (*report.notes, price_note()))
    head = 1.05 + _ROW * (said.count("\n") + 1)
    foot = 0.55 + 0.15 * (told.count("\n") + 1)
    money = _MONEY * len(lines) + 0.75
    height = head + _EACH * len(lines) + money + foot
    figure = Figure(figsize=(_WIDTH, height), facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(
        0.03,
        1 - 0.32 / height,
        _title(report),
        fontsize=16,
        weight="bold",
        color=INK,
        va="center",
        parse_math=False,
    )
    figure.text(0.03, 1 - 0.6 / height, said, fontsize=10.5, color=INK, va="top",
                linespacing=1.35, parse_math=False)  # fmt: skip
    top = 1 - head / height
    each = _EACH / height
    shared: Axes | None = None
    for number, line in enumerate(lines):
        place = (0.05, top - each * (number + 1) + 0.2 / height, 0.6, each - 0.28 / height)
        axes = figure.add_axes(place, sharex=shared)
        shared = shared or axes
        _curve(axes, report, line, last=number == len(lines) - 1)
        _beside(figure, line, (0.665, place[1] + place[3]))
    _legend(figure, 1 - (head - 0.14) / height)
    place = (0.27, foot / height, 0.62, (money - 0.75) / height)
    _costs(figure.add_axes(place), report)
    figure.text(0.03, 0.12 / height, told, fontsize=8, color=DIM, va="bottom", parse_math=False)
    return figure


def _title(report: Report) -> str:
    first = datetime.fromtimestamp(report.trace.start_s, UTC)
    last = first + timedelta(minutes=len(report.trace))
    name = visible(report.trace.name or "The stream")
    return f"{name}: what each way of scaling would have done, {first:%d %b} to {last:%d %b %Y}"


def _curve(axes: Axes, report: Report, line: Line, *, last: bool) -> None:
    load, top = report.load, ceiling(report)
    columns = min(_COLUMNS, len(load))
    days = _days(report, columns)
    shown = at_peaks(load, line.outcome.open_shards, columns)
    refused = sparse(line.outcome.refused_new, columns)
    axes.fill_between(days, sparse(load, columns), step="mid", color=LOAD, linewidth=0)
    axes.step(days, np.minimum(shown, top * 1.02), where="mid", color=SHARDS, linewidth=1.3)
    here = refused > 1e-9
    if here.any():
        asked = sparse(load, columns)
        axes.vlines(days[here], np.minimum(shown, asked)[here], asked[here], REFUSED, linewidth=1.6)
        axes.plot(days[here], np.full(int(here.sum()), -0.045 * top), "|", color=REFUSED, ms=4)
    axes.set_ylim(-0.09 * top, top * 1.04)
    axes.set_xlim(days[0], days[-1])
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(DIM)
    axes.tick_params(colors=DIM, labelsize=8, length=2, labelbottom=last)
    axes.yaxis.set_major_locator(_whole())
    axes.grid(axis="y", color="#e6eaee", linewidth=0.6)
    axes.set_axisbelow(True)
    if last:
        axes.xaxis.set_major_formatter(_dates(report))


def _days(report: Report, columns: int) -> Any:
    return (np.arange(columns) + 0.5) * report.trace.days / columns


def _whole() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=3, integer=True)


def _dates(report: Report) -> Any:
    from matplotlib.ticker import FuncFormatter

    first = datetime.fromtimestamp(report.trace.start_s, UTC)
    shape = "%d %b" if report.trace.days > 3 else "%d %b %H:%M"
    return FuncFormatter(lambda day, _: (first + timedelta(days=float(day))).strftime(shape))


def _beside(figure: Figure, line: Line, place: tuple[float, float]) -> None:
    left, top = place
    height = figure.get_figheight()
    low, mean, high = line.shards
    shards = f"{low}" if low == high else f"{low} to {high}, {mean:.1f} on average"
    bad = line.refused >= NOTHING
    if bad:
        told = f"refused {part(line.refused)}, in {line.refused_minutes:,} minutes"
        if line.policy.real:
            told += f"; longest wait {duration(line.catch_up_s)}"
    else:
        told = "refused nothing"
    style = "normal" if line.policy.real else "italic"
    at = (0.0, 0.21, 0.4, 0.59)
    rows = (
        (visible(line.policy.name), 11.0, "bold", INK, style),
        (f"{usd(line.usd_month)} a month", 9.5, "normal", INK, "normal"),
        (told, 9.5, "normal", REFUSED if bad else DIM, "normal"),
        (f"shards: {shards}", 9.5, "normal", DIM, "normal"),
    )
    for below, (text, size, weight, color, slant) in zip(at, rows, strict=True):
        figure.text(
            left, top - below / height, text, fontsize=size, weight=weight, color=color,
            style=slant, va="top", parse_math=False,
        )  # fmt: skip


def _legend(figure: Figure, top: float) -> None:
    words = (
        (LOAD, "load, in shards' worth"),
        (SHARDS, "shards that were open"),
        (REFUSED, "refused: more than the shards could take"),
    )
    left = 0.05
    for color, word in words:
        figure.text(left, top, "■", fontsize=11, color=color, va="center")
        figure.text(left + 0.014, top, word, fontsize=9, color=DIM, va="center")
        left += 0.03 + 0.0062 * len(word)


def _costs(axes: Axes, report: Report) -> None:
    lines = report.lines
    places = np.arange(len(lines))[::-1]
    most = max(line.usd_month_closed for line in lines)
    typical = max(line.usd_month_open for line in lines)
    # Where closed shards would cost many times as much, their bars end at the edge.
    edge = min(most, 2.2 * typical) * 1.08
    opened = [line.usd_month_open for line in lines]
    more = [line.usd_month_closed - line.usd_month_open for line in lines]
    colors = [SHARDS if line.policy.real else DIM for line in lines]
    axes.barh(places, opened, color=colors, height=0.56)
    if report.closed_matters:
        axes.barh(places, more, left=opened, color=CLOSED, height=0.56, alpha=0.55)
    for place, line in zip(places, lines, strict=True):
        told = usd(line.usd_month_open)
        if line.usd_month_closed - line.usd_month_open > 0.005:
            told += f"  (up to {usd(line.usd_month_closed)})"
        inside = min(line.usd_month_closed, edge)
        fits = inside < edge * 0.8
        axes.text(
            inside + edge * 0.008 if fits else edge * 0.99, place, told, fontsize=9, color=INK,
            va="center", ha="left" if fits else "right", parse_math=False,
        )  # fmt: skip
    axes.set_xlim(0, edge)
    axes.set_ylim(-0.6, len(lines) - 0.4)
    names = [visible(line.policy.name) for line in lines]
    axes.set_yticks(places, names, fontsize=9.5, color=INK, parse_math=False)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    axes.spines["left"].set_color(DIM)
    axes.tick_params(axis="x", colors=DIM, labelsize=8, length=2)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_formatter(lambda value, _: f"${value:,.0f}")
    title = "Cost a month"
    if report.closed_matters:
        title += " (yellow: more, if AWS bills closed shards until their records expire)"
    axes.set_title(title, fontsize=11, weight="bold", color=INK, loc="left")

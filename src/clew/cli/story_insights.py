"""What Insights costs, said before it is asked; and how far it is."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.stories.insights import InsightsSource, Progress
    from clew.stories.insights_plan import Plan

#: What costs less is not asked about, in US dollars.
SMALL = 0.05


def cache_folder() -> Path:
    """clew's folder in the user's cache home."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "clew" / "insights"


@contextlib.contextmanager
def asking(logs: Any, where: str, prefix: str, given: dict[str, Any]) -> Iterator[InsightsSource]:
    """Logs Insights, with a person who is told what it costs."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn
    from rich.progress import Progress as Bar

    from clew.stories.insights import InsightsSource
    from clew.stories.insights_plan import Freshness, Limits, dollars

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn())
    bar = Bar(*columns, console=console, transient=True, disable=not console.is_terminal)
    task = bar.add_task("Logs Insights", total=None)
    estimated = 0

    def agree(plan: Plan) -> bool:
        nonlocal estimated
        estimated = plan.bytes
        bar.stop()
        _say(plan)
        if not given["yes"] and plan.dollars > SMALL:
            if not sys.stdin.isatty():
                _refuse(plan)
            if not click.confirm("Ask it?", err=True):
                return False
        bar.reset(task, total=max(estimated, 1))
        bar.start()
        return True

    def progress(told: Progress) -> None:
        # What was estimated from an even spread may be too little; it never stands at the end.
        said = f"Logs Insights: query {min(told.done + 1, told.queries)} of {told.queries}"
        total = max(estimated, told.bytes, 1)
        bar.update(task, description=said, completed=told.bytes, total=total)

    # The log groups of a local cloud have the names and numbers of any other's.
    local = given["name"] is not None and given["cache"] is None
    source = InsightsSource(
        logs, where, prefix, agree=agree, progress=progress,
        cache=None if given["no_cache"] or local else given["cache"] or cache_folder(),
        limits=Limits(freshness=Freshness(fresh_s=0) if given["refresh"] else Freshness()),
    )  # fmt: skip
    try:
        yield source
    finally:
        bar.stop()
        if source.asked:
            count, price = source.bytes_read, dollars(source.bytes_read)
            click.echo(f"Logs Insights read {size(count)}, which costs {money(price)}.", err=True)
        elif source.known:
            click.echo(
                "Nothing was asked of Logs Insights: what it answered before is minutes old"
                " (--refresh asks for what came since).",
                err=True,
            )
        for note in dict.fromkeys(source.notes):
            click.echo(note, err=True)


def _say(plan: Plan) -> None:
    from clew.stories.insights_plan import PRICE_PER_GB, PRICE_READ_ON

    groups = "1 log group" if plan.groups == 1 else f"{plan.groups:,} log groups"
    click.echo(
        f"Logs Insights will read about {size(plan.bytes)} of {groups}, if their lines came"
        f" evenly, for {money(plan.dollars)} (${PRICE_PER_GB} a GB in US East, as read on"
        f" {PRICE_READ_ON}).",
        err=True,
    )


def _refuse(plan: Plan) -> None:
    from clew.errors import ClewError

    raise ClewError(
        f"Logs Insights would cost {money(plan.dollars)}, more than ${SMALL:.2f}, and"
        " nobody is there to ask; say --yes, or make --since shorter."
    )


def money(dollars: float) -> str:
    """US dollars, so that little is not nothing."""
    return "less than $0.01" if dollars < 0.01 else f"about ${dollars:,.2f}"


def size(count: float) -> str:
    """Bytes in words: ``1.2 GB``."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if count < 1024:
            return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"
        count /= 1024
    return f"{count:,.1f} TB"

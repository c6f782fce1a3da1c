"""What ``clew store`` prints."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.stories.store import Found, Page, Stats


def shown(text: str) -> str:
    from clew.stories.visible import visible

    return visible(text)


def count_of(count: int) -> str:
    return "1 line" if count == 1 else f"{count:,} lines"


def _at(at_ms: int | None) -> str | None:
    from clew.stories.naming import rfc3339

    return None if at_ms is None else rfc3339(at_ms)


def page_json(page: Page) -> dict[str, Any]:
    lines = [one._asdict() | {"at": _at(one.at_ms), "key": one.key.hex()} for one in page.lines]
    return {
        "total": page.total,
        "functions": page.functions,
        "levels": page.levels,
        "more": page.more,
        "lines": lines,
    }


def print_page(page: Page) -> None:
    for one in reversed(page.lines):
        click.echo(_line(one))
    if not page.total:
        click.echo("No line has all of that.")
        return
    click.echo(f"\n{count_of(page.total)}: {_counts(page.functions)}; {_counts(page.levels)}")
    if page.more is not None:
        click.echo(f"Older ones: --before {page.more}")


def _line(one: Found) -> str:
    from clew.cli.local_logs import text
    from clew.localcloud.logs import LogLine

    at = datetime.fromtimestamp(min(one.at_ms, 253_402_300_799_999) / 1000, UTC)
    return (
        f"{at:%Y-%m-%d} {text(LogLine(at, one.function or one.log_group, one.stream, one.message))}"
    )


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{shown(name) or 'none'} {count:,}" for name, count in counts.items())


def stats_json(told: Stats) -> dict[str, Any]:
    return {
        "lines": told.lines,
        "bytes": told.bytes,
        "oldest": _at(told.oldest_ms),
        "newest": _at(told.newest_ms),
        "functions": told.functions,
        "levels": told.levels,
        "version": told.version,
    }


def print_stats(told: Stats) -> None:
    click.echo(f"lines      {told.lines:,}")
    click.echo(f"size       {told.bytes / 1e6:,.1f} MB")
    if told.lines:
        click.echo(f"from       {_at(told.oldest_ms)}")
        click.echo(f"to         {_at(told.newest_ms)}")
        click.echo(f"functions  {_counts(told.functions)}")
        click.echo(f"levels     {_counts(told.levels)}")

"""What ``clew logs`` prints of log groups."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from clew.shipping.subscriptions import Decision


def tell(
    chosen: list[Decision],
    failed: list[str],
    words: dict[str, str],
    *,
    as_json: bool,
    dry_run: bool,
) -> int:
    """What was done with each group; 1 if something failed."""
    from clew.stories.visible import visible

    if as_json:
        groups = [
            {
                "group": one.group.name,
                "action": one.action,
                "why": one.why,
                "retentionDays": one.retention_days,
            }
            for one in chosen
        ]
        click.echo(json.dumps({"dryRun": dry_run, "groups": groups, "failed": failed}, indent=2))
        return 1 if failed else 0
    for one in chosen:
        if one.action not in words:
            continue
        why = f" ({one.why})" if one.why else ""
        days = f", keeps lines for {one.retention_days} days" if one.retention_days else ""
        click.echo(f"{visible(one.group.name)}: {words[one.action]}{visible(why)}{days}")
    for each in failed:
        click.echo(visible(each), err=True)
    if not chosen:
        click.echo("No log group is meant by that.")
    return 1 if failed else 0


def _size(count: int) -> str:
    from clew.shipping.prices import GB

    return f"{count / GB:,.1f} GB" if count >= GB else f"{count / 2**20:,.1f} MB"


def print_status(told: list[dict[str, Any]]) -> None:
    from rich.table import Table
    from rich.text import Text

    from clew.cli.local_status import table_console
    from clew.shipping.prices import READ_ON, Prices
    from clew.stories.visible import visible

    prices = Prices()
    console = table_console()
    table = Table(box=None, pad_edge=False)
    for name, justify in (
        ("log group", "left"), ("shipped", "left"), ("filters", "left"), ("kept", "right"),
        ("stored", "right"), ("$ a month", "right"),
    ):  # fmt: skip
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for one in told:
        shipped = Text("yes", "green") if one["covered"] else Text("no", "yellow")
        if one["action"] == "refuse":
            shipped = Text(f"no: {visible(one['why'])}", "yellow")
        names = ", ".join(each["name"] for each in one["filters"]) or "-"
        days = f"{one['retentionDays']} d" if one["retentionDays"] else "for ever"
        table.add_row(
            Text(visible(one["group"])), shipped, Text(visible(names)), days,
            _size(one["storedBytes"]), f"{one['keepingPerMonth']:,.2f}",
        )  # fmt: skip
    if told:
        console.print(table)
    covered = sum(one["covered"] for one in told)
    console.print(
        f"{covered} of {len(told)} log groups are shipped. CloudWatch Logs takes"
        f" ${prices.ingested:.2f} a GB that comes in and ${prices.stored_month:.2f} a GB and month"
        f" that is kept, at most (US East, as read on {READ_ON}).",
        style="dim",
    )

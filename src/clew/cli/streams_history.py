"""``clew streams history``."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import click

from clew.cli.duration import DURATION
from clew.cli.streams_where import (
    aws_options,
    env_option,
    file_option,
    json_option,
    named,
    session_for,
    table_option,
)

if TYPE_CHECKING:
    from rich.console import Console


@click.command()
@click.argument("stream")
@env_option
@file_option
@table_option
@aws_options
@click.option(
    "--since", "since_s", type=DURATION, default="7d", show_default=True, metavar="AGE",
    help="Only what is newer: 2h, 7d.",
)  # fmt: skip
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@json_option
def history(
    *, stream: str, table: str, since_s: float, limit: int, as_json: bool, **given: Any
) -> None:
    """List what was done to STREAM, the latest first: what, by whom, why, and what it costs.

    \b
    Examples:
      clew streams history orders
      clew streams history orders --since 30d --limit 100
      clew streams history orders --json | jq '.[] | select(.outcome == "done") | .why'
    """
    from clew.scaling.managed.desired_state import asking
    from clew.scaling.managed.store import Store

    session = session_for(given)
    stream = named(stream, given)
    store = Store(session.client("dynamodb"), table)
    with asking("dynamodb"):
        records = store.audit(stream, since_s=time.time() - since_s, limit=limit)
    if as_json:
        click.echo(json.dumps(records, indent=2))
        return
    from clew.cli.local_status import table_console
    from clew.stories.visible import visible

    if not records:
        click.echo(f"Nothing was done to {visible(stream)} in that time.")
    console = table_console()
    for record in records:
        _show(record, console)


def _show(record: dict[str, Any], console: Console) -> None:
    from datetime import UTC, datetime

    from rich.text import Text

    from clew.cli.streams_plan import hung
    from clew.cli.streams_words import action, ago
    from clew.stories.visible import visible

    at = datetime.fromtimestamp(record["at_s"], UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    style = "bold red" if record.get("outcome") == "failed" else "bold"
    head = Text.assemble(
        (at, style), f"  {visible(action(record))}", (f"  {ago(record['at_s'])}", "dim")
    )
    console.print(head)
    said = [record.get("why", ""), record.get("plan", "")]
    for one in [*said, *record.get("hot_keys", ()), *record.get("notes", ())]:
        if one:
            console.print(hung("    ", one, "dim"))
    if record.get("map_after") and record.get("map_before") != record["map_after"]:
        for name in ("before", "after"):
            picture = visible(record[f"map_{name}"])
            console.print(Text(f"    {name:<6} {picture}", "dim"), soft_wrap=True)

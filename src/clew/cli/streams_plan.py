"""``clew streams plan``, which ``diff`` is another name of."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from clew.cli.streams_where import (
    aws_options,
    config_and_env,
    env_option,
    file_option,
    functions_option,
    json_option,
    session_of,
    table_option,
)

if TYPE_CHECKING:
    from rich.console import Console

    from clew.scaling.managed.desired import Change
    from clew.scaling.managed.desired_prepare import Prepared

_DIFFERS = 2
_SIGNS = {
    "create": ("+", "green"), "adopt": ("+", "cyan"), "change": ("~", "yellow"),
    "forget": ("-", "red"), "same": ("=", "dim"),
}  # fmt: skip


@click.command()
@file_option
@env_option
@table_option
@functions_option
@aws_options
@click.option("--check", is_flag=True, help="Exit with 2 if there is something to apply.")
@json_option
def plan(*, table: str, functions: str, check: bool, as_json: bool, **given: Any) -> int:
    """Say what `clew streams apply` would do, and what it costs. Changes nothing.

    \b
    Exit status: 0; with --check, 2 if there is something to apply.

    \b
    Examples:
      clew streams plan --env prod
      clew streams plan --env prod --check      # has somebody forgotten to apply?
      clew streams diff --env prod --json | jq '.changes[] | {name, kind, usd_after}'
    """
    from clew.scaling.managed.desired_prepare import prepare

    config, env = config_and_env(given)
    session = session_of(given, config.region(env))
    found = prepare(session, config, env, table, functions)
    if as_json:
        click.echo(json.dumps(facts(found), indent=2))
    else:
        from clew.cli.local_status import table_console

        show(found, table_console())
    return _DIFFERS if check and not found.nothing else 0


def facts(found: Prepared) -> dict[str, Any]:
    """A plan for a script."""
    return {
        "env": found.diff.env,
        "stack": found.diff.stack_name,
        "nothing": found.nothing,
        "changes": [asdict(one) for one in found.diff.changes],
        "alarms": dict(found.alarms),
        "notes": list(found.diff.notes),
    }


def show(found: Prepared, console: Console) -> None:
    """A plan in words."""
    from rich.text import Text

    from clew.scaling.words import count, usd

    diff = found.diff
    same = [one for one in diff.changes if one.kind == "same" and not one.said]
    for change in diff.changes:
        if change not in same:
            _show_change(change, console)
    if same:
        names = ", ".join(one.name for one in same)
        console.print(hung("= ", f"{names}: as the file says.", "dim"))
    for note in diff.notes:
        console.print(hung("! ", note, "yellow"))
    alarms = [f"{count(n, 'alarm')} {what}" for what, n in found.alarms.items() if n]
    if alarms:
        console.print(hung("~ ", f"In the stack {diff.stack_name}: {', '.join(alarms)}.", ""))
    if not found.topic:
        console.print(
            hung("! ", "The scaling functions are not deployed here: see clew streams template."
                  , "yellow")
        )  # fmt: skip
    now = sum(one.usd_before for one in diff.changes)
    after = sum(one.usd_after for one in diff.changes)
    most = sum(one.usd_most for one in diff.changes)
    if found.nothing:
        console.print(Text("Nothing to do: all is as the file says.", "green"))
    if after:
        said = f"Open shards: {usd(after)} a month"
        said += f" instead of {usd(now)}" if abs(now - after) > 0.005 else ""
        said += f", and {usd(most)} if every stream had its max" if most > after else ""
        console.print(Text(f"{said}. List prices of US East, without what is put in.", "dim"))


def _show_change(change: Change, console: Console) -> None:
    from rich.text import Text

    from clew.scaling.managed.desired import price
    from clew.stories.visible import visible

    sign, style = _SIGNS[change.kind]
    console.print(Text.assemble((f"{sign} ", style), (visible(change.name), "bold")))
    for sentence in change.said:
        console.print(hung("    ", sentence))
    if change.loses:
        console.print(hung("    ", f"Loses {change.loses}; needs --allow-delete.", "bold red"))
    if said := price(change):
        console.print(hung("    ", f"{said}.", "dim"))


def hung(before: str, said: str, style: str = "") -> Any:
    """A paragraph, all of it to the right of what stands before its first line."""
    from rich.table import Table
    from rich.text import Text

    from clew.stories.visible import visible

    text = Text(visible(said), style)
    if not before:
        return text
    grid = Table.grid()
    grid.add_column(width=len(before), no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(before, style), text)
    return grid

"""``clew streams status``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

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

    from clew.scaling.managed.desired_now import Now
    from clew.scaling.managed.settings import ManagedStream

_BAR = 20
_WRONG = 2


@click.command()
@click.argument("streams", nargs=-1)
@env_option
@file_option
@table_option
@aws_options
@click.option("--check", is_flag=True, help="Exit with 2 if a stream needs somebody.")
@json_option
def status(
    *, streams: tuple[str, ...], table: str, check: bool, as_json: bool,
    **given: Any,
) -> int:  # fmt: skip
    """Show the managed STREAMS, or all: shards, how full, alarms, and what was done last.

    How full is what was asked of the stream in the fullest of the last five minutes, refused
    records among it, over what its open shards take.

    \b
    Examples:
      clew streams status --env prod
      clew streams status orders clicks
      clew streams status --json | jq '.[] | select(.refused > 0) | .name'
      clew streams status --check || page-somebody
    """
    from clew.scaling.managed.desired_now import look_at_all
    from clew.scaling.managed.desired_state import tools_of

    session = session_for(given)
    chosen = _chosen(session, table, tuple(named(one, given) for one in streams), given["env"])
    tools = tools_of(session, table)
    found = list(zip(chosen, look_at_all(tools, chosen), strict=True))
    if as_json:
        click.echo(json.dumps([_facts(settings, one) for settings, one in found], indent=2))
    else:
        from clew.cli.local_status import table_console

        console = table_console()
        for settings, one in found:
            _show(settings, one, console)
    wrong = any(isinstance(one, str) or one.refused or one.ringing for _, one in found)
    return _WRONG if check and wrong else 0


def _chosen(
    session: Any, table: str, names: tuple[str, ...], env: str | None
) -> list[ManagedStream]:
    from clew.errors import ClewError
    from clew.scaling.managed.config_words import meant
    from clew.scaling.managed.desired_state import read_settings
    from clew.stories.visible import visible

    known = read_settings(session, table)
    of_env = {name: one for name, one in known.items() if env is None or one.env == env}
    for name in names:
        if name not in known:
            raise ClewError(f"{visible(name)} is not managed here{meant(name, known)}")
    if not of_env and not names:
        where = f" in the environment {visible(env)}" if env else ""
        raise ClewError(
            f"No stream is managed{where} (table {table}); see clew streams init and clew streams"
            " apply."
        )
    return [known[name] for name in names] if names else list(of_env.values())


def _facts(settings: ManagedStream, one: Now | str) -> dict[str, Any]:
    if isinstance(one, str):
        return {"name": settings.name, "env": settings.env, "error": one}
    return {
        "name": settings.name,
        "env": settings.env,
        "arn": one.state.arn,
        "status": one.state.status,
        "mode": one.state.mode,
        "shards": len(one.shards),
        "closed_shards": one.closed,
        "min": settings.bounds[0],
        "max": settings.bounds[1],
        "utilisation": round(one.utilisation, 4),
        "bytes_per_s": one.asked.bytes_per_s,
        "records_per_s": one.asked.records_per_s,
        "refused": one.refused,
        "iterator_age_s": one.measured.iterator_age_s,
        "alarms": {each["AlarmName"]: each.get("StateValue", "") for each in one.alarms},
        "under_way": one.under_way,
        "last": list(one.done),
        "hot_keys": hot_keys(one),
    }


def hot_keys(one: Now) -> list[str]:
    """Keys that no shard can hold, if the last records of the audit have one."""
    return next((record["hot_keys"] for record in one.done if record.get("hot_keys")), [])


def _show(settings: ManagedStream, one: Now | str, console: Console) -> None:
    from rich.text import Text

    from clew.cli.streams_map import bar, colour, megabytes
    from clew.cli.streams_plan import hung
    from clew.scaling.words import count
    from clew.stories.visible import visible

    name = Text(visible(settings.name), "bold")
    if isinstance(one, str):
        console.print(name)
        console.print(hung("    ", one, "red"))
        return
    low, high = settings.bounds
    plain = not console.encoding.lower().startswith("utf")
    head = Text.assemble(
        name, f"  {count(len(one.shards), 'shard')}", (f" ({low} to {high})", "dim")
    )
    if not one.state.active or one.state.mode == "on-demand":
        shown = one.state.status if not one.state.active else "on-demand"
        head.append(f"  {shown}", "yellow")
    console.print(head)
    used = one.utilisation
    line = Text("    ")
    line.append_text(bar(used, _BAR, target=settings.target, ascii_only=plain))
    line.append(f" {used:.0%}", colour(used, settings.target))
    line.append(f"  {megabytes(one.asked.bytes_per_s)}, {one.asked.records_per_s:,.0f} records/s")
    console.print(line)
    for said, style in _remarks(one):
        console.print(hung("    ", said, style))


def _remarks(one: Now) -> list[tuple[str, str]]:
    from clew.cli.streams_words import action, ago, length

    said = []
    if one.refused:
        said.append((f"refused {one.refused:,.0f} records in 5 min", "bold red"))
    if one.measured.iterator_age_s >= 60:
        said.append((f"its readers are {length(one.measured.iterator_age_s)} behind", "yellow"))
    if one.ringing:
        said.append((f"alarm: {', '.join(one.ringing)}", "red"))
    elif not one.alarms and one.state.mode != "on-demand":
        said.append(("it has no alarms: see clew streams apply", "yellow"))
    else:
        quiet = f"{len(one.alarms)} alarms, none ringing"
        said.append((quiet if one.alarms else "AWS changes its shards", "dim"))
    said += [(key, "bold red") for key in hot_keys(one)]
    if one.under_way:
        plan = one.under_way
        said.append((f"under way: {plan['words']} Asked by {plan['who']}.", "cyan"))
    said += [(f"{ago(each['at_s'])}: {action(each)}", "dim") for each in one.done]
    return said

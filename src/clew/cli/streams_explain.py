"""``clew streams explain``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from clew.cli.streams_where import (
    aws_options,
    config_and_env,
    env_option,
    file_option,
    json_option,
    named,
    session_for,
    table_option,
)

if TYPE_CHECKING:
    from rich.console import Console

    from clew.scaling.managed.desired_now import Judged
    from clew.scaling.managed.settings import ManagedStream


@click.command()
@click.argument("stream", required=False)
@file_option
@env_option
@table_option
@aws_options
@json_option
def explain(*, stream: str | None, table: str, as_json: bool, **given: Any) -> None:
    """Say how streams are scaled, in words; of STREAM, also what would be done now, and why or not.

    Without STREAM, the streams of the streams.yml, and AWS is not asked. With it, the settings are
    those that the functions have. Nothing is changed.

    \b
    Examples:
      clew streams explain --env prod           # the policy of each stream
      clew streams explain orders               # why does it not scale?
      clew streams explain orders --json | jq .why
    """
    from clew.cli.local_status import table_console

    if stream is None:
        _explain_file(given, as_json=as_json)
        return
    from clew.scaling.managed.desired_now import judge
    from clew.scaling.managed.desired_state import asking, managed_settings, tools_of

    session = session_for(given)
    stream = named(stream, given)
    settings = managed_settings(session, table, stream)
    with asking("kinesis"):
        found = judge(tools_of(session, table), settings)
    if as_json:
        click.echo(json.dumps(_facts(found), indent=2))
        return
    _show(found, table_console())


def _explain_file(given: dict[str, Any], *, as_json: bool) -> None:
    from rich.text import Text

    from clew.cli.local_status import table_console
    from clew.cli.streams_plan import hung
    from clew.scaling.managed.config_resolve import resolve_all

    config, env = config_and_env(given)
    found = resolve_all(config, env)
    if as_json:
        click.echo(json.dumps({name: policy(one) for name, one in found.items()}, indent=2))
        return
    console = table_console()
    for name, settings in found.items():
        console.print(Text(name, "bold"))
        console.print(hung("    ", policy(settings)))


def policy(settings: ManagedStream) -> str:
    """How a stream is scaled, in words."""
    from clew.scaling.words import count, duration

    if settings.mode == "on-demand":
        return "It is in on-demand mode: AWS changes its shards, and clew watches it."
    low, high = settings.bounds
    said = settings.rule().explain()
    if low != high:
        said += f" It never has fewer than {count(low, 'shard')}, nor more than {high}."
    if settings.predictive:
        said += " It follows what two weeks of metrics show as usual."
    return f"{said} After a change it is left alone for {duration(settings.cool_down_s)}."


def _facts(found: Judged) -> dict[str, Any]:
    return {
        "name": found.settings.name,
        "policy": policy(found.settings),
        "shards": found.shards,
        "would": "change" if found.plan else "leave",
        "why": found.why,
        "plan": found.plan,
        "operations": [{"kind": one.kind, "at": str(one.at)} for one in found.operations],
        "but": list(found.but),
        "hot_keys": list(found.hot_keys),
    }


def _show(found: Judged, console: Console) -> None:
    from rich.text import Text

    from clew.cli.streams_plan import hung
    from clew.scaling.words import count
    from clew.stories.visible import visible

    console.print(
        Text.assemble(
            (visible(found.settings.name), "bold"), f"  {count(found.shards, 'shard')} now"
        )
    )
    console.print(hung("    ", policy(found.settings), "dim"))
    console.print()
    if found.plan:
        console.print(hung("=>  ", found.plan, "bold yellow"))
    else:
        console.print(hung("=   ", "Now it would be left as it is.", "bold green"))
    console.print(hung("    ", found.why))
    for one in found.but:
        console.print(hung("!   ", one, "yellow"))
    for key in found.hot_keys:
        if key not in found.why:
            console.print(hung("!   ", key, "bold red"))

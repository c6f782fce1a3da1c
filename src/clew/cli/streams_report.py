"""``clew streams report``."""

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

_BARS = (12, 24)  # on a narrow terminal, and on a wide one
_WIDE = 100
_SHOWN = 40
_WIDEST = 120


@click.command()
@click.argument("stream")
@env_option
@file_option
@table_option
@aws_options
@click.option("--all", "everything", is_flag=True, help="List every shard, not the fullest 40.")
@json_option
def report(*, stream: str, table: str, everything: bool, as_json: bool, **given: Any) -> None:
    """Draw the shards of STREAM: the range of each, how even they are, and what each takes.

    The stream need not be managed. Where shard-level metrics are off, the load of each shard is
    not known, and is shown as its part of the stream's.

    \b
    Examples:
      clew streams report orders
      clew streams report orders --all
      clew streams report orders --json | jq .balance
    """
    from clew.scaling.managed.desired_now import look_at
    from clew.scaling.managed.desired_state import asking, settings_or_any, tools_of

    session = session_for(given)
    stream = named(stream, given)
    tools = tools_of(session, table)
    with asking("kinesis"):
        now = look_at(tools, settings_or_any(session, table, stream))
    if as_json:
        click.echo(json.dumps(_facts(now), indent=2))
        return
    from clew.cli.local_status import table_console

    _show(now, table_console(), everything=everything)


def _facts(now: Now) -> dict[str, Any]:
    from clew.cli.streams_map import balance
    from clew.scaling.limits import Limits

    limits = Limits()
    return {
        "name": now.settings.name,
        "arn": now.state.arn,
        "status": now.state.status,
        "closed_shards": now.closed,
        "balance": balance(now.shards),
        "by_shard": now.by_shard,
        "shards": [
            {
                "id": shard.id,
                "start": str(shard.start),
                "end": str(shard.end - 1),
                "width": shard.width,
                "utilisation": shard.utilisation(limits),
                "bytes_per_s": shard.load.bytes_per_s,
                "records_per_s": shard.load.records_per_s,
            }
            for shard in now.shards.shards
        ],
    }


def _show(now: Now, console: Console, *, everything: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    from clew.cli.streams_map import balance, bar, megabytes, picture, place
    from clew.cli.streams_plan import hung
    from clew.scaling.limits import Limits
    from clew.scaling.words import count
    from clew.stories.visible import visible

    limits, shards, target = Limits(), now.shards, now.settings.target
    plain = not console.encoding.lower().startswith("utf")
    used = [shard.utilisation(limits) for shard in shards.shards]
    console.print(
        Text.assemble(
            (visible(now.settings.name), "bold"),
            f"  {count(len(shards), 'open shard')}, {now.closed} closed, {now.state.mode},"
            f" {now.state.status.lower()}, records kept {now.state.retention_h:g} h",
        )
    )
    even = balance(shards)
    said = (
        "all of the same width" if even < 1.001 else f"the widest is {even:.3g} times the narrowest"
    )
    console.print(
        hung("", f"Balance {even:.2f}: {said}. Asked {megabytes(now.asked.bytes_per_s)} and"
             f" {now.asked.records_per_s:,.0f} records/s: {now.utilisation:.0%} of what they take.")
    )  # fmt: skip
    if not now.by_shard:
        coming = now.settings.shard_alarms
        how = "on after the functions' next run" if coming else "off (shard_alarms)"
        console.print(
            hung("", f"Shard-level metrics are {how}, so the load is shown as if it were even over"
                 " the hash keys.", "yellow")
        )  # fmt: skip
    console.print()
    for line in picture(
        shards, used, min(console.width, _WIDEST) - 1, target=target, ascii_only=plain
    ):
        console.print(line, soft_wrap=True)
    console.print()
    table = Table(box=None, pad_edge=False)
    for heading, side in (("shard", "left"), ("keys", "right"), ("width", "right"),
                          ("load", "left"), ("", "right"), ("bytes", "right"),
                          ("records/s", "right")):  # fmt: skip
        table.add_column(heading, justify=side, no_wrap=True)  # type: ignore[arg-type]
    order = sorted(range(len(shards)), key=lambda n: -used[n])
    chosen = set(order if everything else order[:_SHOWN])
    for number, shard in enumerate(shards.shards):
        if number in chosen:
            table.add_row(
                visible(shard.id.removeprefix("shardId-")),
                f"{place(shard.start)} - {place(shard.end)}",
                f"{shard.width:.1%}",
                bar(used[number], _BARS[console.width >= _WIDE], target=target, ascii_only=plain),
                f"{used[number]:.0%}",
                megabytes(shard.load.bytes_per_s),
                f"{shard.load.records_per_s:,.0f}",
            )
    console.print(table)
    if len(chosen) < len(shards):
        console.print(Text(f"The {_SHOWN} fullest of {len(shards)}; --all lists all.", "dim"))

"""``clew streams scale``."""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from clew.cli.streams_where import (
    aws_options,
    env_option,
    file_option,
    json_option,
    named,
    person,
    session_for,
    table_option,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, RenderableType

    from clew.scaling.managed.apply import Progress
    from clew.scaling.managed.desired_by_hand import ByHand
    from clew.scaling.managed.tools import Tools

_DRAWN_EVERY_S = 0.25
_SHOWN_OPERATIONS = 20
_ALWAYS_LEFT_S = 900.0  # a change takes as long as it takes; who typed it can end it


@click.command()
@click.argument("stream")
@click.option("--to", type=click.IntRange(1, 10_000), metavar="N", help="Have so many shards.")
@click.option("--split", metavar="SHARD", help="Split this shard, where half of its load lies.")
@click.option("--even", is_flag=True, help="With --to: shards of the same width in the end.")
@click.option("--dry-run", is_flag=True, help="Only show the plan.")
@click.option("--force", is_flag=True, help="Also within the cool-down after the last change.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@env_option
@file_option
@table_option
@aws_options
@json_option
def scale(
    *, stream: str, to: int | None, split: str | None, even: bool, dry_run: bool, force: bool,
    yes: bool, table: str, as_json: bool, **given: Any,
) -> None:  # fmt: skip
    """Change the shards of STREAM by hand, in the fewest splits and merges that its load allows.

    The guards are those of the functions: one action at a time, the stream's min and max, the
    cool-down. The plan is shown first, and what was done is in the history, with your name. If it
    is interrupted, the same command goes on.

    \b
    Examples:
      clew streams scale orders --to 8 --dry-run
      clew streams scale orders --to 8
      clew streams scale orders --to 8 --even           # also to even eight shards out
      clew streams scale orders --split shardId-000000000003
      clew streams scale orders --to 8 --yes --json
    """
    if (to is None) == (split is None):
        raise click.UsageError("Say either --to N or --split SHARD.")
    if even and to is None:
        raise click.UsageError("--even goes with --to N.")
    if not dry_run and not yes and (as_json or not sys.stdin.isatty()):
        raise click.UsageError("Nobody can be asked here; say --yes, or --dry-run.")
    from clew.cli.local_status import table_console
    from clew.scaling.managed.desired_by_hand import prepare
    from clew.scaling.managed.desired_now import look_at
    from clew.scaling.managed.desired_state import asking, find_topic_of, managed_settings, tools_of

    session = session_for(given)
    stream = named(stream, given)
    settings = managed_settings(session, table, stream)
    tools = tools_of(session, table)
    with asking("kinesis"):
        now = look_at(tools, settings)
        found = prepare(tools, now, person(), to=to, split=split, even=even)
    console = table_console()
    if not as_json:
        _show_plan(found, console)
    nothing = found.left.nothing_to_do and not found.resumed
    if dry_run or nothing:
        if as_json:
            click.echo(json.dumps(_facts(found), indent=2))
        return
    if not yes:
        click.confirm("\nDo this?", abort=True)
    tools = replace(tools, topic=find_topic_of(now))
    record = _execute(tools, found, force=force, quiet=as_json)
    if as_json:
        click.echo(json.dumps(record, indent=2))
    same = to == record["shards_after"] if to else f"a split of {split}." in found.begun.why
    if found.resumed and not same:
        from clew.errors import ClewError

        raise ClewError(
            "That was the plan that had been begun, and what you asked for is not done:"
            f" {record['shards_after']} shards are there now. Say it again."
        )


def _execute(tools: Tools, found: ByHand, *, force: bool, quiet: bool) -> dict[str, Any]:
    from clew.scaling.managed.apply import Progress
    from clew.scaling.managed.desired_scale import execute
    from clew.scaling.managed.desired_state import asking

    progress = Progress()
    try:
        with _drawn(tools, found, progress, quiet=quiet) as watched, asking("kinesis"):
            record = execute(watched, found, progress, force=force)
    except KeyboardInterrupt:
        click.echo(
            f"\nInterrupted after {progress.changes} changes. The same command goes on; if nobody"
            " does, the scaling functions finish it at their next run.",
            err=True,
        )
        raise
    if not quiet:
        click.echo(f"Done. {record.headline()}.")
    return record.to_json()


@contextmanager
def _drawn(tools: Tools, found: ByHand, progress: Progress, *, quiet: bool) -> Iterator[Tools]:
    """Tools that draw the shards and how far it is, whenever they are asked for the time."""
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, highlight=False)
    if quiet or not console.is_terminal:
        yield replace(tools, left_s=lambda: _ALWAYS_LEFT_S, sleep=time.sleep)
        return
    drawn_at = 0.0

    def left_s() -> float:
        nonlocal drawn_at
        if time.monotonic() - drawn_at >= _DRAWN_EVERY_S:
            drawn_at = time.monotonic()
            live.update(_frame(tools, found, progress, console), refresh=True)
        return _ALWAYS_LEFT_S

    with Live(console=console, auto_refresh=False) as live:
        yield replace(tools, left_s=left_s, sleep=time.sleep)
        live.update(_frame(tools, found, progress, console), refresh=True)


def _frame(tools: Tools, found: ByHand, progress: Progress, console: Console) -> RenderableType:
    """The shards as they are at the moment, and a bar of the changes made."""
    from rich.console import Group

    from clew.cli.streams_map import bar, picture
    from clew.scaling.limits import Limits
    from clew.scaling.managed.observe import list_shards
    from clew.scaling.plan import utilisation
    from clew.scaling.situation import Situation

    shards = list_shards(tools, found.settings.name).shard_map()
    used = utilisation(found.shards, shards.cuts, Situation(limits=Limits()))
    width = min(console.width, 100) - 1
    plain = not console.encoding.lower().startswith("utf")
    drawn = picture(shards, used, width, target=found.settings.target, ascii_only=plain)
    total = max(found.steps, progress.changes, 1)
    said = f"{progress.changes} of {total} changes, {len(shards)} shards"
    done = bar(progress.changes / total, width - 30, ascii_only=plain, style="cyan")
    return Group(*drawn, done.append(f"  {said}", "dim"))


def _facts(found: ByHand) -> dict[str, Any]:
    plan = found.left
    return {
        "stream": found.settings.name,
        "resumed": found.resumed,
        "plan": found.begun.words,
        "method": plan.method,
        "shards_before": plan.before,
        "shards_after": plan.after,
        "operations": [{"kind": one.kind, "at": str(one.at)} for one in plan.operations],
        "calls": list(plan.calls),
        "duration_s": plan.duration_s,
        "usd_month_before": plan.usd_month_before,
        "usd_month": plan.usd_month,
        "utilisation": list(plan.utilisation),
    }


def _show_plan(found: ByHand, console: Console) -> None:
    from rich.text import Text

    from clew.cli.streams_map import picture
    from clew.cli.streams_plan import hung
    from clew.scaling.limits import Limits
    from clew.scaling.model import ShardMap
    from clew.stories.visible import visible

    plan, target = found.left, found.settings.target
    if found.resumed:
        who = visible(found.begun.who)
        console.print(hung("", f"A plan of {who} is under way, and is finished first.", "yellow"))
    console.print(
        Text.assemble((visible(found.settings.name), "bold"), f"  {visible(found.begun.words)}")
    )
    width = min(console.width, 100) - 1
    plain = not console.encoding.lower().startswith("utf")
    used = [shard.utilisation(Limits()) for shard in found.shards.shards]
    console.print(Text("\nnow", "dim"))
    for line in list(picture(found.shards, used, width, target=target, ascii_only=plain))[:-1]:
        console.print(line, soft_wrap=True)
    if plan.nothing_to_do or not plan.utilisation:
        return
    after = ShardMap.of_cuts(plan.cuts)
    console.print(Text("after", "dim"))
    for line in picture(after, plan.utilisation, width, target=target, ascii_only=plain):
        console.print(line, soft_wrap=True)
    for number, one in enumerate(plan.operations[:_SHOWN_OPERATIONS], 1):
        console.print(Text(f"{number:>3}. {_operation(one)}", "dim"))
    if len(plan.operations) > _SHOWN_OPERATIONS:
        console.print(Text(f"     and {len(plan.operations) - _SHOWN_OPERATIONS} more", "dim"))


def _operation(one: Any) -> str:
    from clew.cli.streams_map import place

    span = f"{place(one.start)} - {place(one.end)}"
    return f"{one.kind} {span} at {place(one.at)}" if one.kind == "split" else f"merge into {span}"

"""``clew streams apply``."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
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
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from clew.scaling.managed.desired_apply import ChangeSet, Event
    from clew.scaling.managed.desired_prepare import Prepared

_KINDS = {"AWS::Kinesis::Stream": "stream", "AWS::CloudWatch::Alarm": "alarm"}
_ACTIONS = {"Add": ("+", "green"), "Modify": ("~", "yellow"), "Remove": ("-", "red")}


@click.command()
@file_option
@env_option
@table_option
@functions_option
@aws_options
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option(
    "--allow-delete",
    is_flag=True,
    help="Also remove alarms and settings, and keep records for shorter. No stream is ever deleted.",  # noqa: E501
)
@click.option(
    "--bucket", metavar="NAME", help="An S3 bucket for a large template (some 20 streams)."
)
@json_option
def apply(
    *,
    table: str,
    functions: str,
    yes: bool,
    allow_delete: bool,
    bucket: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Make the streams, alarms and settings of an environment what the streams.yml says.

    Missing streams and all alarms are created by a CloudFormation change set, which is shown first.
    Streams that are there stay as they are: neither their shards nor their records are touched.
    Everything is checked before the first change; what was cut short is finished by applying again.

    \b
    Examples:
      clew streams apply --env dev
      clew streams apply --env prod --yes --json       # in a pipeline
      clew streams apply --env prod --allow-delete     # a stream was taken out of the file
    """
    from clew.cli.local_status import table_console
    from clew.cli.streams_plan import facts, show
    from clew.scaling.managed.desired_apply import ChangeSet, carry_out
    from clew.scaling.managed.desired_prepare import check_functions, prepare

    if not yes and (as_json or not sys.stdin.isatty()):
        raise click.UsageError("Nobody can be asked here; say --yes.")
    config, env = config_and_env(given)
    session = session_of(given, config.region(env))
    found = prepare(session, config, env, table, functions)
    check_functions(session, table)
    console = table_console()
    if not as_json:
        show(found, console)
    _check_losses(found, allow_delete=allow_delete)
    changes = ChangeSet(session.client("cloudformation"), found.diff.stack_name)
    in_stack = changes.create(found.template, _uploader(session, bucket, found))
    applied = in_stack or not found.diff.nothing
    if applied:
        try:
            _check_removals(changes, allow_delete=allow_delete)
            if not as_json:
                _show_changes(changes, console)
            if not yes:
                click.confirm("\nApply this?", abort=True)
        except BaseException:
            if in_stack:
                changes.drop()
            raise
        with _progress(len(changes.changes), quiet=as_json) as on_event:
            carry_out(session, found, changes if in_stack else None, on_event)
    if as_json:
        click.echo(json.dumps(facts(found) | {"applied": applied}, indent=2))
    elif applied:
        click.echo(
            f"\nApplied. See how it goes: clew streams status{f' --env {env}' if env else ''}"
        )


def _check_losses(found: Prepared, *, allow_delete: bool) -> None:
    from clew.errors import ClewError

    losses = found.diff.losses
    if losses and not allow_delete:
        said = "; ".join(f"{one.name} would lose {one.loses}" for one in losses)
        raise ClewError(f"Nothing was applied: {said}. If that is meant, say --allow-delete.")


def _check_removals(changes: ChangeSet, *, allow_delete: bool) -> None:
    from clew.errors import ClewError

    removed = [one.name for one in changes.changes if one.action == "Remove"]
    if removed and not allow_delete:
        raise ClewError(
            f"Nothing was applied: the change set removes {', '.join(removed)}. If that is meant,"
            " say --allow-delete."
        )


def _uploader(session: Any, bucket: str | None, found: Prepared) -> Callable[[str], str] | None:
    if bucket is None:
        return None

    def upload(text: str) -> str:
        from clew.scaling.managed.desired_state import asking

        key = f"clew/{found.diff.stack_name}.template.json"
        s3 = session.client("s3")
        with asking("s3"):
            s3.put_object(Bucket=bucket, Key=key, Body=text.encode())
        return f"{s3.meta.endpoint_url}/{bucket}/{key}"

    return upload


def _show_changes(changes: ChangeSet, console: Console) -> None:
    from rich.text import Text

    from clew.stories.visible import visible

    if not changes.changes:
        return
    console.print(Text(f"\nThe change set of {changes.stack_name}:", "bold"))
    for one in sorted(changes.changes, key=lambda one: (one.resource_type, one.name)):
        sign, style = _ACTIONS.get(one.action, ("?", "red"))
        kind = _KINDS.get(one.resource_type, one.resource_type)
        console.print(Text.assemble((f"  {sign} ", style), f"{kind:<7} ", visible(one.name)))


@contextmanager
def _progress(total: int, *, quiet: bool) -> Iterator[Callable[[Event], None]]:
    """Yields what is to be told of each step of the stack; shows them on stderr."""
    from rich.console import Console
    from rich.text import Text

    from clew.stories.visible import visible

    console = Console(stderr=True, highlight=False, quiet=quiet)
    done: set[str] = set()

    def on_event(event: Event) -> None:
        if event.status.endswith("_COMPLETE") and event.resource_type in _KINDS:
            done.add(event.logical_id)
        if event.failed:
            console.print(
                Text(visible(f"{event.logical_id} {event.status}: {event.reason}"), "red")
            )
        status.update(Text(visible(f"{len(done)} done  {event.logical_id}  {event.status}")))

    with console.status(f"applying {total} changes of the stack") as status:
        yield on_event

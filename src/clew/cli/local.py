"""``clew local``: up, down, status, logs, and the group of faults."""

from __future__ import annotations

import json
import signal
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from clew.cli.duration import DURATION
from clew.cli.local_faults import faults
from clew.cli.local_logs import logs
from clew.cli.local_status import status
from clew.localcloud.state import end_cloud, running_clouds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.localcloud import LocalCloud, StackEvent


@click.group()
def local() -> None:
    """Run a SAM template on this machine, with real functions and no AWS account.

    \b
    Examples:
      clew local up template.yaml             # until Ctrl-C
      clew local up template.yaml --detach    # until `clew local down`
      clew local logs ApiFunction --follow
      clew local faults add kinesis --error ProvisionedThroughputExceededException --rate 0.3
    """


local.add_command(faults)
local.add_command(logs)
local.add_command(status)


def _parameters(
    _context: click.Context, _option: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    parameters = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{item!r} is not NAME=VALUE")
        parameters[name] = value
    return parameters


@local.command()
@click.argument("template", type=click.Path(path_type=Path))
@click.option("--detach", "-d", is_flag=True, help="Leave it running; end it with `down`.")
@click.option("--name", help="What to call it in down, status and logs [default: the stack's].")
@click.option("--stack-name", help="The stack's name [default: the template's folder].")
@click.option(
    "--parameter",
    "-p",
    "parameters",
    multiple=True,
    callback=_parameters,
    metavar="NAME=VALUE",
    help="A parameter of the template; may be given several times.",
)
@click.option("--region", default="us-east-1", show_default=True, help="The region it plays.")
@click.option("--port", type=click.IntRange(1, 65535), help="Its port [default: a free one].")
@click.option(
    "--enforce-limits", is_flag=True, help="Refuse what a Kinesis shard would refuse on AWS."
)
@click.option(
    "--metrics-period",
    "metrics_period_s",
    type=DURATION,
    default="60s",
    show_default=True,
    metavar="DURATION",
    help="How often Kinesis metrics are published.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def up(
    *,
    template: Path,
    detach: bool,
    name: str | None,
    stack_name: str | None,
    parameters: dict[str, str],
    region: str,
    port: int | None,
    enforce_limits: bool,
    metrics_period_s: float,
    as_json: bool,
) -> None:
    """Start a local cloud and deploy TEMPLATE to it.

    It runs until Ctrl-C, and everything it started ends with it, even if it is killed.

    \b
    Examples:
      clew local up template.yaml
      clew local up template.yaml -p LogLevel=DEBUG --name blue
      clew local up template.yaml --detach --json | jq -r .outputs.ApiUrl
      clew local up template.yaml --enforce-limits --metrics-period 1s
    """
    from clew.localcloud import LocalCloud

    with _ending_on_signals():
        with _progress() as on_event:
            cloud = LocalCloud.start(
                template,
                stack_name=stack_name,
                parameters=parameters,
                name=name,
                region=region,
                port=port,
                detach=detach,
                enforce_limits=enforce_limits,
                metrics_period_s=metrics_period_s,
                on_event=on_event,
            )
        with cloud:
            _print_cloud(cloud, as_json=as_json)
            if not detach:
                if not as_json:
                    click.echo("\nRunning until Ctrl-C.", err=True)
                with suppress(KeyboardInterrupt):
                    cloud.wait()


@local.command()
@click.argument("name", required=False)
@click.option("--all", "everything", is_flag=True, help="End all of them.")
def down(name: str | None, everything: bool) -> None:
    """End the local cloud NAME, or the only one that runs.

    \b
    Examples:
      clew local down
      clew local down blue
    """
    names = [record.name for record in running_clouds()] if everything else [name]
    for each in names:
        click.echo(f"Ended {end_cloud(each).name}.")


@contextmanager
def _ending_on_signals() -> Iterator[None]:
    """Makes SIGTERM and SIGHUP end the command the way Ctrl-C does, cleaning up."""

    def end(signum: int, _frame: object) -> None:
        raise SystemExit(128 + signum)

    before = {signum: signal.signal(signum, end) for signum in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


@contextmanager
def _progress() -> Iterator[Any]:
    """Yields what is to be told of each step; shows the latest on stderr, if that is a terminal."""
    console = Console(stderr=True)
    finished = 0

    def on_event(event: StackEvent) -> None:
        nonlocal finished
        if event.status.endswith("_COMPLETE"):
            finished += 1
        doing.update(f"{finished} resources ready, {event.logical_id}: {event.status.lower()}")

    with console.status("Starting the emulator") as doing:
        yield on_event


def _print_cloud(cloud: LocalCloud, *, as_json: bool) -> None:
    facts = {
        "name": cloud.name,
        "endpoint_url": cloud.endpoint_url,
        "region": cloud.region,
        "outputs": dict(cloud.outputs),
        "functions": dict(cloud.functions),
        "log_path": str(cloud.log_path),
    }
    if as_json:
        click.echo(json.dumps(facts))
        return
    click.echo(f"The local cloud {cloud.name} runs at {cloud.endpoint_url} ({cloud.region}).")
    width = max(map(len, cloud.outputs), default=0)
    for key, value in cloud.outputs.items():
        click.echo(f"  {key:<{width}}  {value}")
    others = [record.name for record in running_clouds() if record.name != cloud.name]
    if others:
        click.echo(
            f"Beside it run: {', '.join(others)}; other commands need --name {cloud.name}, "
            f"and this ends it: clew local down {cloud.name}",
            err=True,
        )

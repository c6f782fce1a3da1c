"""``clew local faults``: add, list, clear."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from rich.table import Table

from clew.cli.duration import DURATION
from clew.cli.local_status import table_console
from clew.localcloud.errors import LocalCloudError
from clew.localcloud.faults import Faults
from clew.localcloud.state import find_cloud

if TYPE_CHECKING:
    from clew.localcloud.faults import Fault

_name = click.option("--name", help="Which local cloud, if several run.")


@click.group()
def faults() -> None:
    """Let calls of AWS services fail on purpose, while a local cloud runs.

    A fault strikes functions and clients alike. It is an error in the service's own words, a
    latency, or a call that is never answered.

    \b
    Examples:
      clew local faults add kinesis --error ProvisionedThroughputExceededException --rate 0.3
      clew local faults list
      clew local faults clear
    """


@faults.command()
@click.argument("service")
@click.argument("operations", nargs=-1, metavar="[OPERATION]...")
@click.option("--error", default="", metavar="CODE", help="An error of the service, by its code.")
@click.option(
    "--latency", "latency_s", type=DURATION, default=0.0, metavar="DURATION", help="Wait first."
)
@click.option("--timeout", is_flag=True, help="Never answer.")
@click.option(
    "--rate",
    type=click.FloatRange(0, 1),
    default=1.0,
    show_default=True,
    help="The share of the calls to strike, from 0 to 1.",
)
@click.option("--for", "for_s", type=DURATION, metavar="DURATION", help="When it ends by itself.")
@click.option("--seed", type=int, help="Strike the same calls as last time with this seed.")
@_name
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def add(
    *,
    service: str,
    operations: tuple[str, ...],
    error: str,
    latency_s: float,
    timeout: bool,
    rate: float,
    for_s: float | None,
    seed: int | None,
    name: str | None,
    as_json: bool,
) -> None:
    """Let calls of SERVICE fail from now on: of all its operations, or those named.

    SERVICE is what boto3 calls it: kinesis, dynamodb, sqs, events, ... A fault that is added
    beside others does not replace them: latencies add up, and the first error counts.

    \b
    Examples:
      clew local faults add kinesis --error ProvisionedThroughputExceededException --rate 0.3
      clew local faults add dynamodb PutItem UpdateItem --latency 500ms --for 60s
      clew local faults add sqs SendMessage --timeout --rate 0.1 --seed 7
    """
    fault = Faults(find_cloud(name).port).add(
        service,
        *operations,
        error=error,
        latency_s=latency_s,
        timeout=timeout,
        rate=rate,
        for_s=for_s,
        seed=seed,
    )
    if as_json:
        click.echo(json.dumps(fault.facts()))
    else:
        click.echo(f"Added {fault.id}: {_calls(fault)} {_effect(fault)}{_end(fault)}.")


@faults.command("list")
@_name
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def list_(name: str | None, as_json: bool) -> None:
    """List the faults in force, and how many calls each has struck.

    \b
    Examples:
      clew local faults list
      clew local faults list --json | jq '.[].struck'
    """
    found = list(Faults(find_cloud(name).port))
    if as_json:
        click.echo(json.dumps([fault.facts() for fault in found], indent=2))
    elif not found:
        click.echo("No faults; add one with: clew local faults add SERVICE")
    else:
        table = Table(box=None)
        for column in ("id", "calls of", "effect", "struck", "seed"):
            table.add_column(column, overflow="fold")
        for fault in found:
            struck = f"{fault.struck} of {fault.calls}"
            effect = _effect(fault) + _end(fault)
            table.add_row(fault.id, _calls(fault), effect, struck, str(fault.seed))
        table_console().print(table)


@faults.command()
@click.argument("fault_id", required=False, metavar="[ID]")
@_name
def clear(fault_id: str | None, name: str | None) -> None:
    """Remove the fault ID, or all of them.

    \b
    Examples:
      clew local faults clear
      clew local faults clear f2
    """
    cleared = Faults(find_cloud(name).port).clear(fault_id)
    if fault_id is not None and not cleared:
        raise LocalCloudError(
            f"There is no fault {fault_id}; see those there are with: clew local faults list."
        )
    click.echo(f"Cleared {cleared} fault{'' if cleared == 1 else 's'}.")


def _calls(fault: Fault) -> str:
    return f"{fault.service} {', '.join(fault.operations)}".rstrip()


def _effect(fault: Fault) -> str:
    effects = []
    if fault.latency_s:
        effects.append(f"wait {fault.latency_s:g} s")
    if fault.timeout:
        effects.append("are never answered")
    if fault.error:
        effects.append(f"fail with {fault.error}")
    share = "" if fault.rate == 1 else f", {fault.rate:.0%} of them"
    return " and ".join(effects) + share


def _end(fault: Fault) -> str:
    if fault.until is None:
        return ""
    seconds = max(0.0, (fault.until - datetime.now(UTC)).total_seconds())
    return f", for {seconds:.0f} s"

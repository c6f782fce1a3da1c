"""``clew logs``: which log groups are shipped, and shipping by hand."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clew.cli.logs_shown import print_status, tell
from clew.cli.streams_where import aws_options, session_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.shipping.lines import Line
    from clew.shipping.subscriptions import Decision, Wanted

_FUNCTION = click.option(
    "--function", default="clew-logs-ship", show_default=True, metavar="NAME",
    help="The function that ships.",
)  # fmt: skip
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
_NOT_ALL = 2


@click.group()
def logs() -> None:
    """Ship log lines to another system, and see which log groups are shipped."""


@logs.command()
@click.argument("patterns", nargs=-1, metavar="[PATTERN]...")
@_FUNCTION
@aws_options
@click.option("--check", is_flag=True, help="Exit with 2 if a group is not shipped.")
@_JSON
def status(
    *, patterns: tuple[str, ...], function: str, check: bool, as_json: bool, **given: Any
) -> int:
    """Show log groups: shipped or not, by which filter, what is kept and what that costs.

    PATTERN is a name of a log group, or of a function, with * for any characters; all of
    Lambda's log groups if none is given.

    \b
    Examples:
      clew logs status --region eu-west-1
      clew logs status 'orders-*' --function my-stack-ship
      clew logs status --json | jq -r '.groups[] | select(.covered | not) | .group'
      clew logs status --check --local
    """
    from clew.shipping.prices import Prices
    from clew.shipping.status import facts, price_facts

    session, wanted = _wanted(function, patterns, given)
    found = _decisions(session, wanted)
    prices = Prices()
    told = [facts(one, wanted, prices) for one in found]
    if as_json:
        said = {"function": wanted.function, "groups": told, "prices": price_facts(prices)}
        click.echo(json.dumps(said, indent=2))
    else:
        print_status(told)
    not_covered = any(not one["covered"] and one["action"] == "subscribe" for one in told)
    return _NOT_ALL if check and not_covered else 0


@logs.command()
@click.argument("patterns", nargs=-1, required=True, metavar="PATTERN...")
@_FUNCTION
@click.option("--exclude", multiple=True, metavar="PATTERN", help="But not these.")
@click.option("--pattern", "filter_pattern", default="", metavar="FILTER",
              help="A filter pattern of CloudWatch's: only lines that match.")  # fmt: skip
@click.option("--retention", default="", metavar="DAYS",
              help="For groups that keep lines for ever: how long from now on.")  # fmt: skip
@_DRY_RUN
@aws_options
@_JSON
def subscribe(
    *, patterns: tuple[str, ...], function: str, exclude: tuple[str, ...], filter_pattern: str,
    retention: str, dry_run: bool, as_json: bool, **given: Any,
) -> int:  # fmt: skip
    """Subscribe log groups to the function that ships.

    Filters of others are left alone: a group that has two of them already is refused, as is the
    log of the function that ships.

    \b
    Examples:
      clew logs subscribe 'orders-*' --dry-run
      clew logs subscribe '/aws/lambda/*' --exclude '*-test' --retention 30
      clew logs subscribe orders --local
    """
    from dataclasses import replace

    from clew.shipping.subscribing import Covered, Logs, cover
    from clew.shipping.subscriptions import retention_of

    session, wanted = _wanted(function, patterns, given)
    wanted = replace(
        wanted, exclude=exclude, pattern=filter_pattern, retention_days=retention_of(retention)
    )
    if dry_run:
        done = Covered(_decisions(session, wanted))
    else:
        done = cover(Logs(_logs(session)), wanted)
        done.decisions = [one for one in done.decisions if wanted.matches(one.group.name)]
    words = {
        "subscribe": "would be subscribed" if dry_run else "subscribed",
        "update": "would get the pattern" if dry_run else "got the pattern",
        "covered": "is subscribed already",
        "refuse": "not subscribed",
    }
    return tell(done.decisions, done.failed, words, as_json=as_json, dry_run=dry_run)


@logs.command()
@click.argument("patterns", nargs=-1, required=True, metavar="PATTERN...")
@_FUNCTION
@_DRY_RUN
@aws_options
@_JSON
def unsubscribe(
    *, patterns: tuple[str, ...], function: str, dry_run: bool, as_json: bool, **given: Any
) -> int:
    """Take the filters away that lead to the function that ships, and no others.

    \b
    Examples:
      clew logs unsubscribe 'orders-*' --dry-run
      clew logs unsubscribe orders --local
    """
    from dataclasses import replace

    from clew.shipping.status import ours_of
    from clew.shipping.status import unsubscribe as take_away

    session, wanted = _wanted(function, patterns, given)
    chosen = [
        replace(one, action="unsubscribe", why=", ".join(ours), retention_days=None)
        for one in _decisions(session, wanted)
        if (ours := ours_of(one, wanted))
    ]
    failed = [] if dry_run else take_away(_logs(session), wanted, chosen)
    words = {"unsubscribe": "would be unsubscribed" if dry_run else "unsubscribed"}
    return tell(chosen, failed, words, as_json=as_json, dry_run=dry_run)


@logs.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--to", metavar="ADDRESS", help="The sink [default: CLEW_SHIP_TO].")
@click.option("--log-group", "group", metavar="NAME", help="The log group of lines that name none.")
@aws_options
@_JSON
def ship(
    *, files: tuple[str, ...], to: str | None, group: str | None, as_json: bool, **given: Any
) -> int:
    """Ship the lines of every FILE to a sink, as the function does.

    A FILE holds what `clew store export` wrote, what a subscription delivers, or one log line a
    line; plain, gzip or zstd; - is standard input. The address is written as for the function;
    its token is taken from CLEW_SHIP_TOKEN.

    \b
    Examples:
      clew logs ship lines.ndjson.gz --to loki+https://logs.example.com
      clew logs ship lines.ndjson --to s3://my-logs/lambda --local
      clew store export logs.db - --since 1h | clew logs ship - --to store+https://logs.example.com
    """
    import os

    from clew.shipping.deliver import deliver
    from clew.shipping.settings import TO, read_settings
    from clew.shipping.sinks import open_sink

    asked = any(value is not None for value in given.values())
    session = session_of(given) if asked else None
    client = (lambda name, _region: session.client(name)) if session is not None else None
    settings = read_settings({**os.environ, **({TO: to} if to else {})})
    sink = open_sink(settings.address, client)
    try:
        report = deliver(_lines(files, group), sink, to_the_end=False)
    finally:
        sink.close()
    said = {
        "sent": report.sent,
        "refused": len(report.refused),
        "left": len(report.left),
        "requests": report.requests,
        "to": sink.name,
        "why": report.why or next((why for _, why in report.refused), ""),
    }
    if as_json:
        click.echo(json.dumps(said, indent=2))
    else:
        from clew.stories.visible import visible

        click.echo(f"Shipped {report.sent:,} lines to {visible(sink.name)}.")
        if said["why"]:
            ended = f", and it ended with {len(report.left):,} in hand" if report.left else ""
            click.echo(
                f"{len(report.refused):,} were refused{ended}: {visible(str(said['why']))}",
                err=True,
            )
    return 1 if report.refused or report.left else 0


@logs.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--force", is_flag=True, help="Write over what is there.")
def template(*, folder: Path, force: bool) -> None:
    """Write the SAM template of the two functions to FOLDER, ready to deploy.

    \b
    Examples:
      clew logs template shipping/
      cd shipping && sam build && sam deploy --guided --stack-name clew-logs
      clew local up shipping/template.yaml           # or in a local cloud
    """
    from clew.shipping.template import write_template

    write_template(folder, force=force)
    click.echo(
        f"Wrote {folder / 'template.yaml'}. Deploy it:\n"
        f"  cd {folder} && sam build && sam deploy --guided --stack-name clew-logs"
    )


def _wanted(function: str, patterns: tuple[str, ...], given: dict[str, Any]) -> tuple[Any, Wanted]:
    from clew.shipping.status import function_of, meant
    from clew.shipping.subscriptions import Wanted

    session = session_of(given)
    arn, own = function_of(session.client("lambda"), function)
    return session, meant(Wanted(arn, own_groups=own), patterns)


def _logs(session: Any) -> Any:
    """A client that is patient: DescribeSubscriptionFilters takes 5 calls a second."""
    from botocore.config import Config

    return session.client(
        "logs", config=Config(retries={"total_max_attempts": 10, "mode": "adaptive"})
    )


def _decisions(session: Any, wanted: Wanted) -> list[Decision]:
    from clew.shipping.status import decisions

    return decisions(_logs(session), wanted)


def _lines(files: tuple[str, ...], group: str | None) -> Iterator[Line]:
    import time

    from clew.shipping.files import lines_from
    from clew.stories.store.files import NO_GROUP, read_file, read_stream

    for name in files:
        if name == "-":
            now_ms = int(time.time() * 1000)
            entries = read_stream(sys.stdin.buffer, "stdin", group or NO_GROUP, now_ms)
        else:
            entries = read_file(Path(name), group or NO_GROUP)
        yield from lines_from(entries)

"""``clew story``: one request, from its log lines."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from clew.stories import Story

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_BROKE = 2


def _since(_context: click.Context, _option: click.Parameter, given: str) -> datetime:
    found = re.fullmatch(r"(\d{1,9})([smhd])", given, re.ASCII)
    if not found:
        raise click.BadParameter("say it as 30s, 10m, 2h or 1d")
    try:
        return datetime.now(UTC) - timedelta(seconds=int(found[1]) * _UNITS_S[found[2]])
    except OverflowError:
        return datetime.fromtimestamp(0, UTC)


@click.command()
@click.argument("id", required=True)
@click.option("--name", help="Which local cloud, if several run.")
@click.option(
    "--since",
    callback=_since,
    default="1h",
    show_default=True,
    metavar="AGE",
    help="Read only lines that are newer: 30s, 10m, 2h, 1d.",
)
@click.option(
    "--wait",
    "wait_s",
    type=click.IntRange(0, 3600),
    metavar="SECONDS",
    help="Wait so long for lines that come late [default: 3, if it is new and misses something].",
)
@click.option("--check", is_flag=True, help="Exit with 2 if the story broke somewhere.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def story(
    *,
    id: str,  # noqa: A002
    name: str | None,
    since: datetime,
    wait_s: int | None,
    check: bool,
    as_json: bool,
) -> int:
    """Show what the request ID did: every function it touched, what each logged and sent.

    ID is the request's x-correlation-id, or the first 8 characters of it or more. Where the
    story broke is said in its place and again at the end.

    \b
    Exit status: 0 if there is such a request; 1 if not; with --check, 2 if its story broke.

    \b
    Examples:
      clew story 4f0c1f0e-0d7a-4f3e-9d53-0a3a5b1f6f5e
      clew story 4f0c1f0e --wait 10
      clew story 4f0c1f0e --json | jq -r '.breaks[].sentence'
      clew story 4f0c1f0e --check && echo whole
    """
    from clew.localcloud import LocalCloud
    from clew.stories import find_story

    found = find_story(LocalCloud.connect(name), id, since=since, wait_s=wait_s)
    _print(found, as_json=as_json)
    return _BROKE if check and found.breaks else 0


def _print(found: Story, *, as_json: bool) -> None:
    if as_json:
        from clew.stories.to_json import story_json

        click.echo(json.dumps(story_json(found), indent=2))
    else:
        from clew.stories.terminal import print_story

        print_story(found)

"""``clew story``: one request, from its log lines."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from clew.cli.duration import DURATION

if TYPE_CHECKING:
    from clew.stories import Story
    from clew.stories.find import Session
    from clew.stories.source import Source

_BROKE = 2


def _since(
    _context: click.Context, _option: click.Parameter, given: float | None
) -> datetime | None:
    if given is None:
        return None
    try:
        return datetime.now(UTC) - timedelta(seconds=given)
    except OverflowError:
        return datetime.fromtimestamp(0, UTC)


@click.command()
@click.argument("id", required=True)
@click.option("--name", help="Which local cloud, if several run.")
@click.option("--profile", metavar="NAME", help="Read AWS instead, with this profile of the SDK's.")
@click.option("--region", help="Read AWS instead, in this region.")
@click.option(
    "--log-group",
    "log_groups",
    metavar="PREFIX",
    help="Read AWS instead, the log groups that begin so [default: /aws/lambda/].",
)
@click.option(
    "--since",
    type=DURATION,
    callback=_since,
    metavar="AGE",
    help="Read only lines that are newer: 30s, 10m, 2h, 1d [default: 1h; of a store, all].",
)
@click.option(
    "--store",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Read a store of log lines instead (see `clew store`).",
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
    profile: str | None,
    region: str | None,
    log_groups: str | None,
    since: datetime | None,
    store: Path | None,
    wait_s: int | None,
    check: bool,
    as_json: bool,
) -> int:
    """Show what the request ID did: every function it touched, what each logged and sent.

    ID is the request's x-correlation-id, or the first 8 characters of it or more. Where the
    story broke is said in its place and again at the end. Its lines are read from a local cloud,
    or, with --profile, --region or --log-group, from CloudWatch Logs of an AWS account; or, with
    --store, from a file that `clew store import` made.

    \b
    Exit status: 0 if there is such a request; 1 if not; with --check, 2 if its story broke.

    \b
    Examples:
      clew story 4f0c1f0e-0d7a-4f3e-9d53-0a3a5b1f6f5e
      clew story 4f0c1f0e --wait 10
      clew story 4f0c1f0e --json | jq -r '.breaks[].sentence'
      clew story 4f0c1f0e --check && echo whole
      clew story 4f0c1f0e --store logs.db
      clew story 4f0c1f0e --profile staging --region eu-west-1 --log-group /aws/lambda/shop-
    """
    from clew.stories import find_story

    of_aws = profile is not None or region is not None or log_groups is not None
    if (name is not None) + of_aws + (store is not None) > 1:
        raise click.UsageError(
            "--name is of a local cloud, --store of a file, --profile, --region and --log-group "
            "are of AWS."
        )
    if store is not None:
        return _of_store(store, id, since, wait_s, check, as_json)
    if since is None:
        since = datetime.now(UTC) - timedelta(hours=1)
    if of_aws:
        where: Session | Source = _of_aws(profile, region, log_groups)
    else:
        from clew.localcloud import LocalCloud

        where = LocalCloud.connect(name)
    found = find_story(where, id, since=since, wait_s=wait_s)
    return _told(found, check=check, as_json=as_json)


def _of_store(  # noqa: PLR0917
    path: Path,
    request: str,
    since: datetime | None,
    wait_s: int | None,
    check: bool,
    as_json: bool,
) -> int:
    from clew.stories import find_story
    from clew.stories.store import Store

    with Store(path) as store:
        found = find_story(store, request, since=since, wait_s=wait_s)
    return _told(found, check=check, as_json=as_json)


def _told(found: Story, *, check: bool, as_json: bool) -> int:
    _print(found, as_json=as_json)
    return _BROKE if check and found.breaks else 0


def _of_aws(profile: str | None, region: str | None, log_groups: str | None) -> Source:
    import boto3
    from botocore.exceptions import BotoCoreError

    from clew.errors import ClewError
    from clew.stories.cloudwatch import source_of

    try:
        session = boto3.Session(profile_name=profile, region_name=region)
        return source_of(session, log_groups)
    except BotoCoreError as error:
        raise ClewError(f"AWS cannot be used as it is configured here: {error}") from error


def _print(found: Story, *, as_json: bool) -> None:
    if as_json:
        from clew.stories.to_json import story_json

        click.echo(json.dumps(story_json(found), indent=2))
    else:
        from clew.stories.terminal import print_story

        print_story(found)

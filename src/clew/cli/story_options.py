"""Where ``clew story`` reads, as options; and the source behind them."""

from __future__ import annotations

import contextlib
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clew.cli.duration import DURATION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clew.stories.source import Source

_AWS = ("profile", "region", "log_groups")
_OF = {
    "store": "--store is of a file",
    "sources": "--from is of files",
    "opensearch": "--opensearch is of a search cluster",
    "insights": "--insights is of AWS",
    "name": "--name is of a local cloud",
    "aws": "--profile, --region and --log-group are of AWS",
}


def _since(
    _context: click.Context, _option: click.Parameter, given: float | None
) -> datetime | None:
    if given is None:
        return None
    try:
        return datetime.now(UTC) - timedelta(seconds=given)
    except OverflowError:
        return datetime.fromtimestamp(0, UTC)


_OPTIONS = (
    click.option("--name", help="Which local cloud, if several run."),
    click.option(
        "--profile", metavar="NAME", help="Read AWS instead, with this profile of the SDK's."
    ),
    click.option("--region", help="Read AWS instead, in this region."),
    click.option(
        "--log-group", "log_groups", metavar="PREFIX",
        help="Read AWS instead, the log groups that begin so [default: /aws/lambda/].",
    ),
    click.option(
        "--insights", is_flag=True,
        help="Read AWS through Logs Insights: quick where there is much, and billed by the GB.",
    ),
    click.option("--yes", "-y", is_flag=True, help="Ask Insights, whatever it costs."),
    click.option(
        "--cache", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
        help="Where the answers of Insights are kept [default: in your cache home].",
    ),
    click.option("--no-cache", is_flag=True, help="Neither keep nor use answers of Insights."),
    click.option(
        "--refresh", is_flag=True, help="Ask Insights for the last minutes, though it just was."
    ),
    click.option(
        "--opensearch", metavar="URL", help="Read OpenSearch instead [env: CLEW_OPENSEARCH].",
        envvar="CLEW_OPENSEARCH",
    ),
    click.option("--index", metavar="NAME", help="Of OpenSearch [default: logs-*]."),
    click.option(
        "--store", metavar="PATH", type=click.Path(path_type=Path),
        help="Read a store of log lines instead (see `clew store`).",
    ),
    click.option(
        "--from", "sources", metavar="SOURCE", multiple=True,
        help="Read a file instead, - (standard input), or s3://BUCKET/PREFIX; may be repeated.",
    ),
    click.option(
        "--since", type=DURATION, callback=_since, metavar="AGE",
        help="Read only lines that are newer: 30s, 10m, 2h, 1d [default: 1h; of files and stores,"
        " all].",
    ),
)  # fmt: skip


def source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say where it reads."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def is_billed(given: dict[str, Any]) -> bool:
    """Whether every look costs something."""
    return bool(given["insights"])


@contextlib.contextmanager
def source_of(given: dict[str, Any]) -> Iterator[tuple[Source, datetime | None]]:
    """The source that the options name, and from when on to read it."""
    _check(given)
    since: datetime | None = given["since"]
    hour = since or datetime.now(UTC) - timedelta(hours=1)
    if given["store"] is not None:
        from clew.stories.store import Store

        with Store(given["store"]) as store:
            yield store, since
    elif given["sources"]:
        yield _files(given), since
    elif given["opensearch"] is not None:
        from clew.stories.opensearch_source import open_source

        yield open_source(given["opensearch"], given["index"]), hour
    elif given["insights"]:
        from clew.cli.story_insights import asking

        with asking(*_logs(given), given) as source:
            yield source, hour
    else:
        from clew.stories.cloudwatch import CloudWatchSource

        yield CloudWatchSource(*_logs(given)), hour


def _check(given: dict[str, Any]) -> None:
    _forget_environment(given)
    chosen = [name for name in _OF if given.get(name)]
    if set(chosen) == {"insights", "name"}:  # which a local cloud has as well
        chosen = ["insights"]
    elif any(given[name] is not None for name in _AWS):
        chosen = [name for name in chosen if name != "insights"] + ["aws"]
        if given["sources"] and all(one.startswith("s3://") for one in given["sources"]):
            chosen.remove("aws")  # where the bucket is
    elif given["sources"]:
        chosen = [name for name in chosen if name != "name"]  # where the bucket is
    if len(chosen) > 1:
        raise click.UsageError(f"{', '.join(_OF[name] for name in chosen)}: say one.")
    if given["index"] is not None and given["opensearch"] is None:
        raise click.UsageError("--index goes with --opensearch.")
    if not given["insights"] and (given["yes"] or given["refresh"] or given["cache"]):
        raise click.UsageError("--yes, --refresh and --cache go with --insights.")


def _forget_environment(given: dict[str, Any]) -> None:
    """What the command line says counts more than an address in the environment."""
    source = click.get_current_context().get_parameter_source("opensearch")
    others = ("store", "sources", "insights", "name", *_AWS)
    if source is click.core.ParameterSource.ENVIRONMENT and any(given[one] for one in others):
        given["opensearch"] = None


def _logs(given: dict[str, Any]) -> tuple[Any, str, str]:
    """A client of CloudWatch Logs, what it is of, and the beginning of the groups' names."""
    of_aws = any(given[name] is not None for name in _AWS)
    if given["name"] is None and (of_aws or given["insights"]):
        session = _session(given)
        region = session.region_name
        where = f"CloudWatch Logs in {region}" if region else "CloudWatch Logs"
        prefix = given["log_groups"]
        return _client(session, "logs"), where, "/aws/lambda/" if prefix is None else prefix
    from clew.localcloud import LocalCloud

    cloud = LocalCloud.connect(given["name"])
    return cloud.own_client("logs"), f"the local cloud {cloud.name}", given["log_groups"] or ""


def _files(given: dict[str, Any]) -> Source:
    from clew.stories.files_source import FilesSource

    def s3() -> Any:
        if given["name"] is not None:
            from clew.localcloud import LocalCloud

            return LocalCloud.connect(given["name"]).client("s3")
        return _client(_session(given), "s3")

    return FilesSource(given["sources"], sys.stdin.buffer, s3)


def _session(given: dict[str, Any]) -> Any:
    import boto3
    from botocore.exceptions import BotoCoreError

    from clew.errors import ClewError

    try:
        return boto3.Session(profile_name=given["profile"], region_name=given["region"])
    except BotoCoreError as error:
        raise ClewError(f"AWS cannot be used as it is configured here: {error}") from error


def _client(session: Any, service: str) -> Any:
    from botocore.exceptions import BotoCoreError

    from clew.errors import ClewError

    try:
        return session.client(service)
    except BotoCoreError as error:
        raise ClewError(f"AWS cannot be used as it is configured here: {error}") from error

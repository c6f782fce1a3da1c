"""``clew store``: log lines in a file."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clew.cli.duration import DURATION
from clew.cli.store_shown import count_of, page_json, print_page, print_stats, shown, stats_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress


_STORE = click.argument("path", metavar="STORE", type=click.Path(path_type=Path))
_PATH = click.Path(path_type=Path)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kMGT]?)i?B?", re.IGNORECASE).fullmatch
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_DAMAGED = 2


def _ago(_context: click.Context, _option: click.Parameter, given: float | None) -> datetime | None:
    if given is None:
        return None
    try:
        return datetime.now(UTC) - timedelta(seconds=given)
    except OverflowError:
        return datetime.fromtimestamp(0, UTC)


def _bytes(_context: click.Context, _option: click.Parameter, given: str | None) -> int | None:
    if given is None:
        return None
    found = _SIZE(given)
    if found is None:
        raise click.BadParameter(f"{given!r} is not like 500MB or 2GB")
    return int(float(found[1]) * _UNITS[found[2].lower()])


def _pairs(
    _context: click.Context, _option: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    pairs = [one.partition("=") for one in given]
    if wrong := [name for name, equals, _ in pairs if not (name and equals)]:
        raise click.BadParameter(f"{wrong[0]!r} is not like user-id=42")
    return {name: value for name, _, value in pairs}


_SINCE = click.option(
    "--since", type=DURATION, callback=_ago, metavar="AGE", help="Only what is newer: 10m, 2h, 1d."
)
_UNTIL = click.option(
    "--until", type=DURATION, callback=_ago, metavar="AGE", help="Only what is older."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def store() -> None:
    """Keep log lines in a file, and search them.

    STORE is the file. `clew story ID --store STORE` shows a request from it.
    """


@store.command("import")
@_STORE
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option(
    "--local", is_flag=False, flag_value="", metavar="[NAME]", help="The lines of this local cloud."
)
@click.option("--profile", metavar="NAME", help="For S3: a profile of the AWS SDK's.")
@click.option("--region", help="For S3: the AWS region.")
@click.option("--log-group", "group", metavar="NAME", help="The log group of lines that name none.")
@click.option("--durable", is_flag=True, help="Let what was stored outlast a power loss.")
def import_(
    *,
    path: Path,
    sources: tuple[str, ...],
    local: str | None,
    profile: str | None,
    region: str | None,
    group: str | None,
    durable: bool,
) -> None:
    """Put the lines of every SOURCE into STORE, which is made if there is none.

    A SOURCE is a file, - for standard input, or s3://BUCKET/PREFIX for every object below it;
    plain, gzip or zstd. It holds what `clew store export` wrote, what a subscription of CloudWatch
    Logs delivers (through Firehose, say), or one log line a line. What is there already is not
    stored again.

    \b
    Examples:
      clew store import logs.db lines.ndjson.gz
      clew store import logs.db s3://my-logs/2026/01/ --profile staging
      clew store import logs.db --local
    """
    from clew.stories.store import Store
    from clew.stories.store.files import NO_GROUP, read_file, read_stream

    if not sources and local is None:
        raise click.UsageError("Name a SOURCE, or --local.")
    group = group or NO_GROUP
    with Store(path, write=True, durable=durable) as into, _progress() as progress:
        task = progress.add_task("", total=None, lines="")
        stored = repeated = 0

        def add(lines: Any, name: str) -> None:
            nonlocal stored, repeated
            progress.update(task, description=shown(name))

            def told(added: Any) -> None:
                progress.update(task, lines=f"{stored + added.stored:,} lines")

            added = into.add(lines, told)
            stored, repeated = stored + added.stored, repeated + added.repeated

        def read(count: int) -> None:
            progress.advance(task, count)

        for source in sources:
            if source == "-":
                add(read_stream(sys.stdin.buffer, "stdin", group, _now_ms(), read), source)
            elif source.startswith("s3://"):
                from clew.stories.store.s3 import address, read_prefix

                client = _s3(local, profile, region)
                add(read_prefix(client, address(source), group, read), source)
            else:
                add(read_file(Path(source), group, read), source)
        if local is not None and not any(one.startswith("s3://") for one in sources):
            add(_lines_of_cloud(local), "local cloud")
    again = f", {repeated:,} were there" if repeated else ""
    click.echo(f"Stored {count_of(stored)}{again}.")


@store.command()
@_STORE
@click.argument("target")
@_SINCE
@_UNTIL
@click.option(
    "--local", is_flag=False, flag_value="", metavar="[NAME]", help="S3 of a local cloud."
)
@click.option("--profile", metavar="NAME", help="For S3: a profile of the AWS SDK's.")
@click.option("--region", help="For S3: the AWS region.")
def export(
    *,
    path: Path,
    target: str,
    since: datetime | None,
    until: datetime | None,
    local: str | None,
    profile: str | None,
    region: str | None,
) -> None:
    """Write the lines of STORE, oldest first, to TARGET: a JSON object a line.

    TARGET is a file, - for standard output, or s3://BUCKET/KEY; with .gz or .zst at its end, it is
    compressed. `clew store import` reads it.

    \b
    Examples:
      clew store export logs.db lines.ndjson.gz
      clew store export logs.db - --since 1h | jq -r .message
    """
    from clew.stories.store import Store
    from clew.stories.store.files import write_file, write_lines

    with Store(path) as found:
        lines = found.entries(since, until)
        if target == "-":
            write_lines(lines, sys.stdout.buffer)
            sys.stdout.buffer.flush()
            return
        if target.startswith("s3://"):
            from clew.stories.store.s3 import address, write_object

            count = write_object(_s3(local, profile, region), lines, address(target))
        else:
            count = write_file(lines, Path(target))
    click.echo(f"Wrote {count_of(count)} to {shown(target)}.")


@store.command()
@_STORE
@click.argument("words", nargs=-1)
@click.option("--id", "id_", default="", metavar="ID", help="Any id of the line begins so.")
@click.option(
    "--field", "ids", multiple=True, callback=_pairs, metavar="NAME=VALUE",
    help="An id by its field: user-id=42, requestId=..., traceId=...; may be given several times.",
)  # fmt: skip
@click.option("--function", default="", metavar="NAME", help="Only lines of this function.")
@click.option("--level", default="", metavar="LEVEL", help="This level, or a worse one.")
@_SINCE
@_UNTIL
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--before", type=int, metavar="PLACE", help="The next page: what the last one said.")
@_JSON
def search(
    *,
    path: Path,
    words: tuple[str, ...],
    id_: str,
    ids: dict[str, str],
    function: str,
    level: str,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    before: int | None,
    as_json: bool,
) -> None:
    """Print the newest lines of STORE that hold all WORDS, and how many there are of them.

    A * at the end of a word is for any ending; nothing else in WORDS is syntax.

    \b
    Examples:
      clew store search logs.db card declined --level ERROR
      clew store search logs.db --field user-id=42 --since 1d
      clew store search logs.db 'time*' --function orders --json | jq -r '.lines[].message'
    """
    from clew.stories.store import Query, Store

    query = Query(
        " ".join(words), id_, ids, function, level, since, until, limit=limit, before=before
    )
    with Store(path) as found:
        page = found.search(query)
    if as_json:
        click.echo(json.dumps(page_json(page), indent=2))
    else:
        print_page(page)


@store.command()
@_STORE
@click.option("--check", is_flag=True, help="Look for damage too; exit with 2 if there is any.")
@_JSON
def stats(*, path: Path, check: bool, as_json: bool) -> int:
    """Say how much is in STORE.

    \b
    Examples:
      clew store stats logs.db
      clew store stats logs.db --check --json
    """
    from clew.stories.store import Store

    with Store(path, write=check) if path.is_file() else Store(path) as found:
        told = found.stats()
        wrong = found.damage() if check else []
    if as_json:
        click.echo(json.dumps(stats_json(told) | ({"damage": wrong} if check else {}), indent=2))
    else:
        print_stats(told)
        if check:
            click.echo("damage     " + ("; ".join(map(shown, wrong)) or "none"))
    return _DAMAGED if wrong else 0


@store.command()
@_STORE
@click.option(
    "--older-than", type=DURATION, callback=_ago, metavar="AGE", help="Delete older lines: 30d."
)
@click.option(
    "--larger-than", callback=_bytes, metavar="SIZE",
    help="Delete the oldest lines until the file is no larger: 500MB, 2GB.",
)  # fmt: skip
def prune(*, path: Path, older_than: datetime | None, larger_than: int | None) -> None:
    """Delete the oldest lines of STORE.

    \b
    Examples:
      clew store prune logs.db --older-than 30d
      clew store prune logs.db --older-than 30d --larger-than 2GB
    """
    from clew.stories.store import Store, StoreError

    if older_than is None and larger_than is None:
        raise click.UsageError("Say --older-than or --larger-than, or both.")
    if not path.is_file():
        raise StoreError(f"There is no store at {path}; `clew store import` makes one.")
    with Store(path, write=True) as found:
        count = found.prune(older_than=older_than, larger_than=larger_than)
    click.echo(f"Deleted {count_of(count)}.")


def _s3(local: str | None, profile: str | None, region: str | None) -> Any:
    if local is not None:
        if profile is not None or region is not None:
            raise click.UsageError("--local is of a local cloud, --profile and --region of AWS.")
        from clew.localcloud import LocalCloud

        return LocalCloud.connect(local or None).client("s3")
    import boto3

    return boto3.Session(profile_name=profile, region_name=region).client("s3")


def _lines_of_cloud(name: str) -> Any:
    from clew.localcloud import LocalCloud
    from clew.stories.cloudwatch import CloudWatchSource

    return CloudWatchSource(LocalCloud.connect(name or None).client("logs")).lines(None)


@contextlib.contextmanager
def _progress() -> Iterator[Progress]:
    """How far it is, on standard error, if a person looks at it."""
    from rich.console import Console
    from rich.progress import DownloadColumn, Progress, SpinnerColumn, TextColumn

    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        DownloadColumn(),
        TextColumn("{task.fields[lines]}", markup=False),
    )
    shown = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with shown as progress:
        yield progress


def _now_ms() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)

"""``clew streams init``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clew.cli.streams_where import aws_options, session_of

if TYPE_CHECKING:
    from clew.scaling.managed.desired import Existing


@click.command()
@click.option(
    "--file", "-f", "file", type=click.Path(path_type=Path), default=Path("streams.yml"),
    show_default=True, metavar="FILE", help="What to write; - is standard output.",
)  # fmt: skip
@click.option("--match", default="*", metavar="PATTERN", help="Only streams with such names.")
@click.option(
    "--days", type=click.IntRange(1, 14), default=14, show_default=True,
    help="How far back to look at their metrics.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@aws_options
def init(*, file: Path, match: str, days: int, force: bool, **given: Any) -> None:
    """Write a streams.yml of the streams that there are.

    Each gets a min and a max from how many shards it has and what two weeks of metrics show: look
    at them, they are a beginning.

    \b
    Examples:
      clew streams init --profile prod --region eu-west-1
      clew streams init --match 'orders-*' --file deploy/streams.yml
      clew streams init --file -                 # only show it
    """
    from fnmatch import fnmatchcase

    from rich.console import Console

    from clew.errors import ClewError
    from clew.scaling.limits import Limits
    from clew.scaling.managed.config import parse_config
    from clew.scaling.managed.config_init import first_file
    from clew.scaling.managed.config_resolve import resolve
    from clew.scaling.managed.desired_state import asking, describe, list_streams, tools_of
    from clew.scaling.managed.metrics import history

    to_stdout = str(file) == "-"
    if not to_stdout and not force and file.exists():
        raise ClewError(f"{file} is there already; write over it with --force, or name another.")
    session = session_of(given)
    tools = tools_of(session)
    found: list[tuple[Existing, list[float]]] = []
    with Console(stderr=True).status("looking") as status:
        for name in list_streams(tools):
            if not fnmatchcase(name, match):
                continue
            status.update(f"looking at {len(found) + 1}")
            one = describe(tools, name)
            if one is None or one.status == "DELETING":
                continue
            demand: list[float] = []
            if one.mode != "on-demand":
                with asking("cloudwatch"):
                    _, demand = history(tools, name, days=days, limits=Limits())
            found.append((one, demand))
    text = first_file(found, session.region_name)
    resolve(parse_config(text, str(file)), "")  # it has to be right
    if to_stdout:
        click.echo(text, nl=False)
        return
    file.write_text(text, encoding="utf-8")
    streams = sum(one.mode != "on-demand" for one, _ in found)
    click.echo(f"Wrote {file}: {streams} stream{'s' * (streams != 1)}. Next: clew streams plan")

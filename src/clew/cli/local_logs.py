"""``clew local logs``: lines for people, and for programs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from clew.cli.duration import DURATION
from clew.stories.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.localcloud import LogLine
    from clew.stories import lines as parsed

_MAX_VALUE = 300  # of a field; --raw has it whole


def _since(
    _context: click.Context, _option: click.Parameter, given: float | None
) -> datetime | None:
    return None if given is None else datetime.now(UTC) - timedelta(seconds=given)


@click.command()
@click.argument("function", required=False)
@click.option("--name", help="Which local cloud, if several run.")
@click.option(
    "--since",
    type=DURATION,
    callback=_since,
    metavar="AGE",
    help="Only what is newer: 30s, 10m, 2h.",
)
@click.option("--follow", "-f", is_flag=True, help="Go on printing lines as they come.")
@click.option("--raw", is_flag=True, help="Print each message as it was logged.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def logs(
    *,
    function: str | None,
    name: str | None,
    since: datetime | None,
    follow: bool,
    raw: bool,
    as_json: bool,
) -> None:
    """Print the log lines of FUNCTION (its logical id or name), or of all functions.

    Of a line of clew's it shows the level, the message, the caller's own fields and the ids.

    \b
    Examples:
      clew local logs
      clew local logs ApiFunction --since 10m
      clew local logs --raw | grep 4f0c1f0e
      clew local logs --follow --json | jq -r .message
    """
    from clew.localcloud import LocalCloud

    cloud = LocalCloud.connect(name)
    lines = cloud.follow_log_lines if follow else cloud.log_lines
    for line in lines(function, since):
        if as_json:
            click.echo(json.dumps(line._asdict() | {"timestamp": line.timestamp.isoformat()}))
        else:
            click.echo(raw_text(line) if raw else text(line))


def raw_text(line: LogLine) -> str:
    """A line with its message as it is."""
    return f"{_beginning(line, line.timestamp)}  {visible(line.message)}"


def text(line: LogLine) -> str:
    """A line for a person: one of clew's by its parts, any other as it is."""
    from clew.stories.lines import Invocation, RawLine, TextLine
    from clew.stories.parse import parse

    at_ms = int(line.timestamp.timestamp() * 1000)
    found = parse(RawLine(at_ms, line.log_group, line.stream, line.message))
    if isinstance(found, TextLine):
        return raw_text(line)
    common = found.line if isinstance(found, Invocation) else found
    if not (common.level and common.message):
        return raw_text(line)  # of somebody else
    parts = list(_invocation(found) if isinstance(found, Invocation) else _ordinary(found))
    parts += [f"{name.removeprefix('x-correlation-')}={value}" for name, value in _ids(common)]
    at = datetime.fromtimestamp(common.at_ms / 1000, UTC)
    shown = f"{_beginning(line, at)}  {visible(common.level):<8} {'  '.join(map(_cut, parts))}"
    if common.exception is not None:
        stack = common.exception.stack or (f"{common.exception.type}: {common.exception.message}",)
        shown += "".join(f"\n    {visible(frame)}" for each in stack for frame in each.split("\n"))
    return shown


def _beginning(line: LogLine, at: datetime) -> str:
    return f"{at:%H:%M:%S.%f}"[:-3] + f" {visible(line.log_group.rsplit('/', 1)[-1])}"


def _ordinary(line: parsed.LogLine) -> Iterator[str]:
    from clew.log.encode import encode

    yield line.message
    for name, value in line.fields.items():
        yield f"{name}={value if isinstance(value, str) else encode(value)}"
    if line.flight_recorder:
        yield "(flight recorder)"


def _invocation(one: parsed.Invocation) -> Iterator[str]:
    took = "" if one.duration_ms is None else f" after {one.duration_ms:.0f} ms"
    yield f"invocation: {one.outcome}{took}, received {len(one.received)}, sent {len(one.sent)}"


def _ids(line: parsed.LogLine) -> list[tuple[str, str]]:
    return [(name, value) for name, value in line.ids.items() if value]


def _cut(part: str) -> str:
    return visible(part if len(part) <= _MAX_VALUE else f"{part[:_MAX_VALUE]}…")

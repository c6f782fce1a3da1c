"""``clew local status``."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from clew.localcloud.errors import LocalCloudError
from clew.localcloud.mappings import read_mappings
from clew.localcloud.state import running_clouds
from clew.stories.naming import short_target
from clew.stories.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.localcloud import StreamMapping
    from clew.localcloud.state import CloudRecord

_WHOLE = 1_000  # columns, more than any row has
_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:\d*:[\w./:-]*\w", re.ASCII)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def status(as_json: bool) -> None:
    """List the local clouds that run, and how their mappings on streams are doing.

    For each shard: how far it is behind, how often the batch that is under way has been tried
    again, and what came of the last one.

    \b
    Examples:
      clew local status
      clew local status --json | jq -r '.[].endpoint_url'
      clew local status --json | jq '.[].mappings[] | {function, shards}'
    """
    clouds = [(record, _mappings(record)) for record in running_clouds()]
    if as_json:
        facts = [
            _facts(record) | {"mappings": [_mapping_facts(each) for each in mappings]}
            for record, mappings in clouds
        ]
        click.echo(json.dumps(facts, indent=2))
    elif not clouds:
        click.echo("No local cloud is running; start one with: clew local up TEMPLATE")
    else:
        console = table_console()
        table = Table("name", "endpoint", "stacks", "template", "pid", box=None)
        for record, _ in clouds:
            stacks = ", ".join(record.stacks)
            endpoint = _facts(record)["endpoint_url"]
            table.add_row(record.name, endpoint, stacks, record.template or "", str(record.pid))
        console.print(table)
        for record, mappings in clouds:
            if mappings:
                console.print(f"\nMappings of {record.name}")
                for mapping in mappings:
                    for line in _mapping_lines(mapping):
                        console.print(line)


def _mappings(record: CloudRecord) -> list[StreamMapping]:
    try:
        return read_mappings(record.port)
    except LocalCloudError:
        return []  # it is just ending


def table_console() -> Console:
    """Prints tables: folded to fit into a terminal, whole where something else reads them.

    COLUMNS in the environment counts in any case.
    """
    fits = sys.stdout.isatty() or os.environ.get("COLUMNS")
    return Console(highlight=False, width=None if fits else _WHOLE)


def _mapping_facts(mapping: StreamMapping) -> dict[str, Any]:
    return asdict(mapping) | {"source": mapping.source}


def _mapping_lines(mapping: StreamMapping) -> Iterator[Padding]:
    """A mapping and below it its shards, in lines: as columns they would be a few letters wide."""
    yield _line(2, f"{mapping.function}  from {mapping.source}  {mapping.state}", mapping.reason)
    for shard in mapping.shards:
        facts = f"{shard.shard_id}  lag {shard.lag_ms} ms  retries {shard.retries}"
        yield _line(4, facts, shard.last_outcome)


def _line(indent: int, facts: str, said: str) -> Padding:
    named = _ARN.sub(lambda arn: short_target(arn[0]), said)
    shown = Text(visible(f"{facts}  {named}".rstrip()), overflow="fold")
    return Padding(shown, (0, 0, 0, indent), expand=False)


def _facts(record: CloudRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "endpoint_url": f"http://127.0.0.1:{record.port}",
        "region": record.region,
        "template": record.template,
        "stacks": list(record.stacks),
        "pid": record.pid,
        "log_path": str(record.log_path),
    }

"""``clew dlq list``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from clew.cli.dlq_options import (
    filter_options,
    force_option,
    queue_of,
    session_of,
    take_filter,
    where_options,
)


@click.command("list")
@click.argument("queue")
@filter_options
@force_option
@where_options
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def list_(*, as_json: bool, **given: Any) -> None:
    """List the dead letters in QUEUE (its name, URL or ARN).

    All of its messages are received once and given back at once. Besides what clew.dead_letter
    writes, it reads what Lambda itself writes of batches and invocations that failed, and plain
    messages that a redrive policy moved.

    \b
    Examples:
      clew dlq list orders-dead
      clew dlq list orders-dead --error KeyError --newer-than 2h
      clew dlq list orders-dead --id 4f0c1f0e --local
      clew dlq list orders-dead --json | jq -r '.[].error.type' | sort | uniq -c
    """
    from clew.dlq.export import as_json as json_text
    from clew.dlq.export import letter_json
    from clew.dlq.look import look

    wanted = take_filter(given)
    session = session_of(given)
    found = look(session, queue_of(session, given), wanted)
    if as_json:
        click.echo(json_text([letter_json(letter) for letter in found.letters], indent=2))
        return
    from clew.cli.local_status import table_console
    from clew.dlq.listing import table
    from clew.dlq.view import count

    console = table_console()
    if found.letters:
        console.print(table(found.letters, datetime.now(UTC), console.width))
    total = f" of {found.seen:,}" if found.seen != len(found.letters) else ""
    console.print(f"{count(len(found.letters))}{total} in {found.queue.name}.", markup=False)
    if found.unseen:
        why = (
            "a FIFO queue shows the first ones of each message group only"
            if found.queue.is_fifo
            else "somebody else has them in hand"
        )
        console.print(f"About {found.unseen:,} more were not seen: {why}.", style="dim")

"""``clew dlq purge``."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click

from clew.cli.dlq_options import (
    asked,
    filter_options,
    force_option,
    queue_of,
    session_of,
    take_filter,
    where_options,
)


@click.command()
@click.argument("queue")
@filter_options
@click.option(
    "--export",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where the letters are kept [default: QUEUE-TIME.ndjson, here].",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@force_option
@where_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def purge(*, as_json: bool, **given: Any) -> int:
    """Delete dead letters of QUEUE, after they are kept in a file.

    The file has one JSON object a line, which clew dlq replay reads. A letter is deleted only
    when it is safe on the disk. A file that exists is added to.

    \b
    Examples:
      clew dlq purge orders-dead --older-than 7d
      clew dlq purge orders-dead --error KeyError --export fixed.ndjson --yes
    """
    from clew.dlq.look import look
    from clew.dlq.purge import purge as purge_queue
    from clew.dlq.view import count
    from clew.stories.visible import visible

    wanted = take_filter(given)
    session = session_of(given)
    queue = queue_of(session, given)
    path = given["export"] or Path(f"{queue.name}-{time.strftime('%Y%m%dT%H%M%S')}.ndjson")
    if not given["yes"]:
        number = len(look(session, queue, wanted).letters)
        if not number:
            click.echo(f"Nothing to delete in {queue.name}.")
            return 0
        asked(f"Delete {count(number)} of {queue.name}, and keep a copy in {path}?", yes=False)
    done = purge_queue(session, queue, wanted, path)
    if as_json:
        facts = {"kept": done.kept, "deleted": done.deleted, "export": str(path.absolute())}
        click.echo(json.dumps(facts | {"problems": list(done.problems)}, indent=2))
    elif not done.kept:
        click.echo(f"Nothing to delete in {queue.name}.")
    else:
        click.echo(f"Deleted {count(done.deleted)} of {queue.name}; kept in {path}")
        for problem in done.problems:
            click.echo(f"  not deleted: {visible(problem)}", err=True)
    return 1 if done.problems else 0

"""``clew dlq show``."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import click

from clew.cli.dlq_options import force_option, queue_of, session_of, where_options

if TYPE_CHECKING:
    import boto3


@click.command()
@click.argument("queue")
@click.argument("id_", metavar="ID")
@force_option
@where_options
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object, which can be replayed."
)
def show(*, as_json: bool, **given: Any) -> None:
    """Show one dead letter of QUEUE: payload, error, attempts, where it came from, its story.

    ID is its own id, its message's, or that of its request; the beginning is enough. The records
    of a batch that Lambda gave up are read from their stream, as long as that has them.

    \b
    Examples:
      clew dlq show orders-dead 4f0c1f0e
      clew dlq show orders-dead 4f0c1f0e --json > letter.json
    """
    from clew.dlq.export import as_json as json_text
    from clew.dlq.look import find_one
    from clew.dlq.opened import open_letter

    session = session_of(given)
    opened = open_letter(session, find_one(session, queue_of(session, given), given["id_"]))
    if as_json:
        click.echo(json_text(opened.as_json(), indent=2))
        return
    from clew.cli.local_status import table_console
    from clew.dlq.view import print_letter

    print_letter(opened, table_console(), _story(session, opened.correlation_id, given))


def _story(session: boto3.Session, correlation_id: str, given: dict[str, Any]) -> str:
    """The command that shows the request's story in the same place."""
    if not correlation_id:
        return ""
    words = ["clew", "story", correlation_id]
    if given["local"] is not None:
        words += ["--name", given["local"]] if given["local"] else []
    else:
        region = given["region"] or session.region_name or ""
        words += ["--profile", given["profile"]] if given["profile"] else []
        words += ["--region", region] if region else []
    return shlex.join(words)

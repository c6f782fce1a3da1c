"""``clew dlq``: list, redrive."""

from __future__ import annotations

import click

from clew.cli.dlq_list import list_
from clew.cli.dlq_redrive import redrive


@click.group()
def dlq() -> None:
    """List, show, redrive and replay dead letters.

    A letter stays in its queue until it was sent somewhere else, or kept in a file.

    \b
    Examples:
      clew dlq list orders-dead
      clew dlq show orders-dead 4f0c1f0e
      clew dlq redrive orders-dead --to source --dry-run
      clew dlq replay orders-dead 4f0c1f0e --handler orders:handler --pdb
    """


for _command in (list_, redrive):
    dlq.add_command(_command)

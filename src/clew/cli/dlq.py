"""``clew dlq``: list, show, redrive, replay, purge."""

from __future__ import annotations

import click

from clew.cli.dlq_list import list_
from clew.cli.dlq_purge import purge
from clew.cli.dlq_redrive import redrive
from clew.cli.dlq_replay import replay
from clew.cli.dlq_show import show


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


for _command in (list_, show, redrive, replay, purge):
    dlq.add_command(_command)

"""``clew streams``: the shards of Kinesis streams. Each command is one module."""

from __future__ import annotations

import click


@click.group()
def streams() -> None:
    """Scale Kinesis streams by alarm and by schedule."""

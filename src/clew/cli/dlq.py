"""``clew dlq``: dead letters."""

from __future__ import annotations

import click


@click.group()
def dlq() -> None:
    """List, show, redrive and replay dead letters."""

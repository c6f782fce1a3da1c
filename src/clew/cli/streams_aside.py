"""What is said beside a command's answer: on standard error, as sentences."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOGGER = "clew.scaling"


@contextmanager
def warnings_aside() -> Iterator[None]:
    """Show what the scaling functions would log: their JSON lines would be between the answer's."""
    logger = logging.getLogger(_LOGGER)
    handlers, propagate, level = logger.handlers, logger.propagate, logger.level
    logger.handlers, logger.propagate = [_Aside(logging.WARNING)], False
    try:
        yield
    finally:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


class _Aside(logging.Handler):
    """A warning as a sentence, with why where that is known."""

    def emit(self, record: logging.LogRecord) -> None:
        from clew.stories.visible import visible

        said = record.getMessage()
        what = getattr(record, "topic", "") or getattr(record, "shard", "")
        why = getattr(record, "error", "")
        text = said[:1].upper() + said[1:] + (f": {what}" if what else "")
        click.echo(visible(f"{text} ({why})." if why else f"{text}."), err=True)

"""The Logger of Powertools for AWS Lambda, with clew's fields and clew's DEBUG decision.

Its own ways to add keys are shared by everything that logs at the same time. Here the fields are
looked up when a line is made, in the context that makes it: right in threads, in tasks and for
each record of a batch.
"""

from __future__ import annotations

import logging

from clew.correlation import current
from clew.log.internal import failed
from clew.log.logger import ClewLogger
from clew.neighbours.fields import in_force, put_into

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    Logger = TypeVar("Logger")

#: In a record: the fields are those of the time when its line was put into the buffer.
_DONE = "_clew_fields"


def bridge(logger: Logger) -> Logger:
    """Give ``logger``, an ``aws_lambda_powertools.Logger``, clew's fields and DEBUG decision.

    Every line has them beside Powertools' own keys; a key of the caller's of the same name is kept
    with ``_`` at the end of its name. DEBUG lines are written where the call chain is at DEBUG or
    the logger's own level says so, else kept for a failure. Lines in Powertools' buffer have the
    fields of the time when they were logged, and do not wait where the call chain is at DEBUG.
    A child logger needs a call of its own. May be called again. Returns ``logger``.

    >>> from aws_lambda_powertools import Logger
    >>> logger = bridge(Logger(service="orders"))
    """
    named: Any = logger
    inner = logging.getLogger(named.name)
    if not any(isinstance(one, _Fields) for one in inner.filters):
        inner.addFilter(_Fields())
    if type(inner) is logging.Logger:
        inner.__class__ = ClewLogger
    if getattr(named, "_buffer_config", None):
        _watch_buffer(named)
    return logger


class _Fields(logging.Filter):
    """Puts the fields into each record; keeps none back."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true."""
        try:
            members = record.__dict__
            if not members.pop(_DONE, False):
                put_into(members, in_force())
        except Exception:  # noqa: BLE001  (logging never breaks the request)
            failed("adding fields to a line of Powertools")
        return True


def _watch_buffer(named: Any) -> None:
    """What goes into Powertools' buffer has the fields of now; at DEBUG it goes nowhere but out."""
    buffer = named._buffer_cache
    if "add" in vars(buffer):
        return
    original = buffer.add

    def add(key: str, item: Any) -> None:
        try:
            extra = dict(item["extra"] or {})
            put_into(extra, in_force())
            item["extra"] = {**extra, _DONE: True}
            if current().debug:
                named._create_and_flush_log_record(item)
                return
        except Exception:  # noqa: BLE001  (logging never breaks the request)
            failed("adding fields to a line of Powertools")
        original(key, item)

    buffer.add = add


def has_own_handler(name: str) -> bool:
    """Whether the logger ``name``, or one above it, has Powertools' handler.

    It writes what they log; a handler of the root logger would write it a second time.
    """
    step: logging.Logger | None = logging.getLogger(name)
    while step is not None:
        if getattr(step, "powertools_handler", None) is not None:
            return True
        step = step.parent if step.propagate else None
    return False

"""structlog's lines with clew's fields, and at DEBUG where the call chain is.

Three processors; none of them can fail a log call::

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            clew.neighbours.structlog.follow_decision,
            clew.neighbours.structlog.processor,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
    )

With `render` in the place of the last two, lines are clew's own, and a story has them.
"""

from __future__ import annotations

import logging
import sys
import time

from clew.correlation import current
from clew.log.encode import as_text
from clew.log.held import kept_fields, kept_message
from clew.log.internal import failed
from clew.log.line import build, describe
from clew.log.logger import level_from_environment
from clew.neighbours.fields import in_force, put_into

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any

    Event = MutableMapping[str, Any]

#: structlog's methods that are not called as their level is.
_LEVELS = {"exception": "ERROR", "fatal": "CRITICAL", "msg": "INFO", "warn": "WARNING"}


def processor(_logger: Any, _method: str, event: Event) -> Event:
    """Add what clew's own lines carry: ids, trace, request id and the like.

    A member of the caller's of the same name is kept with ``_`` at the end of its name.
    """
    try:
        put_into(event, in_force())
    except Exception:  # noqa: BLE001  (logging never breaks the request)
        failed("adding fields to a line of structlog")
    return event


def follow_decision(_logger: Any, method: str, event: Event) -> Event:
    """Let a DEBUG line pass where this call chain is at DEBUG, else keep it for a failure.

    Other lines pass where ``CLEW_LOG_LEVEL`` (or Lambda's ``AWS_LAMBDA_LOG_LEVEL``; else INFO)
    lets them. Place it before what is costly, and let the wrapper class pass DEBUG:
    ``structlog.make_filtering_bound_logger(logging.DEBUG)``. A line that is kept is written by
    clew if the invocation fails, as its own DEBUG lines are.
    """
    level = logging.getLevelNamesMapping().get(_level(method), logging.INFO)
    correlation = current()
    if level >= level_from_environment() or (level >= logging.DEBUG and correlation.debug):
        return event
    if level == logging.DEBUG and correlation.invocation is not None:
        _hold(event)
    from structlog import DropEvent

    raise DropEvent


def render(_logger: Any, method: str, event: Event) -> str:
    """The line as clew writes it: the same names, masks and limits. The last processor."""
    try:
        members = dict(event)
        message, name = members.pop("event", ""), members.pop("logger", None)
        error = _error(members.pop("exc_info", None))
        for known in ("level", "timestamp"):
            members.pop(known, None)
        for field, value in in_force().items():
            if members.get(field) == value:  # `processor` was before this
                del members[field]
        return build(
            at=time.time(),
            level=_level(method),
            message=message if isinstance(message, str) else as_text(message),
            logger=name if isinstance(name, str) else "structlog",
            correlation=current(),
            fields=members,
            exception=describe(*error) if error is not None else None,
        ).rstrip("\n")
    except Exception:  # noqa: BLE001  (logging never breaks the request)
        failed("writing a line of structlog")
        return as_text(event)


def _level(method: str) -> str:
    return _LEVELS.get(method, method.upper())


def _hold(event: Event) -> None:
    """Keep a line in the flight recorder."""
    correlation = current()
    try:
        members = dict(event)
        message, name = members.pop("event", ""), members.pop("logger", None)
        error = _error(members.pop("exc_info", None))
        if correlation.invocation is not None:
            correlation.invocation.flight_recorder.append(
                (
                    time.time(),
                    as_text(name or "structlog"),
                    kept_message(message),
                    (),
                    kept_fields(members),
                    error,
                    correlation,
                )
            )
    except Exception:  # noqa: BLE001  (logging never breaks the request)
        failed("keeping a line of structlog")


def _error(given: Any) -> Any:
    """(type, exception, traceback) of what structlog takes as ``exc_info``, or None."""
    if isinstance(given, BaseException):
        return type(given), given, given.__traceback__
    if isinstance(given, tuple):
        return given
    found = sys.exc_info() if given else (None, None, None)
    return found if found[0] is not None else None

"""The flight recorder: what DEBUG would have said, written out when an invocation fails."""

from __future__ import annotations

import sys
import time

from clew.log.encode import encode
from clew.log.line import build, describe
from clew.log.logger import message, own_fields
from clew.log.out import write
from clew.log.redact import redact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.correlation import Correlation
    from clew.invocation import Invocation

#: Of the event that failed, so much is kept (characters of JSON).
MAX_EVENT = 16_384


def write_held(invocation: Invocation, only: Correlation | None = None) -> None:
    """Write the DEBUG lines that were held, oldest first; with ``only``, those of one record."""
    held = _taken(invocation)
    mine = [one for one in held if only is None or one[-1].span_id == only.span_id]
    if only is not None:
        invocation.flight_recorder.extend(one for one in held if one[-1].span_id != only.span_id)
    for at, logger, text, arguments, extra, exc_info, correlation in mine:
        write(
            build(
                at=at,
                level="DEBUG",
                message=message(text, arguments),
                logger=logger,
                correlation=correlation,
                fields=own_fields(extra),
                exception=_exception(exc_info),
                flight_recorder=True,
            )
        )


def _taken(invocation: Invocation) -> list[tuple[float, str, Any, Any, Any, Any, Correlation]]:
    """What is held, taken off it one by one: other threads may put lines on it meanwhile."""
    taken = []
    for _ in range(len(invocation.flight_recorder)):
        try:
            taken.append(invocation.flight_recorder.popleft())
        except IndexError:  # another thread took it
            break
    return taken


def write_event(event: Any, correlation: Correlation) -> None:
    """Write the event that an invocation failed on: secrets masked, cut at 16 kB of JSON."""
    safe = redact(event, texts=True)
    text = encode(safe)
    shown: dict[str, Any] = (
        {"event": safe} if len(text) <= MAX_EVENT else {"eventCut": text[:MAX_EVENT]}
    )
    write(
        build(
            at=time.time(),
            level="DEBUG",
            message="the event of the failed invocation",
            logger="clew",
            correlation=correlation,
            fields=shown,
            flight_recorder=True,
        )
    )


def _exception(info: Any) -> dict[str, Any] | None:
    if isinstance(info, BaseException):
        return describe(type(info), info, info.__traceback__)
    if isinstance(info, tuple) and len(info) == len(sys.exc_info()):
        return describe(*info)
    return None

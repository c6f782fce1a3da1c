"""clew's own few words. None of them can fail the request."""

from __future__ import annotations

import logging
import sys

_said: set[str] = set()


def warn(text: str, **fields: object) -> None:
    """Log one warning as the logger ``clew``. Never raises."""
    try:
        from clew.log.logger import get_logger

        get_logger("clew").warning(text, extra=fields)
    except Exception:  # noqa: BLE001  (nowhere left to say it)
        return


def warn_once(key: str, text: str, **fields: object) -> None:
    """`warn`, once for each ``key`` in the life of the process."""
    if key not in _said:
        _said.add(key)
        warn(text, **fields)


def failed(doing: str) -> None:
    """Say, once a process and kind, that clew itself failed while ``doing``; call in ``except``."""
    try:
        kind, error, _ = sys.exc_info()
        name = kind.__name__ if kind else "nothing"
        if logging.raiseExceptions:
            warn_once(
                f"{doing}:{name}",
                f"clew failed while {doing}, and the request went on without it: {name}: {error}",
            )
    except Exception:  # noqa: BLE001  (an error whose text raises)
        return

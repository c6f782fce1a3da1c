"""Levels that the environment sets: of single loggers, and what Lambda drops."""

from __future__ import annotations

import logging
import os

from clew.log.internal import warn_once
from clew.log.logger import level_named


def set_single_ones() -> None:
    """Set the levels of ``CLEW_LOG_LEVELS``: ``botocore=WARNING,urllib3=ERROR``."""
    for pair in os.environ.get("CLEW_LOG_LEVELS", "").split(","):
        if not pair.strip():
            continue
        name, _, wanted = pair.partition("=")
        level = level_named(wanted)
        if level is None or not name.strip():
            warn_once(
                f"level:{pair}", f"CLEW_LOG_LEVELS: {pair.strip()!r} is no LOGGER=LEVEL, left out"
            )
        else:
            logging.getLogger(name.strip()).setLevel(level)


def warn_of_dropped(level: int) -> None:
    """One warning if Lambda drops lines of ``level`` before they reach CloudWatch.

    With its JSON log format it reads the ``level`` of what a function writes to stdout, and drops
    what is below the function's application log level (Lambda guide, "Log-level filtering").
    """
    if os.environ.get("AWS_LAMBDA_LOG_FORMAT") != "JSON":
        return
    lowest = level_named(os.environ.get("AWS_LAMBDA_LOG_LEVEL", ""))
    if lowest is not None and lowest > level:
        what = "invocation lines, of which stories are made," if level >= logging.INFO else "lines"
        warn_once(
            f"dropped:{level}",
            f"Lambda drops {logging.getLevelName(level)} {what} of this function: set its "
            "application log level to DEBUG, and CLEW_LOG_LEVEL to what you want to be written",
        )

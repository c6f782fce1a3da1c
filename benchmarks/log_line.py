"""One log line with five correlation fields and two of the caller's."""

from __future__ import annotations

import logging
from typing import Any

import structlog
from aws_lambda_powertools import Logger

import clew
from benchmarks.lines import IDS, keep_apart, to_nowhere
from benchmarks.measure import Result, compare, result
from clew.invocation import Invocation
from clew.log.logger import install


def run() -> list[Result]:
    """INFO lines, and a DEBUG line that is off, also where an invocation holds it."""
    with to_nowhere() as nowhere:
        root = logging.getLogger()
        before = root.handlers[:]
        root.handlers[:] = []
        install()
        ours = clew.get_logger("benchmark")
        powertools = Logger(service="timeline", stream=nowhere, level="INFO")
        powertools.append_keys(**{name.replace("-", "_"): value for name, value in IDS.items()})
        keep_apart("timeline")
        quick = _structlog(nowhere)
        correlation = clew.Correlation(IDS)
        extra = {"post": 42, "follower": "arya"}

        def clew_line() -> None:
            ours.info("delivered to a timeline", extra=extra)

        def powertools_line() -> None:
            powertools.info("delivered to a timeline", extra=extra)

        def structlog_line() -> None:
            quick.info("delivered to a timeline", post=42, follower="arya")

        def clew_debug() -> None:
            ours.debug("delivered", extra=extra)

        def powertools_debug() -> None:
            powertools.debug("delivered", extra=extra)

        def held() -> Result:
            inside = clew.Correlation(IDS, invocation=Invocation("unknown", None, None))
            with clew.use(inside):
                return result(
                    "one DEBUG line that is off and held for a failure (theirs: not held)",
                    compare(clew_debug, powertools_debug, times=20000),
                    peer="aws-lambda-powertools",
                    target=1.0,
                )

        try:
            with clew.use(correlation):
                return [
                    result(
                        "one INFO line, 5 correlation fields and 2 extras",
                        compare(clew_line, powertools_line, times=3000),
                        peer="aws-lambda-powertools",
                        target=0.30,
                    ),
                    result(
                        "the same against structlog writing with orjson",
                        compare(clew_line, structlog_line, times=5000),
                        peer="structlog",
                        target=1.0,
                    ),
                    result(
                        "one DEBUG line that is off",
                        compare(clew_debug, powertools_debug, times=20000),
                        peer="aws-lambda-powertools",
                        target=0.25,
                    ),
                    held(),
                ]
        finally:
            root.handlers[:] = before


def _structlog(stream: Any) -> Any:
    import orjson

    structlog.configure(
        cache_logger_on_first_use=True,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(
                serializer=lambda event, **kwargs: orjson.dumps(event).decode()
            ),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=stream),
    )
    structlog.contextvars.bind_contextvars(
        **{name.replace("-", "_"): value for name, value in IDS.items()}
    )
    return structlog.get_logger()

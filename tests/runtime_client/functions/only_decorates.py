"""A function that only decorates: clew's loggers are never asked for."""

import logging

import clew

library = logging.getLogger("some.library")


@clew.handler
def handler(event: dict[str, object], context: object) -> object:
    """Log as a library would, and give back the event."""
    library.warning("from a library", extra={"own": 1})
    library.info("not written: the root logger is at WARNING")
    return event

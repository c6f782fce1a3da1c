"""A function whose import fails after clew's log handler was put in place."""

import clew

log = clew.get_logger(__name__)
log.info("so far so good")
raise KeyError("a")

"""The one root of every error that clew raises."""


class ClewError(Exception):
    """What went wrong, where, and what to do next, in one sentence."""


class LoopDetected(ClewError):  # noqa: N818  (what a reader of the log looks for)
    """A call chain is longer than ``CLEW_MAX_CHAIN`` allows: it goes round in a circle.

    The only error of clew's own that a handler raises while it serves an event.
    """

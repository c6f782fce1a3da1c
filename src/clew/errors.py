"""The one root of every error that clew raises."""


class ClewError(Exception):
    """What went wrong, where, and what to do next, in one sentence."""

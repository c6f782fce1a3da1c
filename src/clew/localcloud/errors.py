"""What the local cloud raises."""

from __future__ import annotations

from clew.errors import ClewError


class LocalCloudError(ClewError):
    """The local cloud could not do what was asked.

    The message is one sentence: what was wrong, where (the file, the resource's logical id or
    the emulator's log), and what to do next.
    """


class CloudEndedError(LocalCloudError):
    """Somebody ended the local cloud, and meant to."""

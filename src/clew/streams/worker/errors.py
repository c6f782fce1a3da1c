"""What the worker raises."""

from __future__ import annotations

from clew.errors import ClewError


class WorkerError(ClewError):
    """The worker could not start or go on: what was wrong, where, and what to do next."""


class SettingsError(WorkerError):
    """A setting of an event source mapping is out of its range, or means nothing."""


class LeaseLostError(WorkerError):
    """Somebody else holds the shard now; nothing more may be done for it here."""


class LeaseStoreError(WorkerError):
    """The lease store did not do what was asked; it may be tried again."""

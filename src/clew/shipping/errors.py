"""What goes wrong while logs are shipped."""

from __future__ import annotations

from clew.errors import ClewError


class ShippingError(ClewError):
    """Logs cannot be shipped as they should; the message says what to do."""


class UnreadableError(ShippingError):
    """What was delivered is nothing that CloudWatch Logs sends; to try again does not help."""

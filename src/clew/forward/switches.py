"""Which carriers are on."""

from __future__ import annotations

import os


def is_on(carrier: str) -> bool:
    """Whether ``carrier`` (``"sns"``, ``"requests"``, …) may forward, by ``CLEW_FORWARD``.

    The variable holds names with ``-`` before them, separated by commas; ``off`` is all of them.
    """
    wanted = os.environ.get("CLEW_FORWARD", "").lower().replace(" ", "").split(",")
    return "off" not in wanted and f"-{carrier}" not in wanted

"""Which version an alias sends an invocation to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def choose_version(weights: Mapping[str, float], dice: float) -> str | None:
    """The additional version that gets this invocation, or None for the alias's own.

    Args:
        weights: ``AdditionalVersionWeights``: version -> its share, from 0 to 1.
        dice: From 0 (included) to 1 (excluded), evenly spread over invocations.
    """
    for version, weight in weights.items():
        if dice < weight:
            return version
        dice -= weight
    return None

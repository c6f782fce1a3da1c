"""Series of numbers as one line of text. Pure."""

from __future__ import annotations

from typing import Any

_BARS = " ▁▂▃▄▅▆▇█"


def spark(values: Any, top: float) -> str:
    """One character for each value, as high as it is of ``top``; what is above it is full."""
    return "".join(_bar(float(value), top) for value in values)


def _bar(value: float, top: float) -> str:
    if value <= 0 or top <= 0:
        return _BARS[0]
    # Something is never shown as nothing.
    return _BARS[min(max(1, round(value / top * (len(_BARS) - 1))), len(_BARS) - 1)]

"""Lengths of time as people write them: ``"5s"``, ``"500ms"``, a `timedelta`, or seconds."""

from __future__ import annotations

from clew.errors import ClewError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import timedelta

    #: ``"500ms"``, ``"5s"``, ``"2m"``, ``"1h"``, ``"7d"``; a number is seconds.
    Duration = str | int | float | timedelta

#: A thousand years: what is longer is a slip, and a table could not hold its end.
_MOST_S = 86_400.0 * 365_250
_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(value: Duration, name: str, *, zero: bool = False) -> float:
    """``value`` in seconds. ``name`` is what the caller calls it; ``zero`` says that 0 is one.

    Raises `ClewError` for what is no length of time, or none that can be.
    """
    found = _seconds(value)
    if found is None:
        message = (
            f'{name} has to be a length of time like "500ms", "5s", "2m" or "1h", '
            f"a timedelta, or a number of seconds, not {value!r}."
        )
        raise ClewError(message)
    possible = found >= 0 if zero else found > 0
    if not possible:
        message = f"{name} has to be {'at least' if zero else 'more than'} 0, not {value!r}."
        raise ClewError(message)
    if found > _MOST_S:
        message = f"{name} has to be a thousand years at most, not {str(value)[:40]}."
        raise ClewError(message)
    return found


def _seconds(value: object) -> float | None:
    """None for what is no length of time."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:  # of an int that no float can hold
            return float("inf")
    if isinstance(value, str):
        number = value.strip().rstrip("abcdefghijklmnopqrstuvwxyz")
        unit = value.strip()[len(number) :]
        try:
            return float(number) * _UNITS_S[unit or "s"]
        except (KeyError, ValueError):
            return None
    total = getattr(value, "total_seconds", None)
    return float(total()) if callable(total) else None


def written(value_s: float) -> str:
    """Seconds as `seconds` reads them, in the largest unit that needs no fraction."""
    for unit in ("d", "h", "m", "s"):
        count = value_s / _UNITS_S[unit]
        if count >= 1 and count == int(count):
            return f"{int(count)}{unit}"
    milliseconds = value_s * 1000
    return f"{milliseconds:g}ms" if milliseconds < 1000 else f"{value_s:g}s"

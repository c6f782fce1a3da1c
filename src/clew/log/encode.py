"""Values to JSON text that is always valid, always ASCII, and never raises.

ASCII on purpose: escapes, line breaks, C1 controls and bidi marks in logged text can then do
nothing to the terminal or the log viewer that shows the line.
"""

from __future__ import annotations

import json
from json.encoder import encode_basestring_ascii as quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_DEPTH = 16
MAX_ITEMS = 1000
MAX_TEXT = 100_000
#: Of one value, so many members are shown: one that contains itself several times has no end.
MAX_NODES = 50_000

__all__ = ["encode", "quote"]


def as_text(value: object) -> str:
    """``value`` as text, whatever its ``__str__`` does."""
    try:
        if isinstance(value, bytes | bytearray):
            return bytes(value).decode("utf-8", "backslashreplace")
        isoformat = getattr(value, "isoformat", None)
        return str(isoformat()) if callable(isoformat) else str(value)
    except Exception as error:  # noqa: BLE001  (a value's own code may raise anything)
        return f"<{type(value).__name__}: its text raised {type(error).__name__}>"


_fast = json.JSONEncoder(
    ensure_ascii=True, allow_nan=False, separators=(",", ":"), default=as_text
).encode


def encode(value: Any) -> str:
    """``value`` as JSON. What JSON cannot hold becomes text; what is too deep or long is cut."""
    try:
        return _fast(value)
    except Exception:  # noqa: BLE001  (cycles, NaN, odd keys, depth: the slow way knows them all)
        return _fast(_plain(value, MAX_DEPTH, [MAX_NODES]))


def _plain(value: Any, depth: int, left: list[int]) -> Any:  # noqa: PLR0911  (one per kind of value)
    """A copy of ``value`` that JSON can hold; ``left`` counts the members down."""
    left[0] -= 1
    if value is None or isinstance(value, bool | int):
        return value if not isinstance(value, int) or abs(value) < 10**1000 else "<huge number>"
    if isinstance(value, str):
        return value[:MAX_TEXT]
    if isinstance(value, float):
        return value if value - value == 0 else str(value)  # NaN and infinity as text
    if depth == 0 or left[0] < 0:
        return f"<{type(value).__name__}: too {'long' if depth else 'deep'}>"
    try:
        if isinstance(value, dict):
            items = list(value.items())[:MAX_ITEMS]
            return {as_text(key): _plain(inner, depth - 1, left) for key, inner in items}
        if isinstance(value, list | tuple | set | frozenset):
            return [_plain(inner, depth - 1, left) for inner in list(value)[:MAX_ITEMS]]
    except Exception:  # noqa: BLE001  (a container that changes meanwhile, or raises)
        return f"<{type(value).__name__}>"
    return as_text(value)[:MAX_TEXT]

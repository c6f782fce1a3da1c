"""DynamoDB's typed values as plain ones (DynamoDB API reference, "AttributeValue")."""

from __future__ import annotations

from binascii import a2b_base64
from decimal import Decimal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: DynamoDB nests documents 32 levels deep ("Limits in DynamoDB"); what is deeper stays typed.
MAX_DEPTH = 32


def plain(typed: Any, depth: int = MAX_DEPTH) -> Any:
    """The plain value of ``typed``, as boto3's table resource gives it; itself if it has none.

    Numbers become `decimal.Decimal`, binary bytes, sets sets.
    """
    if not isinstance(typed, dict) or len(typed) != 1:
        return typed
    [(kind, value)] = typed.items()
    try:
        if kind == "M" and depth:
            return {name: plain(inner, depth - 1) for name, inner in value.items()}
        if kind == "L" and depth:
            return [plain(inner, depth - 1) for inner in value]
        return _KINDS[kind](value) if kind in _KINDS else typed
    except (ArithmeticError, AttributeError, TypeError, ValueError):
        return typed


def _binary(encoded: str) -> bytes:
    return a2b_base64(encoded, strict_mode=True)


_KINDS: dict[str, Callable[[Any], Any]] = {
    "S": str,
    "N": Decimal,
    "B": _binary,
    "BOOL": bool,
    "NULL": lambda _: None,
    "SS": set,
    "NS": lambda values: {Decimal(value) for value in values},
    "BS": lambda values: {_binary(value) for value in values},
}

"""Mask what must not be logged, by the names of fields."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MASK = "***"
#: Compared without regard to case, hyphens and underscores.
SECRETS = frozenset(
    [
        "authorization",
        "proxyauthorization",
        "cookie",
        "cookies",
        "setcookie",
        "password",
        "passwd",
        "pwd",
        "secret",
        "clientsecret",
        "token",
        "accesstoken",
        "refreshtoken",
        "idtoken",
        "sessiontoken",
        "apikey",
        "xapikey",
        "xamzsecuritytoken",
        "awssecretaccesskey",
        "awssessiontoken",
        "privatekey",
        "credentials",
        "cardnumber",
        "cvv",
        "ssn",
    ]
)
_MAX_DEPTH = 16
#: Of one value, so many members are looked at: one that contains itself several times has no end.
_MAX_NODES = 50_000


def _normal(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def names() -> frozenset[str]:
    """The names to mask: the built-in ones and those in ``CLEW_REDACT`` (comma-separated)."""
    own = os.environ.get("CLEW_REDACT", "")
    return SECRETS | {_normal(name.strip()) for name in own.split(",") if name.strip()}


_NAMES = names()


def is_secret(name: object) -> bool:
    """Whether a field of this name is masked."""
    return isinstance(name, str) and _normal(name) in _NAMES


def redact(value: Any, *, texts: bool = False) -> Any:
    """A copy of ``value`` with secret fields masked at every level.

    With ``texts``, also those inside texts: in JSON, plain or in base64, and in ``name=value``
    pairs. What is deeper than 16 levels, or past the first 50,000 members, is masked whole, since
    it cannot be vouched for. Never raises.
    """
    try:
        return masked(value, _MAX_DEPTH, [_MAX_NODES], texts=texts)
    except Exception:  # noqa: BLE001  (a container that changes meanwhile, or raises)
        return f"<{type(value).__name__}: cannot be read>"


def masked(value: Any, depth: int, left: list[int], *, texts: bool) -> Any:
    """`redact`, ``depth`` levels deep; ``left`` counts the members down."""
    if isinstance(value, dict):
        left[0] -= len(value)
        if depth == 0 or left[0] < 0:
            return MASK
        return {
            name: MASK if is_secret(name) else masked(inner, depth - 1, left, texts=texts)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        left[0] -= len(value)
        if depth == 0 or left[0] < 0:
            return MASK
        return [masked(inner, depth - 1, left, texts=texts) for inner in value]
    if texts and isinstance(value, str):
        from clew.log.redact_texts import masked_text

        return masked_text(value, depth, left)
    return value

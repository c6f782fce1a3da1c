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


def redact(value: Any, depth: int = _MAX_DEPTH) -> Any:
    """A copy of ``value`` with secret fields masked at every level.

    What is deeper than 16 levels is masked whole, since it cannot be vouched for.
    """
    if isinstance(value, dict):
        if depth == 0:
            return MASK
        return {
            name: MASK if is_secret(name) else redact(inner, depth - 1)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return MASK if depth == 0 else [redact(inner, depth - 1) for inner in value]
    return value

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
        "identitysource",
        "cardnumber",
        "cvv",
        "ssn",
        "clewsecret",
        "debuglogsignature",
    ]
)
#: What the names of secrets end with, whatever stands before: ``db_password``, ``X-Auth-Token``.
SECRET_ENDS = (
    "password",
    "passwd",
    "secret",
    "secretkey",
    "secretaccesskey",
    "apikey",
    "token",
    "credentials",
    "privatekey",
)
#: Tokens that open nothing: where a list goes on, and which request is the same one.
HARMLESS = frozenset(
    [
        "nexttoken",
        "pagetoken",
        "nextpagetoken",
        "paginationtoken",
        "continuationtoken",
        "nextcontinuationtoken",
        "idempotencytoken",
        "clientrequesttoken",
    ]
)
_MAX_DEPTH = 16
#: Of one value, so many members are looked at: one that contains itself several times has no end.
_MAX_NODES = 50_000
#: Of all texts in one value, so many characters are searched. A search costs far more than a copy.
_MAX_SEARCHED = 65_536


def _normal(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


class Names:
    """The names that are masked: whole ones, and patterns with ``*`` for any characters."""

    __slots__ = ("_ends", "_patterns", "_whole")

    def __init__(self, own: str) -> None:
        wanted = {_normal(name.strip()) for name in own.split(",") if name.strip(" *")}
        patterns = [name for name in wanted if "*" in name]
        self._whole = SECRETS | wanted.difference(patterns)
        self._ends = SECRET_ENDS
        self._patterns = [name.split("*") for name in patterns]

    def have(self, name: str) -> bool:
        """Whether ``name`` is masked."""
        plain = _normal(name)
        return (
            plain in self._whole
            or (plain.endswith(self._ends) and plain not in HARMLESS)
            or any(_fits(plain, parts) for parts in self._patterns)
        )


def _fits(name: str, parts: list[str]) -> bool:
    """Whether ``name`` is what a pattern says, of which ``parts`` are the texts between stars."""
    first, *middle, last = parts
    at, end = len(first), len(name) - len(last)
    if not name.startswith(first) or not name.endswith(last):
        return False
    for part in middle:
        found = name.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return at <= end


def names() -> Names:
    """The names to mask: the built-in ones and those in ``CLEW_REDACT`` (comma-separated)."""
    return Names(os.environ.get("CLEW_REDACT", ""))


_NAMES = names()


def is_secret(name: object) -> bool:
    """Whether a field of this name is masked."""
    return isinstance(name, str) and _NAMES.have(name)


def redact(value: Any, *, texts: bool = False) -> Any:
    """A copy of ``value`` with secret fields masked at every level.

    With ``texts``, also those inside texts: in JSON and in ``name=value`` pairs, plain or in
    base64; a text is then cut (it ends with ``…``) after 16 kB, and all together after 64 kB. What
    is deeper than 16 levels, or past the first 50,000 members, is masked whole, since it cannot be
    vouched for. Never raises.
    """
    try:
        return masked(value, _MAX_DEPTH, [_MAX_NODES, _MAX_SEARCHED], texts=texts)
    except Exception:  # noqa: BLE001  (a container that changes meanwhile, or raises)
        return f"<{type(value).__name__}: cannot be read>"


def masked(value: Any, depth: int, left: list[int], *, texts: bool) -> Any:
    """`redact`, ``depth`` levels deep; ``left`` counts members, and characters of texts, down."""
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

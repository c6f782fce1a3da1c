"""Mask what must not be logged, by the names of fields."""

from __future__ import annotations

import json
import os
import re
from binascii import a2b_base64, b2a_base64

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
_PAIR = re.compile(r"(?<![\w.-])([\w.-]{1,64})(=)[^&;\s]*")
_JSON_PAIR = re.compile(r'"([^"]+)"(\s*:\s*)(?:"(?:[^"\\]|\\.)*"?|[^",}\]\s]+)')
_BASE64 = re.compile(r"[A-Za-z0-9+/]{4,}={0,2}").fullmatch


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
        return _masked(value, _MAX_DEPTH, [_MAX_NODES], texts=texts)
    except Exception:  # noqa: BLE001  (a container that changes meanwhile, or raises)
        return f"<{type(value).__name__}: cannot be read>"


def _masked(value: Any, depth: int, left: list[int], *, texts: bool) -> Any:
    if isinstance(value, dict):
        left[0] -= len(value)
        if depth == 0 or left[0] < 0:
            return MASK
        return {
            name: MASK if is_secret(name) else _masked(inner, depth - 1, left, texts=texts)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        left[0] -= len(value)
        if depth == 0 or left[0] < 0:
            return MASK
        return [_masked(inner, depth - 1, left, texts=texts) for inner in value]
    if texts and isinstance(value, str):
        return _masked_text(value, depth, left)
    return value


def _masked_text(text: str, depth: int, left: list[int]) -> str:
    if text[:1] in ("{", "["):
        return _masked_json(text, depth, left)
    if _BASE64(text):
        try:
            inside = a2b_base64(text).decode("utf-8")
        except ValueError:
            return text
        if inside[:1] not in ("{", "["):
            return text
        safe = _masked_json(inside, depth, left)
        return text if safe == inside else b2a_base64(safe.encode(), newline=False).decode()
    return _PAIR.sub(_masked_pair, text)


def _masked_pair(pair: re.Match[str]) -> str:
    if not is_secret(pair[1]):
        return pair[0]
    return f"{pair[1]}={MASK}" if pair[2] == "=" else f'"{pair[1]}"{pair[2]}"{MASK}"'


def _masked_json(text: str, depth: int, left: list[int]) -> str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return _JSON_PAIR.sub(_masked_pair, text)  # begins as JSON, and is none
    if depth == 0:
        return MASK
    safe = _masked(value, depth - 1, left, texts=True)
    return text if safe == value else json.dumps(safe)

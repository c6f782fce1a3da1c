"""Mask secrets inside texts: JSON, plain or in base64, and ``name=value`` pairs.

A module of its own, since its expressions cost a cold start and only a failure needs them.
"""

from __future__ import annotations

import json
import re
from binascii import a2b_base64, b2a_base64

from clew.log.redact import MASK, is_secret, masked

_PAIR = re.compile(r"(?<![\w.-])([\w.-]{1,64})(=)[^&;\s]*")
_JSON_PAIR = re.compile(r'"([^"]+)"(\s*:\s*)(?:"(?:[^"\\]|\\.)*"?|[^",}\]\s]+)')
_BASE64 = re.compile(r"[A-Za-z0-9+/]{4,}={0,2}").fullmatch


def masked_text(text: str, depth: int, left: list[int]) -> str:
    """``text`` with the secrets in it masked; ``depth`` and ``left`` as in `masked`."""
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
    safe = masked(value, depth - 1, left, texts=True)
    return text if safe == value else json.dumps(safe)

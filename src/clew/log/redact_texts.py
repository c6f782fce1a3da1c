"""Mask secrets inside texts: JSON and ``name=value`` pairs, plain or in base64.

A module of its own, since its expressions cost a cold start and only a failure needs them.
"""

from __future__ import annotations

import json
import re
from binascii import a2b_base64, b2a_base64

from clew.log.redact import MASK, is_secret, masked

#: A longer text is cut, unless it is JSON of up to `MAX_WHOLE`: half of that says less than all.
#: A multiple of four, as base64 comes in fours.
MAX_TEXT = 16_384
#: JSON up to so long is read whole.
MAX_WHOLE = 65_536
#: What stands where a text was cut.
CUT = "…"

_PAIR = re.compile(r"(?<![\w.%\[\]-])([\w.%\[\]-]{1,64})(=)[^&;\s]*")
_JSON_PAIR = re.compile(r'"([^"]+)"(\s*:\s*)(?:"(?:[^"\\]|\\.)*"?|[^",}\]\s]+)')
_JSON_OPEN = re.compile(r'"([^"]+)"\s*:\s*[{\[]')
_BASE64 = re.compile(r"[A-Za-z0-9+/]{4,}={0,2}").fullmatch
#: The value of an ``Authorization`` header, whatever the field is named that it stands in.
_AUTHORIZATION = re.compile(r"\s*(bearer|basic)\s+\S+\s*", re.IGNORECASE).fullmatch
#: How a form names a member of a member: ``user[password]``, as it is or escaped.
_MEMBERS = re.compile(r"[.\[\]]|%5B|%5D", re.IGNORECASE)
#: What may stand before JSON: white space, and the mark of byte order.
_BLANK = " \t\r\n\ufeff"


def masked_text(text: str, depth: int, left: list[int]) -> str:
    """``text`` with the secrets in it masked; ``depth`` and ``left`` as in `masked`."""
    if left[1] <= 0:
        return CUT if text else text
    whole = len(text) <= MAX_WHOLE
    shown = text if whole else text[:MAX_TEXT]
    if _BASE64(shown):
        safe = _masked_base64(shown, depth, left)
    else:
        safe = _masked_plain(shown, depth, left)
    return safe if whole or safe.endswith(CUT) else safe + CUT


def _masked_base64(text: str, depth: int, left: list[int]) -> str:
    try:
        inside = a2b_base64(text).decode("utf-8", "surrogateescape")
    except ValueError:
        return _cut(text, left)
    safe = _masked_plain(inside, depth, left)
    if safe == inside:
        return _cut(text, left)
    return b2a_base64(safe.encode("utf-8", "surrogateescape"), newline=False).decode()


def _masked_plain(text: str, depth: int, left: list[int]) -> str:
    start = text.lstrip(_BLANK)
    if start[:1] in ("{", "["):
        return _masked_json(text, start, depth, left)
    found = _AUTHORIZATION(text[:MAX_TEXT])
    if found is not None:
        return f"{found[1]} {MASK}"
    return _PAIR.sub(_masked_pair, _cut(text, left))


def _cut(text: str, left: list[int]) -> str:
    """``text`` as far as there is room for it."""
    room = min(MAX_TEXT, left[1])
    left[1] -= min(len(text), room)
    return text if len(text) <= room else text[:room] + CUT


def _masked_pair(pair: re.Match[str]) -> str:
    if not is_secret(pair[1]) and not any(map(is_secret, _MEMBERS.split(pair[1]))):
        return pair[0]
    return f"{pair[1]}={MASK}" if pair[2] == "=" else f'"{pair[1]}"{pair[2]}"{MASK}"'


def _masked_json(text: str, start: str, depth: int, left: list[int]) -> str:
    """``text`` masked, of which ``start`` is what follows the blanks at its beginning."""
    try:
        value = json.loads(start)
    except (ValueError, RecursionError):
        return _masked_broken_json(_cut(text, left))
    if depth == 0:
        return MASK
    safe = masked(value, depth - 1, left, texts=True)
    return text if safe == value else json.dumps(safe)


def _masked_broken_json(text: str) -> str:
    """What begins as JSON, and is none or was cut: where a secret has members, all that follows."""
    for one in _JSON_OPEN.finditer(text):
        if is_secret(one[1]):
            text = f'{text[: one.start()]}"{one[1]}": "{MASK}"'
            break
    return _JSON_PAIR.sub(_masked_pair, text)

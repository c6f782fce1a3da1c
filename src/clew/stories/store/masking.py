"""Secrets are masked before a line is stored, by the names that the log room masks. Pure."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

from clew.log.redact import MASK, is_secret, redact
from clew.log.redact_texts import MAX_TEXT, masked_text

_DEPTH = 16
_MAX_NODES = 50_000

_PAIR = re.compile(r'(?<![\w.-])("?)([\w.-]{1,64})\1(\s*:\s*|=)("(?:[^"\\]|\\.)*"?|[^",&;}\]\s]+)')
_OPEN = re.compile(r'"([\w.-]{1,64})"\s*:\s*[{\[]')

_named_secret = lru_cache(4_096)(is_secret)


def masked_json(message: str) -> tuple[str, Any]:
    """A message that is JSON, masked, and what it holds; unchanged if there was nothing to mask.

    What is more than 16 levels deep is masked whole, and of a name that stands twice in an object
    the last is kept.

    Raises:
        ValueError: It is none.
        RecursionError: It is nested beyond reason.
    """
    doubtful: list[object] = []

    def found(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs) or any(map(_named_secret, value)):
            doubtful.append(value)
        return value

    value = json.loads(message, object_pairs_hook=found)
    safe = redact(value)
    if doubtful or safe != value:
        return json.dumps(safe), safe
    return message, value


def masked_words(text: str) -> str:
    """A message that is no JSON object, masked: JSON that was cut, and ``name=value`` pairs."""
    first = text.lstrip()[:1]
    if "=" not in text and first not in ("{", "[", "") and " " in text and first not in "bB":
        return text
    if len(text) <= MAX_TEXT:
        return masked_text(text, _DEPTH, [_MAX_NODES, 4 * MAX_TEXT])
    for opened in _OPEN.finditer(text):
        if _named_secret(opened[1]):  # who knows where it ends
            text = f'{text[: opened.start()]}"{opened[1]}": "{MASK}"'
            break
    return _PAIR.sub(_masked_pair, text)


def _masked_pair(pair: re.Match[str]) -> str:
    if not _named_secret(pair[2]):
        return pair[0]
    return (
        f'{pair[1]}{pair[2]}{pair[1]}{pair[3]}"{MASK}"' if pair[1] else f"{pair[2]}{pair[3]}{MASK}"
    )

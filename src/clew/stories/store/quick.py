"""The facts of a line that clew wrote: those of `facts_of`, for less. Pure; never raises.

Such a line is three objects whose members stand one after the other: what it says of itself (time,
level, message, logger), what it has in common with others of its invocation (request, function,
ids, trace), and the rest. The texts of the first two come again, and are read once; the rest is
read in each line. As each is JSON, so is the line. At the slightest doubt there is no answer, and
`facts_of` has to look.
"""

from __future__ import annotations

from typing import Any

from clew import wire
from clew.stories.store.facts import (
    ALL_LEVELS,
    DEPTH,
    INVOCATION,
    LINE,
    MAX_IDS,
    MAX_LINE,
    MAX_WORDS,
    NotPlainError,
    Shape,
    gather,
    loads,
    others_of,
    shape_of,
)

_BEGINS = '{"timestamp":"'
_AT = len(_BEGINS)
_AFTER = _AT + len("2026-01-01T00:00:00.000Z")
_MAX_HEADS = 4_096
_MAX_HEAD = 512
_HEAD = ["timestamp", "level", "message", "logger"]
_MESSAGES = ("received", "sent")

#: What lines said of themselves after their time: the message, the level, the kind.
_heads: dict[str, tuple[str, int, int]] = {}


def quick(message: str) -> tuple[str, int, int, tuple[str, ...], str] | None:
    """A line's text in common with others, see `common_of`, and its kind, level, others, words.

    None if it is not surely a line of clew's that has nothing to mask.
    """
    common_at = message.find('"requestId":"', _AFTER)
    rest_at = message.find('"spanId":"', common_at)
    if common_at < 0 or rest_at < 0 or message[:_AT] != _BEGINS or "\\" in message:
        return None
    time = message[_AT:_AFTER]
    head = message[_AFTER:common_at]
    said = _heads.get(head) or _head(head)
    if said is None or '"' in time or "{" in time or not time.isprintable():
        return None
    text, level, kind = said
    common, rest = message[common_at:rest_at], "{" + message[rest_at:]
    words = [text]
    try:
        found = loads(rest)
        if kind == INVOCATION:
            count, others = _of_invocation(found, words)
        else:
            count, others = _of_line(found, words), ()
    except (NotPlainError, ValueError, TypeError, AttributeError, RecursionError):
        return None
    if rest.count("{") != count or len(others) == MAX_IDS or len(message) > MAX_LINE:
        return None
    if others:
        if common.count(f'"{wire.ID}":') > 1:
            return None
        others = tuple([one for one in others if f'"{wire.ID}":"{one}"' not in common])
    return common, kind, level, others, " ".join(words)[:MAX_WORDS]


def _of_line(found: dict[str, Any], words: list[str]) -> int:
    shape = _plain_shape(found)
    count = 1
    if shape.own:
        words.append(shape.own_names)
    for name in shape.own:
        value = found[name]
        if type(value) is str:
            words.append(value)
        else:
            count += gather(value, words, DEPTH, plain=True, of_clew=False)
    return count


def _of_invocation(found: dict[str, Any], words: list[str]) -> tuple[int, tuple[str, ...]]:
    count = 1
    ids: dict[str, None] = {}
    for name in _plain_shape(found).own_said:
        value = found[name]
        if type(value) is str:
            words.append(value)
        elif name in _MESSAGES:
            for entry in value:
                shape = shape_of(entry)
                if not shape.safe:
                    raise NotPlainError
                count += 1
                if shape.said:
                    words.append(" ".join(shape.said_of(entry)))
                one = entry.get("id")
                if type(one) is str:
                    ids[one] = None
        else:
            count += gather(value, words, DEPTH, plain=True, of_clew=True)
    if len(ids) > 1 or "done" in found:
        return count, others_of(found, None)
    return count, tuple(ids)


def _plain_shape(found: dict[str, Any]) -> Shape:
    shape = shape_of(found)
    if not shape.safe or not shape.rest:
        raise NotPlainError
    return shape


def _head(text: str) -> tuple[str, int, int] | None:
    try:
        found = loads(f"{_BEGINS}{text.removesuffix(',')}}}")
    except (ValueError, RecursionError):
        return None
    if text[-1:] != "," or "{" in text or list(found) != _HEAD:
        return None
    said = found["message"]
    if not all(type(value) is str for value in found.values()):
        return None
    kind = INVOCATION if said == "invocation" and found["logger"] == "clew" else LINE
    head = said, ALL_LEVELS.get(found["level"], 0), kind
    if len(text) <= _MAX_HEAD:
        if len(_heads) >= _MAX_HEADS:
            _heads.clear()
        _heads[text] = head
    return head


def common_of(text: str) -> tuple[tuple[str, ...], tuple[Any, ...]] | None:
    """What lines of one invocation have in common, as `Facts.origin`; None in doubt."""
    try:
        found = loads("{" + text[:-1] + "}")
        shape = shape_of(found)
        values = shape.origin_of(found)
        "".join(values)  # a TypeError, if one is no text
    except (ValueError, TypeError, RecursionError):
        return None
    if not shape.safe or not shape.common or "{" in text or text[-1] != ",":
        return None
    return shape.origin, values

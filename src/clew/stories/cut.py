"""What can be read of a JSON object whose end is missing. Pure.

CloudWatch Logs cuts an event of more than 256 kB ("CloudWatch Logs quotas"), and not every line is
clew's, which keeps its own below that.
"""

from __future__ import annotations

import json
from typing import Any

_DECODE = json.JSONDecoder().raw_decode
_SPACE = " \t\r\n"


def members_of(text: str, depth: int = 3) -> dict[str, Any]:
    """The members at the beginning of ``text`` that are whole.

    Of a list that was cut, the items that are whole; of an object, again its members.
    """
    members: dict[str, Any] = {}
    place = _after(text, _past_space(text, 0), "{")
    while place >= 0:
        name, place = _value(text, _past_space(text, place))
        place = _after(text, _past_space(text, place), ":") if place >= 0 else -1
        if place < 0 or not isinstance(name, str):
            return members
        place = _past_space(text, place)
        value, end = _value(text, place)
        if end < 0:
            if text[place : place + 1] == "[":
                members[name] = _items_of(text, place + 1)
            elif text[place : place + 1] == "{" and depth:
                members[name] = members_of(text[place:], depth - 1)
            return members
        members[name] = value
        place = _after(text, _past_space(text, end), ",")
    return members


def _items_of(text: str, place: int) -> list[Any]:
    items = []
    while place >= 0:
        item, end = _value(text, _past_space(text, place))
        if end < 0:
            break
        items.append(item)
        place = _after(text, _past_space(text, end), ",")
    return items


def _value(text: str, place: int) -> tuple[Any, int]:
    try:
        return _DECODE(text, place)
    except (ValueError, RecursionError, IndexError):
        return None, -1


def _after(text: str, place: int, mark: str) -> int:
    return place + 1 if text[place : place + 1] == mark else -1


def _past_space(text: str, place: int) -> int:
    while text[place : place + 1] and text[place] in _SPACE:
        place += 1
    return place

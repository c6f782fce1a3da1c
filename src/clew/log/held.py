"""What the flight recorder keeps of a log call: values as they were then, large ones in part.

DEBUG that is off costs every call, and what is held stays in memory until the invocation ends.
"""

from __future__ import annotations

import sys
from itertools import islice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Of one text, so many characters are kept; of one log call, so many together.
MAX_TEXT = 4_096
MAX_TEXTS = 16_384
#: Of the containers in one log call, so many members are copied, and so many levels.
MAX_MEMBERS = 100
MAX_DEPTH = 6

_ATOMS = frozenset((int, float, bool, type(None)))
_SHORT = 256


def kept_message(text: object) -> object:
    """The message of a log call, which is mostly a short text."""
    if type(text) is str and len(text) <= MAX_TEXT:
        return text
    return _kept(text, MAX_DEPTH, [MAX_MEMBERS, MAX_TEXTS])


def kept_arguments(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments of a log call."""
    for value in arguments:
        kind = type(value)
        if len(value) > _SHORT if kind is str else kind not in _ATOMS:
            left = [MAX_MEMBERS, MAX_TEXTS]
            return tuple([_kept(one, MAX_DEPTH, left) for one in arguments])
    return arguments


def kept_fields(extra: Any) -> Any:
    """The caller's own fields of a log call, of whatever type they are."""
    if type(extra) is dict and len(extra) <= MAX_MEMBERS:
        fields = extra.copy()
        for value in fields.values():
            kind = type(value)
            if len(value) > _SHORT if kind is str else kind not in _ATOMS:
                break
        else:
            return fields
    return _kept(extra, MAX_DEPTH, [MAX_MEMBERS, MAX_TEXTS])


def _kept(value: Any, depth: int, left: list[int]) -> Any:  # noqa: PLR0911  (one per kind of value)
    """A copy of ``value``; ``left`` counts members, and characters of texts, down. Never raises."""
    try:
        kind = type(value)
        if kind in _ATOMS:
            return value
        if isinstance(value, str):
            return _text(value, left)
        if isinstance(value, bytes | bytearray | memoryview):
            return _bytes(value, left)
        if isinstance(value, dict):
            return _dict(value, depth, left)
        if isinstance(value, list | tuple | set | frozenset):
            return _members(value, depth, left)
        size = sys.getsizeof(value)
    except Exception:  # noqa: BLE001  (a container that changes meanwhile, or raises)
        return f"<{type(value).__name__}: cannot be read>"
    return value if size <= MAX_TEXT else f"<{kind.__name__}: {size} bytes>"


def _text(value: str, left: list[int]) -> str:
    room = min(MAX_TEXT, left[1])
    left[1] -= min(len(value), room)
    return value if len(value) <= room else f"{value[:room]}… ({len(value)} characters)"


def _bytes(value: bytes | bytearray | memoryview, left: list[int]) -> bytes | str:
    room = min(MAX_TEXT, left[1])
    left[1] -= min(len(value), room)
    if len(value) <= room:
        return bytes(value)
    return f"{bytes(value[:room]).decode('utf-8', 'backslashreplace')}… ({len(value)} bytes)"


def _dict(value: dict[Any, Any], depth: int, left: list[int]) -> dict[Any, Any] | str:
    if depth == 0:
        return f"<{type(value).__name__}: {len(value)} members>"
    room = max(left[0], 0)
    left[0] -= len(value)
    found = {}
    for name, inner in value.items() if room >= len(value) else islice(value.items(), room):
        kind = type(inner)
        short = len(inner) <= _SHORT if kind is str else kind in _ATOMS
        if type(name) is not str or len(name) > _SHORT:
            name = _kept(name, 1, left)  # noqa: PLW2901
        found[name] = inner if short else _kept(inner, depth - 1, left)
    if len(value) > room:
        found["…"] = f"({len(value)} members)"
    return found


def _members(value: Any, depth: int, left: list[int]) -> Any:
    """A list, tuple or set."""
    if depth == 0:
        return f"<{type(value).__name__}: {len(value)} members>"
    room = max(left[0], 0)
    left[0] -= len(value)
    found = [
        inner if type(inner) in _ATOMS else _kept(inner, depth - 1, left)
        for inner in islice(value, room)
    ]
    if len(value) > room:
        found.append(f"… ({len(value)} members)")
    elif isinstance(value, tuple) and all(map(_is, found, value)):
        return value  # a named one keeps its names
    if isinstance(value, tuple):
        return tuple(found)
    if isinstance(value, list):
        return found
    return set(found) if isinstance(value, set) else frozenset(found)


def _is(one: object, other: object) -> bool:
    return one is other

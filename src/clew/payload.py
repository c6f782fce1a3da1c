"""A context inside a JSON payload: put it in, take it out, leave every other byte as it was.

The context is written directly after the opening brace. Nothing is serialised again, so a
signature or a hash over the payload's fields survives, and taking the context out gives back the
very bytes that went in.
"""

from __future__ import annotations

import json
import os
import re

from clew import wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_decode = json.JSONDecoder().raw_decode
#: (text, index) -> (value, end); raises ``StopIteration``, ``ValueError`` or ``RecursionError``.
scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]
_OTHER_NAME = wire.CONTEXT_ALIASES[1]
_SPACE = b" \t\r\n"
_spaces = re.compile(r"[ \t\r\n]*").match


class Taken:
    """A payload without its context.

    ``value`` is the decoded object (a dict), or None where the bytes are not a JSON object;
    ``context`` is what came in the context's place (any JSON value but null), or None.
    """

    __slots__ = ("_data", "_original", "context", "value")

    def __init__(self, original: bytes, value: dict[str, Any] | None, context: object) -> None:
        self._original = original
        self._data: bytes | None = None
        self.value = value
        self.context = context

    @property
    def data(self) -> bytes:
        """The payload's bytes without the context: the exact ones that the sender had."""
        if self.value is None or self.context is None:
            return self._original
        if self._data is None:
            self._data = cut(self._original.decode()).encode()
        return self._data


def decode_object(data: bytes) -> dict[str, Any] | None:
    """The JSON object that ``data`` (UTF-8) is, or None if it is anything else. Never raises."""
    try:
        return decode_text(data.decode("utf-8"))
    except UnicodeDecodeError:
        return None


def decode_text(text: str) -> dict[str, Any] | None:
    """The JSON object that ``text`` is, or None if it is anything else. Never raises.

    As ``json.loads`` would, at half its price: every payload on its way out passes here.
    """
    start = 0 if text[:1] == "{" else _after_space(text, 0)
    if text[start : start + 1] != "{":
        return None
    try:
        value, end = scan(text, start)
    except (StopIteration, ValueError, RecursionError):
        return None
    whole = end == len(text) or _after_space(text, end) == len(text)
    return value if whole and isinstance(value, dict) else None


def looks_like_object(data: bytes) -> bool:
    """Whether ``data`` begins as a JSON object does."""
    return data.lstrip(_SPACE)[:1] == b"{"


def take(data: bytes) -> Taken:
    """Split ``data`` into the payload and the context that rides in it. Never raises."""
    value = decode_object(data)
    context: object = None
    if value is not None:
        context = take_from(value)
    return Taken(data, value, context)


def take_from(value: dict[str, Any]) -> object:
    """Remove the context from ``value`` (changed in place) and return it; None if there is none.

    One that is null is an empty one. Where both names are there, clew's own counts.
    """
    if wire.CONTEXT in value and _OTHER_NAME not in value:
        context = value.pop(wire.CONTEXT)
        return {} if context is None else context
    found = [value.pop(name) for name in wire.CONTEXT_ALIASES if name in value]
    return next((context for context in found if context is not None), {} if found else None)


def put(data: bytes, context: dict[str, str], name: str = wire.CONTEXT) -> bytes | None:
    """``data`` with ``context`` spliced in; None where it has to go out untouched.

    That is where it is not a JSON object in UTF-8, or has a context already.
    """
    value = decode_object(data)
    if value is None or any(alias in value for alias in wire.CONTEXT_ALIASES):
        return None
    return splice(data, name, json.dumps(context, separators=(",", ":")), empty=not value)


def splice(data: bytes, name: str, context: str, *, empty: bool) -> bytes:
    """``data``, a JSON object, with ``context`` (JSON text) as its first member.

    ``empty`` says that the object has no member of its own.
    """
    brace = data.index(b"{") + 1
    member = f'"{name}":{context}{"" if empty else ","}'
    return data[:brace] + member.encode() + data[brace:]


def context_field() -> str:
    """The name of the member that carries the context: ``CLEW_CONTEXT_FIELD``, or clew's own.

    ``__context__`` is what `@dazn/lambda-powertools` reads; other names are not taken.
    """
    wanted = os.environ.get("CLEW_CONTEXT_FIELD", "")
    return wanted if wanted in wire.CONTEXT_ALIASES else wire.CONTEXT


def is_for_node() -> bool:
    """Whether what goes out is for functions with the Node library."""
    return context_field() != wire.CONTEXT


def pairs(context: object) -> list[tuple[object, object]]:
    """The (name, value) pairs of a context as it came in, None for none."""
    if context is None:
        return []
    return list(context.items()) if isinstance(context, dict) else [wire.UNREADABLE]


def cut(text: str, place: tuple[str, ...] = ()) -> str:
    """The JSON text ``text`` without the contexts of the object at ``place``.

    ``text`` is an object, ``place`` the names of the members that lead to the other from there.
    A context goes with the comma that belongs to it, wherever and however often it stands there.
    Never raises where ``text`` was decoded before; what is nested too deep by now stays whole.
    """
    try:
        return _cut(text, place)
    except RecursionError:
        return text


def _cut(text: str, place: tuple[str, ...]) -> str:
    start = comma = text.index("{")
    members: list[str] = []
    space = ""
    if text[_after_space(text, start + 1)] == "}":
        return text
    while text[comma] != "}":
        begin = comma + 1
        name, end = _decode(text, _after_space(text, begin))
        value_at = _after_space(text, text.index(":", end) + 1)
        _, end = _decode(text, value_at)
        comma = _after_space(text, end)
        if place:
            inner = name == place[0] and text[value_at] == "{"
            value = _cut(text[value_at:end], place[1:]) if inner else text[value_at:end]
            members.append(text[begin:value_at] + value + text[end:comma])
        elif name not in wire.CONTEXT_ALIASES:
            members.append(text[begin:comma])
        elif not members:
            space = text[end:comma]  # of an object that was empty: ``{ }``
    return text[: start + 1] + (",".join(members) or space) + text[comma:]


def _after_space(text: str, at: int) -> int:
    found = _spaces(text, at)
    return found.end() if found else at

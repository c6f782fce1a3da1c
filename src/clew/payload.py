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
            self._data = _cut(self._original)
        return self._data


def decode_object(data: bytes) -> dict[str, Any] | None:
    """The JSON object that ``data`` (UTF-8) is, or None if it is anything else. Never raises."""
    if not looks_like_object(data):
        return None
    try:
        value = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


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


def pairs(context: object) -> list[tuple[object, object]]:
    """The (name, value) pairs of a context as it came in, None for none."""
    if context is None:
        return []
    return list(context.items()) if isinstance(context, dict) else [wire.UNREADABLE]


def _cut(data: bytes) -> bytes:
    """``data``, a JSON object with a context in it, without that and the comma that goes with it.

    Walks over the members, wherever in the object and however often the context stands there.
    """
    text = data.decode("utf-8")
    start = comma = text.index("{")
    members: list[str] = []
    space = ""
    while text[comma] != "}":
        begin = comma + 1
        name, end = _decode(text, _after_space(text, begin))
        _, end = _decode(text, _after_space(text, text.index(":", end) + 1))
        comma = _after_space(text, end)
        if name not in wire.CONTEXT_ALIASES:
            members.append(text[begin:comma])
        elif not members:
            space = text[end:comma]  # of an object that was empty: ``{ }``
    return (text[: start + 1] + (",".join(members) or space) + text[comma:]).encode()


def _after_space(text: str, at: int) -> int:
    found = _spaces(text, at)
    return found.end() if found else at

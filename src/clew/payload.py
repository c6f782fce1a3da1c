"""A context inside a JSON payload: put it in, take it out, leave every other byte as it was.

The context is written directly after the opening brace. Nothing is serialised again, so a
signature or a hash over the payload's fields survives, and taking the context out gives back the
very bytes that went in.
"""

from __future__ import annotations

import json
import os
import re
import sys
from itertools import chain, repeat

from clew import wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_decode = json.JSONDecoder().raw_decode
#: (text, index) -> (value, end); raises ``StopIteration``, ``ValueError`` or ``RecursionError``.
scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]
OTHER_NAME = wire.CONTEXT_ALIASES[1]
_SPACE = b" \t\r\n"
_spaces = re.compile(r"[ \t\r\n]*").match
_SAME = frozenset((str, int, bool, type(None)))
_AS_ZEROS = bytes(ord("0") if chr(byte).isdigit() and byte < 0x80 else 0 for byte in range(256))
_LONG = b"0" * 19


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
    """The JSON object that ``data`` (UTF-8) is, or None if it is anything else. Never raises.

    Where the function has imported orjson, by that, as far as it says the same as json.
    """
    loads = _orjson_loads()
    if loads is not None and not _has_long(data):
        try:
            value = loads(data)
        except Exception:  # noqa: BLE001  (NaN, lone surrogates, …: json takes them)
            value = None
        if type(value) is dict:
            return value
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


def take_all(
    all_data: list[bytes], special: frozenset[str]
) -> tuple[list[dict[str, Any]], list[object]] | None:
    """The values and the contexts of payloads, at a lower price than `take` of each.

    None where one is no JSON object, or has a member that is ``special``: then each has to be
    taken by itself. A context that is null is None here. Never raises.
    """
    loads = _orjson_loads()
    try:
        # Whole passes over all: to do all for one after another takes half as long again.
        values = [*map(loads, all_data)] if loads else _objects(all_data)
        if not special.isdisjoint(chain.from_iterable(values)):
            return None
        contexts = [value.pop(wire.CONTEXT, None) for value in values]
        if not all(one is None or wire.ID in one for one in contexts):  # may be the user's own
            return None
        if loads is None or _same_as_json(values) or not _has_long(b"".join(all_data)):
            return values, contexts
    except Exception:  # noqa: BLE001, S110  (one is something else)
        pass
    return None


def _objects(all_data: list[bytes]) -> list[Any]:
    """What each says from its first byte to its last. Raises where that is nothing."""
    texts = [data.decode() for data in all_data]
    found = [*map(scan, texts, repeat(0))]  # ends early where one says nothing at all
    if [end for _, end in found] != [*map(len, texts)]:
        raise ValueError
    return [value for value, _ in found]


def _object(data: bytes) -> Any:
    """`_objects` of one."""
    text = data.decode()
    value, end = scan(text, 0)
    if end != len(text):
        raise ValueError
    return value


def decoder() -> Callable[[bytes], Any]:
    """What tells whether a text is JSON at the lowest price; it may make of it what it likes.

    Raises anything where it is none. Never where it is.
    """
    return _orjson_loads() or _object


def _orjson_loads() -> Callable[[bytes], Any] | None:
    """orjson's, where the function has imported it: it costs a cold start."""
    found: Callable[[bytes], Any] | None = getattr(sys.modules.get("orjson"), "loads", None)
    return found


def _same_as_json(values: list[dict[str, Any]]) -> bool:
    """Whether json, too, makes these of their text: they have but text, short numbers, flags.

    Of a whole number past 64 bits orjson makes a float. In contexts that is none the less no
    value that may travel.
    """
    return _SAME.issuperset(map(type, chain.from_iterable(map(dict.values, values))))


def _has_long(data: bytes) -> bool:
    """Whether there may be a whole number past 64 bits: so many digits in a row."""
    return _LONG in data.translate(_AS_ZEROS)


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
    found = [value.pop(name) for name in wire.CONTEXT_ALIASES if has_context(value, name)]
    return next((context for context in found if context is not None), {} if found else None)


def has_context(value: dict[str, Any], name: str) -> bool:
    """Whether the member ``name`` of an object is a context: an object with one of its fields.

    So is one that is empty, or null. Anything else of that name is the user's own.
    """
    if name not in value:
        return False
    context = value[name]
    if not isinstance(context, dict):
        return context is None
    return (
        wire.ID in context
        or not context
        or any(isinstance(field, str) and wire.is_field(field.lower()) for field in context)
    )


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
    members: list[tuple[str, str]] = []
    last: dict[str, Any] = {}
    space = ""
    if text[_after_space(text, start + 1)] == "}":
        return text
    while text[comma] != "}":
        begin = comma + 1
        name, end = _decode(text, _after_space(text, begin))
        value_at = _after_space(text, text.index(":", end) + 1)
        decoded, end = _decode(text, value_at)
        comma = _after_space(text, end)
        if place:
            inner = name == place[0] and text[value_at] == "{"
            value = _cut(text[value_at:end], place[1:]) if inner else text[value_at:end]
            members.append((name, text[begin:value_at] + value + text[end:comma]))
            continue
        if name in wire.CONTEXT_ALIASES:
            if all(one in wire.CONTEXT_ALIASES for one, _ in members):
                space = text[end:comma]  # of an object that was empty: ``{ }``
            last[name] = decoded  # of several of one name the last counts
        members.append((name, text[begin:comma]))
    cut_out = [name for name in last if has_context(last, name)]
    kept = [member for name, member in members if name not in cut_out]
    return text[: start + 1] + (",".join(kept) or space) + text[comma:]


def _after_space(text: str, at: int) -> int:
    found = _spaces(text, at)
    return found.end() if found else at

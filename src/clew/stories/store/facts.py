"""What the store keeps of a message besides its text: level, kind, ids, words. Pure; never raises.

Most lines are clew's own, of a few shapes: what to do with the names of an object is worked out
once for each shape. Where that could miss something (an escape, a name that stands twice, a secret,
deep nesting) the line is looked at member by member, and secrets are masked.
"""

from __future__ import annotations

import json
import re
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from clew import wire
from clew.log.line import RESERVED
from clew.log.redact import is_secret
from clew.stories.store.masking import masked_json, masked_words

if TYPE_CHECKING:
    from collections.abc import Callable

loads: Callable[[str], Any]
try:
    from orjson import loads
except ImportError:
    loads = json.loads

#: CloudWatch Logs takes events of up to 1 MB ("CloudWatch Logs quotas").
MAX_LINE = 1 << 20
#: Of one line, so many characters can be searched for.
MAX_WORDS = 1 << 16
#: Longer is no id (`clew.wire`: values of up to 256 characters).
MAX_ID = 256
#: Of one line, so many ids are searchable: a batch has at most 10,000 records, with a few each.
MAX_IDS = 50_000

TEXT, LINE, INVOCATION, LAMBDA = range(4)
KINDS = ("text", "line", "invocation", "lambda")
REQUEST, TRACE = "requestId", "traceId"

DEPTH = 16
_MAX_SHAPES = 4_096
#: Beside the ids, what a line has in common with the others of its invocation.
_OF_ORIGIN = ("function", "version", REQUEST, TRACE)
_COMMON = frozenset([*_OF_ORIGIN, "coldStart"])
_HEAD = frozenset(["timestamp", "level", "message", "logger"])
#: What an invocation line says of itself and of each message that nobody looks for by a word.
_UNSAID = frozenset(
    [
        "startedAt",
        "durationMs",
        "chunk",
        "chunks",
        "span",
        "parent",
        "trace",
        "id",
        "at",
        "ms",
        "attempts",
        "status",
        "places",
        "microseconds",
        "traceparents",
        "ids",
    ]
)
_BOOKKEEPING = ("START ", "END ", "REPORT ", "INIT_START ", "EXTENSION\t", "LOGS\t", "XRAY ")
#: Python's names, and what others write for them.
LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}
ALL_LEVELS = {"TRACE": 10, "WARN": 30, "FATAL": 50} | LEVELS
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)


class Facts(NamedTuple):
    """What is known of one message."""

    message: str  # masked, and cut if need be
    kind: int
    level: int
    #: The same for all lines of one invocation, or record, with the same ids.
    origin: tuple[tuple[str, ...], tuple[Any, ...]]
    #: Ids of other requests that it tells of.
    others: tuple[str, ...]
    words: str


class Shape:
    """What to do with an object that has these names."""

    __slots__ = (
        "common",
        "names",
        "origin",
        "origin_of",
        "own",
        "own_names",
        "own_said",
        "rest",
        "safe",
        "said",
        "said_of",
    )

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.safe = not any(map(is_secret, names))
        self.origin = tuple(
            name for name in names if name in _OF_ORIGIN or name.startswith(wire.PREFIX)
        )
        self.origin_of = _getter(self.origin)
        self.own = tuple(
            name
            for name in names
            if name == "exception" or (name not in RESERVED and not wire.is_field(name))
        )
        self.own_names = " ".join(self.own)
        self.said = tuple(name for name in names if name not in _UNSAID)
        self.said_of = _getter(self.said)
        self.own_said = tuple(name for name in self.own if name not in _UNSAID)
        #: For `quick`: whether all names, or none, are of what clew writes before a line's own.
        self.common = all(name in _COMMON or wire.is_field(name) for name in names)
        self.rest = not any(
            name in _HEAD or name in _COMMON or wire.is_field(name) for name in names
        )


def _getter(names: tuple[str, ...]) -> Callable[[dict[str, Any]], tuple[Any, ...]]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda found: tuple(found[name] for name in names)


_shapes: dict[tuple[str, ...], Shape] = {}


def shape_of(found: dict[str, Any]) -> Shape:
    names = tuple(found)
    shape = _shapes.get(names)
    if shape is None:
        if len(_shapes) >= _MAX_SHAPES:
            _shapes.clear()
        shape = Shape(names)
        if len(names) <= 100:
            _shapes[names] = shape
    return shape


class NotPlainError(Exception):
    """The short way could miss something."""


def facts_of(message: str) -> Facts:
    """What a message says, and the message as it may be kept. What was kept says the same."""
    if len(message) > MAX_LINE:
        return _of_text(f"{message[: MAX_LINE - 64]}… (cut: {len(message):,} characters)")
    if message[:1] != "{" and message.lstrip()[:1] != "{":
        return _of_text(message)
    if "\\" not in message:
        try:
            count, facts = _of_object(message, loads(message), plain=True)
            # Each brace was looked into; or there is one in a text, in what was passed over, or
            # in what stood before under the same name.
            if message.count("{") == count:
                return facts
        except (NotPlainError, ValueError, TypeError, AttributeError, RecursionError):
            pass
    try:
        message, found = masked_json(message)
        if isinstance(found, dict):
            return _of_object(message, found, plain=False)[1]
    except (ValueError, RecursionError):
        pass  # half a line, or nested beyond reason
    return _of_text(message)


def _of_object(message: str, found: dict[str, Any], *, plain: bool) -> tuple[int, Facts]:
    """How many objects it is with those inside, as far as was looked, and the facts."""
    shape = shape_of(found)
    if plain and not shape.safe:
        raise NotPlainError
    get = found.get
    said = get("message")
    words = [said] if type(said) is str else []
    others: tuple[str, ...] = ()
    names, values = shape.origin, shape.origin_of(found)
    kind, own = LINE, shape.own
    if said == "invocation" and get("logger") == "clew":
        kind, own, others = INVOCATION, shape.own_said, others_of(found, get(wire.ID))
    elif said is None and str(get("type")).startswith("platform."):
        kind, (names, values) = LAMBDA, _of_platform(get("record"))
    if own and kind != INVOCATION:
        words.append(shape.own_names)
    count = 1
    for name in own:
        value = found[name]
        if type(value) is str:
            words.append(value)
        else:
            count += gather(value, words, DEPTH, plain=plain, of_clew=kind == INVOCATION)
    level = get("level")
    level = ALL_LEVELS.get(level, 0) if type(level) is str else 0
    text = " ".join(words)
    if not plain:
        text = text.encode("utf-8", "replace").decode()  # halves of surrogate pairs
        values = tuple(_clean(one) for one in values)
        others = tuple(map(_clean, others))
    return count, Facts(message, kind, level, (names, values), others, text[:MAX_WORDS])


def _clean(value: object) -> str:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _of_platform(record: object) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Lambda's words in its JSON log format name the invocation inside."""
    named = record.get(REQUEST) if isinstance(record, dict) else None
    return ((REQUEST,), (named,)) if isinstance(named, str) else ((), ())


def gather(value: Any, words: list[str], depth: int, *, plain: bool, of_clew: bool) -> int:
    """Add the words of a value; how many objects are in it, as far as was looked."""
    kind = type(value)
    if kind is str:
        words.append(value)
    elif kind is dict:
        shape = shape_of(value)
        if depth == 0 or (plain and not shape.safe):
            raise NotPlainError
        count = 1
        for name in shape.said if of_clew else shape.names:
            inner = value[name]
            if type(inner) is str:
                words.append(inner)
            else:
                count += gather(inner, words, depth - 1, plain=plain, of_clew=of_clew)
        return count
    elif kind is list:
        if depth == 0:
            raise NotPlainError
        return sum(
            [gather(inner, words, depth - 1, plain=plain, of_clew=of_clew) for inner in value]
        )
    elif kind is float or (kind is int and value.bit_length() <= 64):
        words.append(str(value))
    return 0


def others_of(found: dict[str, Any], own: object) -> tuple[str, ...]:
    """The requests of the messages that an invocation received and sent, without its own."""
    others: dict[str, None] = {}
    for member in ("received", "sent"):
        entries = found.get(member)
        for entry in entries if isinstance(entries, list) else ():
            one = entry.get("id") if isinstance(entry, dict) else None
            if one != own and type(one) is str:
                others[one] = None
    groups = found.get("done")
    for group in groups if isinstance(groups, list) else ():
        if isinstance(group, dict):
            ids = group.get("ids")
            for one in (*(ids if isinstance(ids, list) else ()), group.get("id")):
                if one != own and type(one) is str:
                    others[one] = None
    return tuple(others)[:MAX_IDS] if others else ()


def _of_text(message: str) -> Facts:
    message = masked_words(message)
    kind = LAMBDA if message.startswith(_BOOKKEEPING) else TEXT
    named = _UUID.search(message, 0, 1000)
    names, values = ((REQUEST,), (named[0],)) if named else ((), ())
    return Facts(message, kind, 0, (names, values), (), message[:MAX_WORDS])

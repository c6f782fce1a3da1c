"""Which requests have certain words in their log lines. Pure.

A word is letters and digits, in whatever case, as the store's index has it; with a ``*`` after it,
it is the beginning of one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clew.stories.lines import Invocation, TextLine
from clew.stories.parse import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from clew.stories.lines import RawLine

_WORD = re.compile(r"((?:[^\W_]|[\u0300-\u036f])+)(\*?)")
_MAX_WORDS = 32
_MAX_WORD = 256


def words_of(text: str) -> tuple[str, ...]:
    """The words that somebody typed, each once, a ``*`` kept; nothing else is syntax."""
    found = (f"{one[1][:_MAX_WORD]}{one[2]}".lower() for one in _WORD.finditer(text))
    return tuple(dict.fromkeys(found))[:_MAX_WORDS]


def finder(words: Iterable[str]) -> Callable[[str], frozenset[str]]:
    """What says which of the words a text has."""
    patterns = [
        (
            word,
            word.rstrip("*"),
            re.compile(
                rf"(?<![^\W_]){re.escape(word.rstrip('*'))}"
                + ("" if word.endswith("*") else r"(?![^\W_])")
            ).search,
        )
        for word in words
    ]

    def found(text: str) -> frozenset[str]:
        text = text.lower()
        # Most lines have none of them, and "in" is much quicker than a pattern.
        return frozenset(word for word, plain, has in patterns if plain in text and has(text))

    return found


@dataclass(slots=True)
class Matched:
    """One request, and what of its lines matched."""

    id: str
    words: frozenset[str] = frozenset()
    last_ms: int = 0
    lines: list[RawLine] = field(default_factory=list)


def matches(raw_lines: Iterable[RawLine], words: tuple[str, ...]) -> dict[str, Matched]:
    """Every request that a line names, with the words that its lines have.

    A line of a batch tells of many requests: of each of them only its own entries count, and the
    name of the function.
    """
    find = finder(words)
    found = _Found()
    without: list[tuple[str, RawLine, frozenset[str]]] = []
    for raw in dict.fromkeys(raw_lines):
        line = parse(raw)
        if isinstance(line, TextLine):
            without.append((line.request_id, raw, find(raw.message)))
        elif isinstance(line, Invocation):
            for id_, text in _by_request(line, raw):
                found.add(id_, line.started_ms, raw, find(text), line.line.request_id)
        elif line.id:
            has = find(f"{line.function} {raw.message}")
            found.add(line.id, line.at_ms, raw, has, line.request_id)
        else:
            without.append((line.request_id, raw, find(raw.message)))
    # What Lambda said of an invocation is of the request that it served, if it is one alone.
    for request, raw, has in without:
        ids = found.of_request.get(request, set())
        if request and len(ids) == 1:
            found.add(next(iter(ids)), raw.at_ms, raw, has, "")
    return found.by_id


class _Found:
    """Requests as their lines come."""

    def __init__(self) -> None:
        self.by_id: dict[str, Matched] = {}
        self.of_request: defaultdict[str, set[str]] = defaultdict(set)  # by Lambda's own id

    def add(self, id_: str, at_ms: int, raw: RawLine, has: frozenset[str], request: str) -> None:
        if not id_:
            return
        one = self.by_id.setdefault(id_, Matched(id_))
        one.words |= has
        one.last_ms = max(one.last_ms, at_ms)
        if not one.lines or one.lines[-1] is not raw:
            one.lines.append(raw)
        if request:
            self.of_request[request].add(id_)


def _by_request(line: Invocation, raw: RawLine) -> Iterable[tuple[str, str]]:
    """What an invocation line says of each request."""
    ids = {entry.id for entry in line.received} | {entry.id for entry in line.sent}
    if len(ids | {line.line.id}) == 1:
        yield line.line.id, f"{line.line.function} {raw.message}"
        return
    said: defaultdict[str, list[str]] = defaultdict(list)
    for entry in line.received:
        said[entry.id] += [entry.outcome, entry.error, *entry.position.values()]
    for sent in line.sent:
        said[sent.id] += [sent.service, sent.target, sent.outcome, sent.error]
        said[sent.id] += sent.position.values()
    for id_, texts in said.items():
        yield id_, " ".join((line.line.function, *texts))

"""A stream of JSON objects, a line each or one right after the other, or of other lines."""

from __future__ import annotations

import codecs
import json
from typing import IO, TYPE_CHECKING, Any

from clew.stories.store.facts import loads

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_CHUNK = 1 << 20
#: Longer is no object that CloudWatch Logs delivers: Firehose takes records of 1 MB, which are
#: compressed ("Amazon Data Firehose quotas"). What is longer comes in parts, as text.
MAX_DOCUMENT = 64 << 20

_decode = json.JSONDecoder().raw_decode


def documents(stream: IO[bytes]) -> Iterator[tuple[str, Any]]:
    """Each object as its text and what it holds, or any other line with None."""
    first = stream.read(_CHUNK)
    if b"\n" in first:
        for line in _lines(stream, first):
            yield from _of_line(line.decode("utf-8", "replace"))
    else:
        yield from _joined(stream, first)


def _lines(stream: IO[bytes], rest: bytes) -> Iterator[bytes]:
    while rest:
        *whole, rest = rest.split(b"\n")
        yield from whole
        more = stream.read(_CHUNK)
        if not more or len(rest) > MAX_DOCUMENT:
            yield rest
            rest = b""
        rest += more


def _of_line(line: str) -> Iterator[tuple[str, Any]]:
    if not line or line.isspace():
        return
    try:
        yield line, loads(line)
    except (ValueError, RecursionError):
        pass
    else:
        return
    rest = yield from _whole_ones(line)
    if rest.strip():
        yield rest, None


def _joined(stream: IO[bytes], first: bytes) -> Iterator[tuple[str, Any]]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(first)
    enough = 0  # what is not whole yet is looked at again when there is twice as much of it
    while True:
        if len(text) >= enough:
            text = yield from _whole_ones(text)
            enough = 2 * len(text)
        if len(text) > MAX_DOCUMENT:
            yield text, None
            text, enough = "", 0
        more = stream.read(_CHUNK)
        if not more:
            break
        text += decoder.decode(more)
    text = yield from _whole_ones(text + decoder.decode(b"", final=True))
    for line in text.splitlines():
        if line.strip():
            yield line, None


def _whole_ones(text: str) -> Generator[tuple[str, Any], None, str]:
    """The objects that a text begins with; returns what is left of it."""
    at, end = 0, len(text)
    while at < end:
        if text[at] in " \t\r\n":
            at += 1
            continue
        if text[at] != "{":
            break
        try:
            found, after = _decode(text, at)
        except (ValueError, RecursionError):
            break
        yield text[at:after], found
        at = after
    return text[at:]

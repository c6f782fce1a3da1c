"""The lines that a replayed function logs, for a person to read as they come."""

from __future__ import annotations

import io
import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

from clew.log.encode import encode
from clew.stories.lines import Invocation, RawLine, TextLine
from clew.stories.naming import one_line
from clew.stories.parse import parse
from clew.stories.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.stories.lines import LogLine

_MAX_VALUE = 300


class Readable(io.TextIOBase):
    """A stdout whose JSON lines are shown by their parts; all else goes through as it is."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, text: str) -> int:
        """Write a piece of text. A log line is one piece."""
        self._out.write(shown(text) if text.startswith("{") and text.endswith("\n") else text)
        return len(text)

    def flush(self) -> None:
        """Flush what is below."""
        self._out.flush()

    def isatty(self) -> bool:
        """As what is below."""
        return self._out.isatty()


def shown(text: str) -> str:
    """A line of clew's by its parts, any other as it is."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    found = parse(RawLine(int(time.time() * 1000), "", "", text.rstrip("\n")))
    if isinstance(found, TextLine):
        return text
    common = found.line if isinstance(found, Invocation) else found
    if not (common.level and common.message):
        return text
    is_end = isinstance(found, Invocation)
    parts = [_end(found)] if isinstance(found, Invocation) else [common.message]
    parts += _fields(common, own=not is_end)
    at = datetime.fromtimestamp(common.at_ms / 1000, UTC)
    line = f"{at:%H:%M:%S.%f}"[:-3] + f" {visible(common.level):<8} " + "  ".join(map(_cut, parts))
    return line + "\n" + ("" if is_end else _stack(common))


def _end(one: Invocation) -> str:
    took = "" if one.duration_ms is None else f" after {one.duration_ms:.0f} ms"
    return f"invocation: {one.outcome}{took}, received {len(one.received)}, sent {len(one.sent)}"


def _fields(line: LogLine, *, own: bool) -> Iterator[str]:
    for name, value in line.fields.items() if own else ():
        yield f"{name}={value if isinstance(value, str) else encode(value)}"
    for name, value in line.ids.items():
        if value:
            yield f"{name.removeprefix('x-correlation-')}={value}"


def _stack(line: LogLine) -> str:
    """The exception of a line; what ended the invocation is shown after the last one."""
    thrown = line.exception
    if thrown is None:
        return ""
    stack = thrown.stack or (f"{thrown.type}: {thrown.message}",)
    return "".join(f"    {visible(each)}\n" for one in stack for each in one.split("\n"))


def _cut(part: str) -> str:
    return visible(one_line(part, _MAX_VALUE))

"""What was written to stdout, read as strictly as the log line's reference has it."""

from __future__ import annotations

import io
import json
import logging
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any

from clew.log.logger import ClewHandler
from clew.stories.columns import read_columns
from clew.stories.lines import LogLine

if TYPE_CHECKING:
    from collections.abc import Iterator

Line = dict[str, Any]


def read_lines(text: str) -> list[Line]:
    """Each line as the JSON object that it is; fails for anything else."""
    assert text == "" or text.endswith("\n"), f"the last line has no end: {text[-80:]!r}"
    return [_read(line) for line in text.split("\n")[:-1]]


def _read(line: str) -> Line:
    assert line.isascii(), line
    assert line.isprintable(), line
    assert len(line) < 200_000, "longer than 200 kB"
    value = json.loads(line, object_pairs_hook=_Object, parse_constant=_no_constant)
    assert isinstance(value, _Object), line
    assert len(value) == value.members, f"a name is there twice: {line}"
    assert {"timestamp", "level", "message", "logger"} <= value.keys(), line
    assert isinstance(value["message"], str), line
    return value


class _Object(dict[str, Any]):
    """A JSON object that knows how many members were written."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.members = len(pairs)


def _no_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


@contextmanager
def logged() -> Iterator[list[Line]]:
    """The lines that the block writes, as a list that is filled at its end.

    As in Lambda, clew's handler is the only one. Fails where anything was written to stderr.
    """
    lines: list[Line] = []
    root = logging.getLogger()
    before, root.handlers = root.handlers, [ClewHandler()]
    out, err = io.StringIO(), io.StringIO()
    try:
        with redirect_stdout(out), redirect_stderr(err):
            yield lines
    finally:
        root.handlers = before
    lines.extend(read_lines(out.getvalue()))
    assert not err.getvalue()


def invocation(lines: list[Line]) -> Line:
    """The one wide line among ``lines``."""
    (wide,) = (line for line in lines if line["message"] == "invocation")
    return wide


def warnings(lines: list[Line]) -> list[Line]:
    """The warnings that clew itself wrote."""
    return [line for line in lines if line["logger"] == "clew" and line["level"] == "WARNING"]


def came_in(wide: Line) -> list[Line]:
    """What a wide line says of each record, in their order: those in columns as entries too."""
    line = LogLine(0, "", "INFO", "invocation")
    columns = [one for group in wide.get("done", ()) for one in read_columns(group, line)]
    entries: list[Line] = [
        {
            "span": one.span,
            "id": one.id,
            "outcome": one.outcome,
            "attempts": one.attempts,
            **one.position,
        }
        for one in columns
    ]
    everything = [*entries, *wide["received"]]
    return sorted(everything, key=lambda one: one["sequenceNumber"]) if columns else everything

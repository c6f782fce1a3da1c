"""What log lines say, as typed values. Pure; `clew.stories.parse` makes them.

The fields are those of docs/reference/log-line.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from clew import wire

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_BOOKKEEPING = ("START ", "END ", "REPORT ", "INIT_START ", "EXTENSION\t", "LOGS\t", "XRAY ")


class RawLine(NamedTuple):
    """One event of CloudWatch Logs as it was read."""

    at_ms: int  # since the epoch
    log_group: str
    stream: str
    message: str


@dataclass(frozen=True, slots=True)
class Thrown:
    """The ``exception`` field. ``stack`` has the outermost frame first."""

    type: str
    message: str
    stack: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LogLine:
    """An ordinary line, clew's or any other JSON object with the same names."""

    at_ms: int
    log_group: str
    level: str
    message: str
    logger: str = ""
    function: str = ""
    request_id: str = ""
    cold_start: bool = False
    ids: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    debug: str = ""  # "true", "false" or ""
    user_agent: str = ""
    trace_id: str = ""
    span: str = ""
    parent: str = ""
    flight_recorder: bool = False
    exception: Thrown | None = None
    fields: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)  # the caller's own
    stream: str = ""
    chain: int = 0  # hops so far, or 0
    cut: bool = False  # whether its end is missing
    text: str = ""  # the whole message, of a line that has no id under clew's name

    @property
    def id(self) -> str:
        """The request's id, or ""."""
        return self.ids.get(wire.ID, "")


@dataclass(frozen=True, slots=True)
class ReceivedEntry:
    """One entry of ``received``."""

    span: str
    parent: str
    trace: str
    id: str
    outcome: str
    attempts: int
    ms: float | None
    position: Mapping[str, str]
    error: str


@dataclass(frozen=True, slots=True)
class SentEntry:
    """One entry of ``sent``."""

    service: str
    operation: str
    target: str
    span: str
    parent: str
    trace: str
    id: str
    at_ms: int
    outcome: str
    status: int
    error: str
    carried: bool
    position: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Invocation:
    """An ``invocation`` line, its chunks put together."""

    line: LogLine  # what it has in common with an ordinary line
    source: str
    outcome: str
    started_ms: int
    duration_ms: float | None
    received: tuple[ReceivedEntry, ...]
    sent: tuple[SentEntry, ...]
    chunks: frozenset[int]  # those that were read, from 1
    chunks_total: int

    @property
    def complete(self) -> bool:
        """Whether every chunk was read."""
        return len(self.chunks) >= self.chunks_total


@dataclass(frozen=True, slots=True)
class TextLine:
    """What is no JSON object: prints, and Lambda's own words about an invocation."""

    at_ms: int
    log_group: str
    message: str
    request_id: str = ""  # the first that it names, or that of its place in its stream
    stream: str = ""

    @property
    def bookkeeping(self) -> bool:
        """Whether it is one of the lines that Lambda writes around every invocation."""
        return self.message.startswith(_BOOKKEEPING)


def names(id: str) -> Callable[[str], bool]:  # noqa: A002  (the domain's word)
    """Whether a text has the id in it, as a word of its own."""
    if not id:
        return lambda _text: False
    word = re.compile(rf"(?<![\w-]){re.escape(id)}(?![\w-])").search
    return lambda text: id in text and word(text) is not None


@dataclass(frozen=True, slots=True)
class Lines:
    """Everything that was read, each kind oldest first."""

    ordinary: tuple[LogLine, ...] = ()
    invocations: tuple[Invocation, ...] = ()
    texts: tuple[TextLine, ...] = ()

    def mention(self, id: str) -> bool:  # noqa: A002
        """Whether a line without an id of its own has this one in its text."""
        has_it = names(id)
        return any(has_it(line.text) for line in self.ordinary if line.text) or any(
            has_it(text.message) for text in self.texts if not text.bookkeeping
        )

    def latest_ids(self) -> dict[str, int]:
        """Every id that occurs, with the time (ms since the epoch) of its last line."""
        latest: dict[str, int] = {}
        for line in self.ordinary:
            latest[line.id] = max(line.at_ms, latest.get(line.id, 0))
        for one in self.invocations:
            ids = [entry.id for entry in one.received] + [entry.id for entry in one.sent]
            for each in (one.line.id, *ids):
                latest[each] = max(one.line.at_ms, latest.get(each, 0))
        latest.pop("", None)
        return latest

"""A log line as a page shows it. Pure; what stands in it is cut here, and made visible later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clew import wire
from clew.log.encode import encode
from clew.stories.lines import Invocation, LogLine, RawLine, TextLine
from clew.stories.naming import source_name
from clew.stories.parse import parse
from clew.stories.web import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clew.stories.lines import Thrown
    from clew.stories.store import Found

MAX_MESSAGE = 2_000
MAX_VALUE = 300
MAX_FIELDS = 24
MAX_STACK = 60
#: Of a line that is opened, so much is shown as it stands in the log.
MAX_RAW = 20_000
_BAD = {"ERROR": "error", "CRITICAL": "error", "WARNING": "warning", "DEBUG": "debug"}


_TURNS = (("START ", -1), ("END ", 1), ("REPORT ", 2))


@dataclass(frozen=True, slots=True)
class Shown:
    """One line."""

    at_ms: int
    level: str
    tone: str  # a class of the stylesheet: error, warning, debug or info
    function: str
    message: str
    fields: tuple[tuple[str, str], ...] = ()
    more_fields: int = 0
    stack: tuple[str, ...] = ()
    thrown: str = ""
    story: str = ""  # the id of its request
    place: int = 0
    flight_recorder: bool = False
    raw: str = ""

    @property
    def turn(self) -> int:
        """Its place among lines of the same time, by what Lambda does first and last."""
        return next((turn for word, turn in _TURNS if self.message.startswith(word)), 0)

    @property
    def clock(self) -> str:
        """Its time."""
        return words.clock(self.at_ms)

    @property
    def day(self) -> str:
        """Its date."""
        return words.day(self.at_ms)

    @property
    def url(self) -> str:
        """Where its story is, or ""."""
        return words.story_url(self.story) if self.story else ""

    def as_json(self) -> dict[str, Any]:
        """For the script, which puts it on the page as text."""
        from clew.stories.visible import visible

        return {
            "clock": self.clock,
            "level": visible(self.level),
            "tone": self.tone,
            "function": visible(self.function),
            "message": visible(self.message),
            "fields": [f"{visible(name)}={visible(value)}" for name, value in self.fields],
            "thrown": visible(self.thrown),
            "url": self.url,
        }


def shown(found: Found) -> Shown:
    """A line that a search found."""
    parsed = parse(RawLine(found.at_ms, found.log_group, found.stream, found.message))
    if isinstance(parsed, TextLine):
        return of_text(parsed, found.function, found.place)
    line = parsed.line if isinstance(parsed, Invocation) else parsed
    if isinstance(parsed, Invocation):
        return Shown(
            line.at_ms,
            cut(line.level, 20),
            _BAD.get(line.level, "info"),
            cut(line.function, 140),
            _of_invocation(parsed),
            thrown=thrown_in(line.exception),
            story=_story(parsed),
            place=found.place,
            raw=cut(found.message, MAX_RAW),
        )
    return of_line(line, found.place, raw=cut(found.message, MAX_RAW))


def of_line(line: LogLine, place: int = 0, raw: str = "") -> Shown:
    """An ordinary line."""
    listed = fields_of(line.fields)
    return Shown(
        line.at_ms,
        cut(line.level, 20),
        _BAD.get(line.level, "info"),
        cut(line.function, 140),
        cut(line.message, MAX_MESSAGE),
        listed,
        len(line.fields) - len(listed),
        stack_of(line.exception),
        thrown_in(line.exception),
        line.id,
        place,
        line.flight_recorder,
        raw,
    )


def of_text(line: TextLine, function: str = "", place: int = 0) -> Shown:
    """What is no JSON."""
    name = function or line.log_group.rpartition("/")[2]
    lambda_s = line.bookkeeping
    return Shown(
        line.at_ms,
        "LAMBDA" if lambda_s else "",
        "debug" if lambda_s else "info",
        cut(name, 140),
        cut(line.message, MAX_MESSAGE),
        place=place,
        raw=cut(line.message, MAX_RAW),
    )


def _of_invocation(one: Invocation) -> str:
    source = source_name(one.source)
    parts = [f"invocation: {cut(one.outcome, 40) or 'unknown'}"]
    if one.duration_ms is not None:
        parts.append(f"in {words.length(one.duration_ms)}")
    if source:
        parts.append(f"from {cut(source, 60)}")
    received, sent = len(one.received), len(one.sent)
    parts.append(f"received {received:,}, sent {sent:,}")
    return ", ".join(parts)


def _story(one: Invocation) -> str:
    """The request that an invocation line tells of: its own, or that of its only record."""
    ids = list(dict.fromkeys(entry.id for entry in one.received if entry.id))
    bad = [entry.id for entry in one.received if entry.id and entry.outcome != "done"]
    return (bad or ids or [one.line.id])[0]


def fields_of(found: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The caller's own fields."""
    return tuple(
        (cut(name, 60), cut(value if isinstance(value, str) else encode(value), MAX_VALUE))
        for name, value in list(found.items())[:MAX_FIELDS]
    )


def ids_of(found: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Ids without what all their names begin with."""
    return tuple(
        (cut(name.removeprefix(wire.PREFIX), 64), cut(value, 256)) for name, value in found.items()
    )


def thrown_in(thrown: Thrown | None) -> str:
    """An exception in one line."""
    return cut(f"{thrown.type}: {thrown.message}", MAX_MESSAGE) if thrown is not None else ""


def stack_of(thrown: Thrown | None) -> tuple[str, ...]:
    """The last lines of an exception's stack, without the exception itself."""
    if thrown is None:
        return ()
    lines = [line for frame in thrown.stack[:-1] for line in frame.split("\n") if line.strip(" ^~")]
    return tuple(cut(line, MAX_VALUE) for line in lines[-MAX_STACK:])


def texts(lines: Iterable[Found]) -> list[Shown]:
    """Lines as they follow each other by their own times, oldest first.

    What CloudWatch says is when it got them: often all lines of an invocation at once.
    """
    return sorted(map(shown, lines), key=lambda one: (one.at_ms, one.turn))


def cut(text: str, most: int) -> str:
    """A text, and no more of it than that."""
    return text if len(text) <= most else f"{text[:most]}…"

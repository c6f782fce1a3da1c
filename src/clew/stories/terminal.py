"""A story on a terminal: the tree of its hops, and what broke, in place and at the end.

Everything that comes from a log is hostile: it is shown through `visible`, as rich's `Text`, which
knows no markup.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from rich.console import Console
from rich.text import Text

from clew import wire
from clew.log.encode import encode
from clew.stories.endings import is_lambdas
from clew.stories.lines import LogLine
from clew.stories.model import Send
from clew.stories.naming import rfc3339, source_name, target_name
from clew.stories.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.stories.lines import TextLine, Thrown
    from clew.stories.model import Hop, Story

    _Rows: TypeAlias = "Iterator[Row | _Rows]"  # rows, and the rows of what is below

_OUTCOMES = {
    "done": ("done", "green"),
    "failed": ("FAILED", "bold red"),
    "skipped": ("SKIPPED", "bold red"),
    "dead-lettered": ("DEAD-LETTERED", "bold red"),
    "returned": ("RETURNED", "bold yellow"),
    "pending": ("NEVER REACHED", "bold yellow"),
    "unfinished": ("UNFINISHED", "bold yellow"),
    "unknown": ("", ""),
}
_LEVELS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "bold red", "DEBUG": "dim"}
_MAX_MESSAGE = 1000
_MAX_FIELD = 200
_MAX_LINES = 200  # under one hop
_MAX_FIELDS = 20
_MAX_BREAKS = 50
_MAX_SENTENCE = 2000
_STACK_TAIL = 4
_FRAME = re.compile(r'File "(.+)", line (\d+), in (.+)').fullmatch
_OWN = re.compile(
    r".*/clew/(?:(?:capture|forward|handlers|log|streams)/(?:\w+/)*\w+|payload|correlation)\.py"
).fullmatch
_PAST = " " * 7  # under the sentence of a break
_INDENT = " " * 9  # under the message of a line
_MIN_TEXT = 40  # the tree goes to the right only so far as to leave this much


class Row(NamedTuple):
    """A line of the view, with what stands before it and before its continuation."""

    first: str
    rest: str
    text: Text


def print_story(story: Story, console: Console | None = None) -> None:
    """Print ``story`` as a tree, with every break in its place and again at the end.

    Colours follow the console (``NO_COLOR``, no terminal); whatever they say is also in words.
    """
    console = console or Console(highlight=False)
    view = _View(story, console.width, ascii_only=not console.encoding.lower().startswith("utf"))
    for row in view.rows():
        before = row.first
        for line in _wrapped(row, console):
            line.rstrip()
            console.print(Text.assemble((before, "dim"), line), soft_wrap=True)
            before = row.rest


def _wrapped(row: Row, console: Console) -> Iterator[Text]:
    """The lines of a row; what stands before the first may be shorter than before the others."""
    text = row.text
    line = text.wrap(console, max(console.width - len(row.first), _MIN_TEXT))[0]
    yield line
    left = text.plain[len(line) :].lstrip(" ")
    if left:
        width = max(console.width - len(row.rest), _MIN_TEXT)
        yield from text[len(text) - len(left) :].wrap(console, width)


class _View:
    """One story at one width."""

    def __init__(self, story: Story, width: int, *, ascii_only: bool) -> None:
        self._story = story
        self._ascii_only = ascii_only
        self._branch, self._last, self._bar = (
            ("|- ", "`- ", "|  ") if ascii_only else ("├─ ", "└─ ", "│  ")
        )
        self._deepest = max((width - _MIN_TEXT) // len(self._bar), 1) * len(self._bar)
        self._drawn: set[int] = set()

    def rows(self) -> Iterator[Row]:
        """All of it. Does not recurse: a chain of thousands of hops is drawn like any other."""
        yield from self._head()
        stack = [self._tops()]
        while stack:
            step = next(stack[-1], None)
            if step is None:
                stack.pop()
            elif isinstance(step, Row):
                yield step
            else:
                stack.append(step)
        yield from self._end()

    def _head(self) -> Iterator[Row]:
        story = self._story
        yield Row("", "", Text.assemble("Story of ", (self._shown(story.id), "bold")))
        facts = [
            f"{_count(len(story.hops), 'hop')} in {_count(len(story.functions), 'function')}",
            _length(story.duration_ms),
            f"from {rfc3339(story.at_ms)}",
            *(["DEBUG was on"] if story.debug else []),
            *([f"for {self._shown(story.user_agent, _MAX_FIELD)}"] if story.user_agent else []),
        ]
        yield Row("", "", Text(", ".join(facts), "dim"))
        if story.breaks:
            first, more = story.breaks[0], len(story.breaks) - 1
            who = self._shown(first.function, 140) or "a function"
            where = f", hop {first.hop}" if first.hop is not None else ""
            others = f", and {_count(more, 'more break')}" if more else ""
            said = f"Broke at {who}: {self._shown(first.kind, 40)}{where}{others}"
            yield Row("", "  ", Text(said, "bold red"))
        yield Row("", "", Text(" "))

    def _tops(self) -> Iterator[Row | _Rows]:
        story = self._story
        tops: list[Hop | Send] = [hop for hop in story.hops if not hop.joined]
        tops += story.sends
        for top in sorted(tops, key=lambda one: one.at_ms):
            if isinstance(top, Send):
                yield self._send(top, "", "", by=top.function)
            else:
                yield self._hop(top, "", "")

    def _hop(self, hop: Hop, first: str, rest: str, under: int | None = None) -> _Rows:
        """A hop, its ids, and in the order of time its lines and sends."""
        self._drawn.add(hop.number)
        yield Row(first, rest + "   ", self._hop_label(hop, under))
        items: list[LogLine | TextLine | Send] = [*hop.lines[:_MAX_LINES], *hop.texts, *hop.sends]
        items.sort(key=lambda item: item.at_ms)
        left = len(hop.sends)
        bar = rest + (self._bar if left else "   ")
        if hop.ids_added:
            ids = "  ".join(
                f"{name.removeprefix(wire.PREFIX)}={value}" for name, value in hop.ids_added.items()
            )
            yield Row(bar, bar + "  ", Text.assemble("ids  ", (self._shown(ids), "cyan")))
        for item in items:
            if isinstance(item, Send):
                left -= 1
                yield self._send(item, *self._below(rest, last=not left))
                bar = rest + (self._bar if left else "   ")
            else:
                # A stack that every delivery has is shown once, with the last.
                for line in self._line(item, stack=hop.delivery == hop.deliveries):
                    yield Row(bar, bar + "  ", line)
        hidden = len(hop.lines) - _MAX_LINES
        if hidden > 0:
            yield Row(bar, bar, Text(f"{_count(hidden, 'more line')} (--json has them all)", "dim"))
        if hop.broken is not None:
            logged = {
                (one.exception.type, one.exception.message) for one in hop.lines if one.exception
            }
            if hop.exception and (hop.exception.type, hop.exception.message) not in logged:
                for line in self._stack(hop.exception):
                    yield Row(bar, bar + "  ", line)
            why = self._shown(hop.error) if hop.error else self._thrown(hop.exception)
            yield Row(bar, bar + "  ", _break(self._shown(hop.broken.kind, 40), why.rstrip(": ")))

    def _hop_label(self, hop: Hop, under: int | None) -> Text:
        word, style = _OUTCOMES.get(hop.outcome, (self._shown(hop.outcome, 40), "bold red"))
        word = hop.ending.upper() or word
        label = Text()
        if under is not None:
            label.append(f"hop {hop.number}, under hop {under}: ", "dim")
        label.append(self._shown(hop.function, 140) or "a function", "bold")
        source = source_name(hop.source)
        if source:
            label.append(f"  {self._shown(source, 40)}")
        label.append(f"  +{hop.at_ms - self._story.at_ms} ms", "dim")
        if hop.duration_ms is not None:
            label.append(f"  took {_length(hop.duration_ms)}")
        if word:
            label.append("  ").append(word, style)
        said = [
            *([f"delivery {hop.delivery} of {hop.deliveries}"] if hop.deliveries > 1 else []),
            *([f"{hop.attempts} attempts"] if hop.attempts > 1 else []),
            *(["cold start"] if hop.cold_start else []),
            *([self._shown(hop.note)] if hop.note else []),
        ]
        if said:
            label.append(f"  ({'; '.join(said)})", "dim")
        return label

    def _send(self, send: Send, first: str, rest: str, by: str = "") -> _Rows:
        """A send and the hops that received it."""
        name = target_name(send.service, send.operation, send.target)
        label = Text("-> ", "dim")
        label.append(self._shown(name, 140))
        if by:
            label.append(f"  by {self._shown(by, 140)}")
        label.append(f"  +{send.at_ms - self._story.at_ms} ms", "dim")
        if send.status and send.service == "http":
            label.append(f"  answered {send.status}", "red" if send.status >= 500 else "")
        if send.note:
            label.append(f"  ({self._shown(send.note)})", "dim")
        yield Row(first, rest + "   ", label)
        below = [self._story.hop(number) for number in send.received_by]
        new = [hop for hop in below if hop.joined and hop.number not in self._drawn]
        elsewhere = sorted({hop.number for hop in below} - {hop.number for hop in new})
        for number in elsewhere:
            yield Row(rest, rest, Text(f"received by hop {number}, shown elsewhere", "dim"))
        for hop in new:
            first_below, rest_below = self._below(rest, last=hop is new[-1])
            flat = rest_below == rest
            yield self._hop(hop, first_below, rest_below, under=hop.above if flat else None)
        if send.broken is not None:
            error = send.error or (f"answered {send.status}" if send.status >= 400 else "")
            yield Row(rest, rest + "  ", _break(send.broken.kind, self._shown(error)))

    def _line(self, line: LogLine | TextLine, *, stack: bool) -> Iterator[Text]:
        """A log line, and below it the end of its exception."""
        if not isinstance(line, LogLine):
            who = ("LAMBDA   ", "yellow") if is_lambdas(line) else ("TEXT     ", "green")
            yield Text.assemble(who, self._shown(line.message))
            return
        text = Text()
        text.append(f"{self._shown(line.level, 20):<8} ", _LEVELS.get(line.level, "green"))
        dim = "dim" if line.level == "DEBUG" else ""
        text.append(self._shown(line.message), dim)
        for name, value in list(line.fields.items())[:_MAX_FIELDS]:
            shown = value if isinstance(value, str) else encode(value)
            text.append(f"  {self._shown(name, 40)}={self._shown(shown, _MAX_FIELD)}", "dim")
        if len(line.fields) > _MAX_FIELDS:
            text.append(f"  and {len(line.fields) - _MAX_FIELDS} more", "dim")
        if line.flight_recorder:
            text.append("  (flight recorder)", "dim")
        if line.cut:
            text.append("  (its end was cut off)", "dim")
        yield text
        if line.exception is not None:
            if stack:
                yield from self._stack(line.exception)
            yield Text(f"{_INDENT}{self._thrown(line.exception)}", "red")

    def _stack(self, thrown: Thrown) -> Iterator[Text]:
        """The innermost frames, of the caller's own code and what it called."""
        # The last line of a stack is the exception itself; others only point at a column.
        frames = [one.strip() for one in thrown.stack[:-1] if one.strip(" ^~")]
        for frame in (_without_own(frames) or frames)[-_STACK_TAIL:]:
            found = _FRAME(frame)
            if found:
                frame = f"{'/'.join(found[1].split('/')[-2:])}:{found[2]} in {found[3]}"  # noqa: PLW2901
            indent = _INDENT if found else f"{_INDENT}  "
            yield Text(f"{indent}{self._shown(frame, _MAX_FIELD)}", "dim")

    def _end(self) -> Iterator[Row]:
        story = self._story
        yield Row("", "", Text(" "))
        if any(not hop.span for hop in story.hops):
            said = "Of some hops only the id is known, no span, so they could not be joined."
            yield Row("", "", Text(said, "yellow"))
        for note in story.notes:
            yield Row("", "", Text(f"{self._shown(note)}.", "yellow"))
        for gap in story.gaps[:_MAX_BREAKS]:
            gap_text = Text.assemble(
                ("GAP    ", "bold yellow"), (self._shown(gap.sentence, _MAX_SENTENCE), "yellow")
            )
            yield Row("", "       ", gap_text)
        if not story.breaks:
            whole = "." if story.gaps else ", and nothing that was sent is missing."
            yield Row("", "", Text(f"Nothing broke{whole}", "green"))
            return
        for broken in story.breaks[:_MAX_BREAKS]:
            yield Row("", "       ", _break(self._shown(broken.sentence, _MAX_SENTENCE), ""))
            if broken.unknown:
                yield Row(_PAST, _PAST, Text(self._shown(broken.unknown, _MAX_SENTENCE), "dim"))
        more = len(story.breaks) - _MAX_BREAKS
        if more > 0:
            yield Row("", "", Text(f"{_count(more, 'more break')} (--json has them all)", "red"))

    def _below(self, rest: str, *, last: bool) -> tuple[str, str]:
        """What stands before a line one level down, and before its continuation."""
        if len(rest) >= self._deepest:
            return rest, rest
        return rest + (self._last if last else self._branch), rest + ("   " if last else self._bar)

    def _thrown(self, thrown: Thrown | None) -> str:
        return self._shown(f"{thrown.type}: {thrown.message}") if thrown is not None else ""

    def _shown(self, text: str, most: int = _MAX_MESSAGE) -> str:
        cut = text if len(text) <= most else f"{text[:most]}…"
        return visible(cut, ascii_only=self._ascii_only)


def _without_own(frames: list[str]) -> list[str]:
    """Without clew's frames and the lines of code below each: they call, or are called, for it."""
    kept, own = [], False
    for frame in frames:
        found = _FRAME(frame)
        own = _OWN(found[1]) is not None if found else own
        if not own:
            kept.append(frame)
    return kept


def _break(what: str, why: str) -> Text:
    return Text.assemble(("BREAK  ", "bold red"), (f"{what}: {why}" if why else what, "red"))


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _length(ms: float) -> str:
    return f"{ms:.0f} ms" if ms >= 10 or ms == int(ms) else f"{ms:.1f} ms"

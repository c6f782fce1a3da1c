"""A story as one HTML file: for a ticket, or for somebody without clew. Pure.

It has no script and loads nothing, and its own policy forbids both. What a log holds is hostile:
all of it passes through `_text`, which spells out what a browser would obey or hide, and escapes
the rest.
"""

from __future__ import annotations

import base64
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING

from clew.stories.html_style import STYLE
from clew.stories.naming import rfc3339
from clew.stories.visible import visible
from clew.stories.web import words
from clew.stories.web.waterfall import waterfall

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.stories.model import Story
    from clew.stories.web.entry import Shown
    from clew.stories.web.waterfall import Row, Sent

_MAX_ROWS = 2_000
_MAX_BREAKS = 50
_MAX_TEXT = 2_000
_HASH = base64.b64encode(sha256(STYLE.encode()).digest()).decode()
#: Nothing is loaded, run, sent or embedded; the one stylesheet is known by its hash.
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"


def story_html(story: Story) -> str:
    """The story as a whole page, that opens without clew, without a network, in any browser."""
    return "\n".join(_page(story)) + "\n"


def _page(story: Story) -> Iterator[str]:
    drawn = waterfall(story, most=_MAX_ROWS)
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="referrer" content="no-referrer">'
    yield '<meta name="robots" content="noindex">'
    yield f"<title>Story of {_text(story.id, 64)}</title>"
    yield f"<style>{STYLE}</style>\n</head>\n<body>\n<main>"
    yield f"<h1>Story of <code>{_text(story.id, 256)}</code></h1>"
    yield from _facts(story)
    yield from _verdict(story, drawn.rows)
    yield '<section aria-label="Waterfall">'
    ticks = "".join(f"<span>{_text(said)}</span>" for _, said in drawn.ticks)
    yield f'<div class="axis" aria-hidden="true">{ticks}</div>'
    for row in drawn.rows:
        yield from _row(row)
    if drawn.hidden:
        yield f'<p class="dim">and {drawn.hidden:,} more rows, which only the JSON has</p>'
    yield "</section>"
    yield "<footer>Rebuilt by clew from the log lines of the functions. Times are UTC.</footer>"
    yield "</main>\n</body>\n</html>"


def _facts(story: Story) -> Iterator[str]:
    facts = [
        rfc3339(story.at_ms),
        words.length(story.duration_ms),
        f"{_count(len(story.hops), 'hop')} in {_count(len(story.functions), 'function')}",
        *(["DEBUG was on"] if story.debug else []),
        *([f"for {story.user_agent}"] if story.user_agent else []),
        *(f"trace {trace}" for trace in story.trace_ids[:2]),
    ]
    yield f'<p class="facts">{"".join(f"<span>{_text(one, 200)}</span>" for one in facts)}</p>'


def _verdict(story: Story, rows: tuple[Row, ...]) -> Iterator[str]:
    if story.breaks:
        anchors = {row.broken: row.anchor for row in reversed(rows) if row.broken}
        several = len(story.breaks) > 1
        said = f"It broke in {len(story.breaks)} places" if several else "It broke here"
        yield f'<section class="broke"><h2>{said}</h2><ol>'
        for one in story.breaks[:_MAX_BREAKS]:
            sentence = _text(one.sentence)
            anchor = anchors.get(one.sentence)
            linked = f'<a href="#{_text(anchor)}">{sentence}</a>' if anchor else sentence
            more = f' <span class="dim">{_text(one.unknown)}</span>' if one.unknown else ""
            yield f"<li>{linked}{more}</li>"
        yield "</ol>"
        if len(story.breaks) > _MAX_BREAKS:
            yield f'<p class="dim">and {len(story.breaks) - _MAX_BREAKS:,} more</p>'
        yield "</section>"
    elif story.awaited_since_ms() is not None:
        yield '<p class="verdict open">It still ran, or something of it was not logged yet.</p>'
    else:
        whole = "." if story.gaps else ", and nothing that was sent is missing."
        yield f'<p class="verdict">Nothing broke{whole}</p>'
    for gap in story.gaps[:_MAX_BREAKS]:
        yield f'<p class="note">{_text(gap.sentence)}</p>'
    for note in story.notes:
        yield f'<p class="note">{_text(note)}.</p>'


def _row(row: Row) -> Iterator[str]:
    shown = " open" if row.open else ""
    yield f'<details class="{_text(row.tone)}" id="{_text(row.anchor)}"{shown}>'
    said = f"<b>{_text(row.name)}</b>"
    said += f'<i class="by">{_text(row.by)}</i>' if row.by else ""
    said += f'<em class="word">{_text(row.word)}</em>' if row.word else ""
    said += "".join(f'<span class="small">{_text(one)}</span>' for one in row.said)
    when = f"+{words.length(row.offset_ms)}" if row.offset_ms >= 0 else f"{row.offset_ms} ms"
    yield (
        f'<summary><span class="who d{row.depth}">{said}</span><span class="when">{when}</span>'
        f'<span class="took">{_text(row.took)}</span>{_bar(row)}</summary>'
    )
    yield '<div class="inside">'
    if row.broken:
        yield f'<p class="broken">{_text(row.broken)}</p>'
    if row.ids:
        ids = "  ".join(f"{_text(name)}={_text(value)}" for name, value in row.ids)
        yield f'<p class="ids"><span class="dim">ids added</span> {ids}</p>'
    for item in row.items:
        if item.line is not None:
            yield _line(item.offset_ms, item.line, stack=_is_last(row))
        elif item.send is not None:
            yield _send(item.send)
    if row.hidden:
        yield f'<p class="dim">and {row.hidden:,} more lines, which only the JSON has</p>'
    if row.thrown:
        thrown = f'<span class="thrown">{_text(row.thrown)}</span>{_stack(row.stack)}'
        yield _cells("error", "", "RAISED", thrown)
    facts = "".join(
        f"<span><i>{_text(name)}</i> {_text(value)}</span>" for name, value in row.facts
    )
    if facts:
        yield f'<p class="facts">{facts}</p>'
    yield "</div>\n</details>"


def _is_last(row: Row) -> bool:
    return row.hop is None or row.hop.delivery == row.hop.deliveries


def _bar(row: Row) -> str:
    marks = "".join(f'<path class="mark" d="M{mark} 1V13"/>' for mark in row.marks)
    drawn = (
        f'<rect x="{row.at}" y="2" width="{max(row.wide, 2)}" height="10"/>{marks}'
        if row.hop is not None
        else f'<path class="lost" d="M{row.at} 1V13"/>'
    )
    return (
        '<svg class="bar" viewBox="0 0 1000 14" preserveAspectRatio="none" aria-hidden="true">'
        f'<path class="grid" d="M250 0V14M500 0V14M750 0V14"/>{drawn}</svg>'
    )


def _line(offset_ms: int, line: Shown, *, stack: bool) -> str:
    said = _text(line.message)
    said += "".join(
        f' <span class="field">{_text(name)}={_text(value)}</span>' for name, value in line.fields
    )
    if line.more_fields > 0:
        said += f' <span class="field">and {line.more_fields} more</span>'
    if line.flight_recorder:
        said += ' <span class="field">(flight recorder)</span>'
    if line.thrown:
        said += f'<span class="thrown">{_text(line.thrown)}</span>'
    if stack:
        said += _stack(line.stack)
    return _cells(line.tone, f"+{offset_ms} ms", line.level, said)


def _send(sent: Sent) -> str:
    said = _text(sent.name)
    if sent.answer:
        said += f' <span class="field">answered {_text(sent.answer)}</span>'
    said += "".join(f' <a href="#hop-{number}">hop {number}</a>' for number in sent.hops[:20])
    if sent.note:
        said += f' <span class="field">{_text(sent.note)}</span>'
    for wrong in (sent.error, sent.broken):
        said += f'<span class="thrown">{_text(wrong)}</span>' if wrong else ""
    return _cells("error" if sent.bad else "", f"+{sent.offset_ms} ms", "→", said)


def _cells(tone: str, at: str, level: str, said: str) -> str:
    return (
        f'<div class="row {_text(tone)}"><span class="at">{_text(at)}</span>'
        f'<span class="level">{_text(level)}</span><span class="said">{said}</span></div>'
    )


def _stack(frames: tuple[str, ...]) -> str:
    return f"<pre>{chr(10).join(map(_text, frames))}</pre>" if frames else ""


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number:,} {what}s"


def _text(text: str, most: int = _MAX_TEXT) -> str:
    """Whatever a log may hold, as text: also within an attribute."""
    return escape(visible(text if len(text) <= most else f"{text[:most]}…"))

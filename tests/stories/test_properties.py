"""For lines of any shape: nothing raises, and every receive is in the story exactly once."""

from __future__ import annotations

import io
import json
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from clew.stories.lines import RawLine
from clew.stories.parse import read
from clew.stories.reconstruct import reconstruct
from clew.stories.terminal import print_story
from clew.stories.to_json import story_json

# Few of each, so that they meet: parents that are nobody's, circles, repeats.
SPANS = st.sampled_from(["", *(f"{number:016x}" for number in range(6))])
IDS = st.sampled_from(["request-1", "request-2", ""])
NAMES = st.sampled_from(["f", "g", ""])
TIMES = st.integers(0, 5000)


@st.composite
def entries(draw: st.DrawFn) -> dict[str, object]:
    entry = {
        "span": draw(SPANS),
        "parent": draw(SPANS),
        "id": draw(IDS),
        "outcome": draw(st.sampled_from(["done", "failed", "pending", "ok", "error", "skipped"])),
        "at": f"2026-01-02T03:04:05.{draw(st.integers(0, 999)):03d}Z",
        "service": draw(st.sampled_from(["sns", "http", "lambda", "kinesis"])),
        "attempts": draw(st.integers(0, 2)),
        "error": draw(st.text(max_size=5)),
        "status": draw(st.sampled_from([0, 200, 500])),
    }
    dropped = draw(st.sets(st.sampled_from(sorted(entry)), max_size=3))
    return {name: value for name, value in entry.items() if name not in dropped}


@st.composite
def lines(draw: st.DrawFn) -> RawLine:
    message: dict[str, object] = {
        "message": draw(st.text(max_size=5)),
        "function": draw(NAMES),
        "requestId": draw(NAMES),
        "x-correlation-id": draw(IDS),
        "spanId": draw(SPANS),
        "parentSpanId": draw(SPANS),
    }
    if draw(st.booleans()):
        message |= {
            "message": "invocation",
            "logger": "clew",
            "outcome": draw(st.sampled_from(["ok", "error"])),
            "received": draw(st.lists(entries(), max_size=3)),
            "sent": draw(st.lists(entries(), max_size=3)),
        }
    text = json.dumps(message)
    return RawLine(draw(TIMES), "/aws/lambda/f", "stream", text)


@given(st.lists(lines(), max_size=12), st.sampled_from([20, 80, 200]))
def test_every_receive_is_one_hop(raw: list[RawLine], width: int) -> None:
    parsed = read(raw)
    story = reconstruct(parsed, "request-1")
    received = [
        entry for one in parsed.invocations for entry in one.received if entry.id == "request-1"
    ]
    spans = Counter(hop.span for hop in story.hops)
    spanless = spans.pop("", 0)
    assert set(spans.values()) <= {1}
    assert {entry.span for entry in received if entry.span} <= spans.keys()
    assert sum(not entry.span for entry in received) <= spanless
    logged = {line.span for line in parsed.ordinary if line.id == "request-1" and line.span}
    own = {one.line.span for one in parsed.invocations if one.line.id == "request-1"}
    of_entries = {entry.span for entry in received if entry.span}
    assert spans.keys() <= of_entries | logged | own
    # Every line of the request is under exactly one hop.
    shown = Counter(id(line) for hop in story.hops for line in hop.lines)
    assert set(shown.values()) <= {1}
    assert {id(line) for line in parsed.ordinary if line.id == "request-1"} <= shown.keys()
    # The tree is one: each hop after the hop above it, one level deeper.
    assert [hop.number for hop in story.hops] == list(range(1, len(story.hops) + 1))
    for hop in story.hops:
        if hop.above is not None:
            assert hop.above < hop.number
            assert hop.depth == story.hop(hop.above).depth + 1
        assert hop.at_ms >= story.at_ms
    json.loads(json.dumps(story_json(story), allow_nan=False))
    out = io.StringIO()
    print_story(story, Console(file=out, width=width, highlight=False))
    for hop in story.hops:
        assert out.getvalue().count(f"+{hop.at_ms - story.at_ms} ms") >= 1

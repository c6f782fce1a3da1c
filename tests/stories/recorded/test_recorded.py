"""What really broke, in the local cloud, is what its story says; whatever becomes of the lines."""

from __future__ import annotations

import io
import json
import random
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from clew.stories.lines import Invocation, LogLine, RawLine, names
from clew.stories.model import BREAK_KINDS, GAP_KINDS, Story
from clew.stories.parse import parse, read
from clew.stories.reconstruct import reconstruct
from clew.stories.terminal import print_story
from clew.stories.to_json import story_json

from .replay import NAMES, SETS, expected, raw_lines, seen

if TYPE_CHECKING:
    from collections.abc import Sequence

CHECKOUT = Path(__file__).parents[3]
MACHINE = (f"{CHECKOUT.parent}/", "/home/", "/root", "/usr/lib", "site-packages", "/tmp/")


@cache
def lines_of(name: str) -> tuple[RawLine, ...]:
    return tuple(raw_lines(name))


def story_of(lines: Sequence[RawLine], name: str) -> Story:
    return reconstruct(read(lines), expected(name)["id"])


def test_there_is_a_set_for_every_kind() -> None:
    assert len(NAMES) >= 50
    told = [expected(name) for name in NAMES]
    kinds = {one["kind"] for each in told for one in each["breaks"]}
    # Policies that skip or return, and batches that end early, have tests of their own.
    assert set(BREAK_KINDS) - kinds == {"pending", "returned", "skipped"}
    assert {one["kind"] for each in told for one in each["gaps"]} == set(GAP_KINDS)


@pytest.mark.parametrize("name", NAMES)
def test_the_story_says_what_broke(name: str) -> None:
    told = expected(name)
    story = story_of(lines_of(name), name)
    assert seen(story) == {member: told[member] for member in ("breaks", "gaps", "notes", "tree")}
    assert told["what"]


@pytest.mark.parametrize("name", NAMES)
def test_the_break_is_the_first_and_the_last_thing_that_one_sees(name: str) -> None:
    story = story_of(lines_of(name), name)
    out = io.StringIO()
    print_story(story, Console(file=out, width=120, highlight=False))
    shown = out.getvalue().splitlines()
    if not story.breaks:
        assert shown[-1].startswith("Nothing broke")
        return
    assert shown[2].startswith(f"Broke at {story.breaks[0].function}: {story.breaks[0].kind}")
    ends = [row for row in shown if row.startswith("BREAK  ")]
    assert len(ends) == len(story.breaks)
    in_place = [row for row in shown if "BREAK  " in row and not row.startswith("BREAK")]
    assert len(in_place) == len(story.breaks)


@pytest.mark.parametrize("name", NAMES)
def test_a_set_is_small_and_names_no_machine(name: str) -> None:
    text = (SETS / f"{name}.ndjson").read_text("utf-8")
    assert len(text) < 60_000
    assert not [one for one in MACHINE if one in text]


@st.composite
def mistreated(draw: st.DrawFn) -> tuple[str, list[RawLine]]:
    """The lines of a set: shuffled, some of them left out, doubled, changed or cut."""
    name = draw(st.sampled_from(NAMES))
    chance = random.Random(draw(st.integers(0, 2**32)))
    lines: list[RawLine] = []
    for line in lines_of(name):
        fate = chance.random()
        if fate < 0.1:
            continue
        if fate < 0.2:
            lines.append(line)
        lines.append(changed(line, chance) if fate > 0.8 else line)
    if chance.random() < 0.7:
        chance.shuffle(lines)
    return name, lines


def changed(line: RawLine, chance: random.Random) -> RawLine:
    message = line.message
    place = chance.randrange(len(message) + 1)
    match chance.randrange(6):
        case 0:
            message = message[:place]
        case 1:
            message = message[:place] + chance.choice('{}[]",:\\0x\ud800-') + message[place + 1 :]
        case 2:
            message = message[:place] + message[place + chance.randrange(50) :]
        case 3:
            return line._replace(at_ms=line.at_ms + chance.randrange(-(10**6), 10**6))
        case 4:
            try:
                found = json.loads(message)
            except ValueError:
                return line._replace(stream="")
            if isinstance(found, dict) and found:
                member = chance.choice(sorted(found))
                found[member] = chance.choice([None, 0, "", [], {}, "0", -1, [{}], found])
                message = json.dumps(found, default=str) if found[member] is not found else message
        case _:
            return line._replace(log_group=chance.choice(["", "/aws/lambda/other"]))
    return line._replace(message=message)


@settings(max_examples=120)
@given(mistreated())
def test_whatever_becomes_of_the_lines_there_is_a_story(drawn: tuple[str, list[RawLine]]) -> None:
    name, lines = drawn
    wanted = expected(name)["id"]
    story = story_of(lines, name)
    check_tree(story)
    json.dumps(story_json(story), allow_nan=False)
    print_story(story, Console(file=io.StringIO(), width=80, highlight=False))
    check_nothing_lost(story, lines, wanted)
    again = story_of(lines, name)
    assert again == story


def check_tree(story: Story) -> None:
    """Each hop stands once, after and one below the hop above it: there is no cycle."""
    assert [hop.number for hop in story.hops] == list(range(1, len(story.hops) + 1))
    for hop in story.hops:
        if hop.above is None:
            assert hop.depth == 0
        else:
            assert hop.above < hop.number
            assert hop.depth == story.hop(hop.above).depth + 1
    received = [number for send in story.all_sends() for number in send.received_by]
    assert set(received) <= {hop.number for hop in story.hops}
    verdicts = [hop.broken for hop in story.hops] + [send.broken for send in story.all_sends()]
    broken = [one for one in verdicts if one is not None]
    assert sorted(broken, key=id) == sorted(story.breaks, key=id)
    assert {one.kind for one in story.breaks} <= set(BREAK_KINDS)
    for gap in story.gaps:
        assert gap.kind in GAP_KINDS
        assert set(gap.hops) <= {hop.number for hop in story.hops}


def check_nothing_lost(story: Story, lines: list[RawLine], wanted: str) -> None:
    """Every line that has the id is in the story: as a line, or as what its hop is made of."""
    has_it = names(wanted)
    shown = {line.message for hop in story.hops for line in hop.lines}
    shown |= {text.message for hop in story.hops for text in hop.texts}
    spans = {hop.span for hop in story.hops}
    for raw in lines:
        one = parse(raw)
        if isinstance(one, LogLine):
            if one.id == wanted or (one.text and has_it(one.text)):
                assert one.message in shown
        elif isinstance(one, Invocation):
            assert {entry.span for entry in one.received if entry.id == wanted} <= spans
            if one.line.id == wanted and not one.received:
                assert one.line.span in spans
        elif has_it(one.message) and not one.bookkeeping:
            assert one.message in shown

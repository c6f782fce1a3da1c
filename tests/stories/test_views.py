"""For stories of any shape: they are compared, written as HTML, followed and found all the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from clew.stories.diff import compare, comparison_json
from clew.stories.follow import events
from clew.stories.model import Hop
from clew.stories.parse import read
from clew.stories.reconstruct import reconstruct
from clew.stories.to_html import story_html
from clew.stories.words import matches, words_of

from .runtime import Run, story_of
from .test_properties import lines
from .test_to_html import Page

if TYPE_CHECKING:
    from clew.stories.lines import RawLine

STORIES = st.lists(lines(), max_size=8)
FEW = settings(max_examples=40)


@FEW
@given(STORIES, STORIES)
def test_two_stories_of_any_shape_are_compared(left: list[RawLine], right: list[RawLine]) -> None:
    first, second = (reconstruct(read(one), "request-1") for one in (left, right))
    compared = compare(first, second)
    json.dumps(comparison_json(compared), allow_nan=False)
    for side, story in (("first", first), ("second", second)):
        numbers = [
            node.number for row in compared.rows if isinstance(node := getattr(row, side), Hop)
        ]
        assert len(numbers) == len(set(numbers))
        tops = {hop.number for hop in story.hops if not hop.joined}
        assert tops <= set(numbers)
    itself = compare(first, first)
    assert (itself.parting, itself.differences, itself.slower) == ("", (), ())


@FEW
@given(STORIES)
def test_a_story_of_any_shape_is_a_page_and_a_list_of_events(raw: list[RawLine]) -> None:
    story = reconstruct(read(raw), "request-1")
    page = Page(story_html(story))
    assert page.open == []
    found = events(story)
    assert found == sorted(found, key=lambda one: one.at_ms)
    assert sum(one.what[0] == "hop" for one in found) == len(story.hops)


@FEW
@given(STORIES, st.text(max_size=10))
def test_words_are_looked_for_in_lines_of_any_shape(raw: list[RawLine], text: str) -> None:
    words = words_of(text)
    found = matches(raw, (*words, "request"))
    known = set(read(raw).latest_ids())
    assert known <= found.keys()
    assert all(one.words <= {*words, "request"} for one in found.values())


def test_what_was_sent_again_does_not_double_what_is_compared_at_every_step() -> None:
    runs, parent = [], ""
    for number in range(40):
        run = Run(f"f{number}", at=number)
        sent = run.send(run.receive(answers=parent))
        run.invocation.sent.append(sent)  # as a client does that tries again
        run.end()
        runs.append(run)
        parent = sent.span_id
    story = story_of(*runs)
    compared = compare(story, story)
    assert len(compared.rows) == 40 + 80

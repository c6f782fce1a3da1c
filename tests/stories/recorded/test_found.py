"""What `find_story` asks a log for: the recorded stories are found whole, not by their id alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clew.stories import StoryError, find_story

from .replay import NAMES, expected, raw_lines, seen

if TYPE_CHECKING:
    from datetime import datetime

    from clew.stories.lines import RawLine

#: Read while something is still to come, or of which only the id is logged after a cut.
SETS = [name for name in NAMES if not name.startswith("clock-")]


class Searched:
    """A log that gives only the lines with a text in them, as CloudWatch Logs does."""

    name = "a recorded set"

    def __init__(self, name: str) -> None:
        self._lines = raw_lines(name)

    def lines(
        self, text: str | None, since: datetime | None = None, until: datetime | None = None
    ) -> list[RawLine]:
        return [line for line in self._lines if text is None or text in line.message]


@pytest.mark.parametrize("name", SETS)
def test_the_story_is_found_whole_by_searching(name: str) -> None:
    told = expected(name)
    story = find_story(Searched(name), told["id"], wait_s=0)
    assert seen(story) == {member: told[member] for member in ("breaks", "gaps", "notes", "tree")}


def test_an_id_that_only_functions_without_clew_have_is_found() -> None:
    own = Searched("only-an-id")
    own._lines = [line for line in own._lines if line.log_group.endswith("/shop-forgetful")]
    story = find_story(own, expected("only-an-id")["id"], wait_s=0)
    (hop,) = story.hops
    assert len(hop.lines) + len(hop.texts) == 2
    with pytest.raises(StoryError):
        find_story(own, "nothing to see", wait_s=0)

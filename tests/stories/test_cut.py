"""What can be read of a line whose end is missing."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from clew.stories.cut import members_of
from clew.stories.lines import LogLine, RawLine
from clew.stories.parse import parse

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=6), st.data())
def test_what_is_whole_is_read_and_nothing_else(
    value: dict[str, object], data: st.DataObject
) -> None:
    text = json.dumps(value, indent=data.draw(st.sampled_from([None, 1])))
    assert members_of(text) == value
    found = members_of(text[: data.draw(st.integers(0, len(text)))])
    names = list(value)[: len(found)]
    assert list(found) == names
    # Of the last one there may be a part, if it is a list or an object; the others are whole.
    assert all(found[name] == value[name] for name in names[:-1])
    for name in names[-1:]:
        if isinstance(value[name], int) and type(value[name]) is int:
            assert str(value[name]).startswith(str(found[name]))  # a number that was cut in two
        elif not isinstance(value[name], list | dict):
            assert found[name] == value[name]


@given(st.text(max_size=60))
def test_anything_is_read_somehow(text: str) -> None:
    assert isinstance(members_of("{" + text), dict)


def test_lines_are_read_as_far_as_they_go() -> None:
    whole = json.dumps(
        {"message": "m", "x-correlation-id": "r", "spanId": "a" * 16, "big": "x" * 99}
    )
    line = parse(RawLine(1, "/aws/lambda/f", "s", whole[:-50]))
    assert isinstance(line, LogLine)
    assert (line.message, line.id, line.cut, dict(line.fields)) == ("m", "r", True, {})
    line = parse(RawLine(1, "/aws/lambda/f", "s", whole))
    assert isinstance(line, LogLine)
    assert not line.cut
    # Half a line of somebody else's stays what it is: text.
    assert not isinstance(parse(RawLine(1, "g", "s", '{"message": "m", "big')), LogLine)

"""The picture of a stream's shards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.cli.streams_map import balance, bar, megabytes, picture, place
from clew.scaling.model import KEY_SPACE, ShardMap


def lines(shards: ShardMap, used: list[float], width: int, *, ascii_only: bool) -> list[str]:
    return [line.plain for line in picture(shards, used, width, ascii_only=ascii_only)]


@given(
    st.sets(st.integers(1, KEY_SPACE - 1), max_size=120),
    st.integers(20, 140),
    st.booleans(),
    st.data(),
)
def test_every_line_has_the_width_and_every_shard_its_place(
    cuts: set[int], width: int, ascii_only: bool, data: st.DataObject
) -> None:
    shards = ShardMap.of_cuts(sorted(cuts))
    used = data.draw(
        st.lists(st.floats(0, 3), min_size=len(shards), max_size=len(shards)), label="used"
    )
    drawn = lines(shards, used, width, ascii_only=ascii_only)
    assert {len(line) for line in drawn} == {width}
    assert len(drawn) == (5 if any(used) else 2)
    ruler = drawn[-2]
    marked = {at for at, mark in enumerate(ruler) if mark not in "─-"}
    assert marked == {min(cut * width // KEY_SPACE, width - 1) for cut in (0, *cuts)}
    assert not ascii_only or all(line.isascii() for line in drawn)


def test_full_shards_stand_out() -> None:
    shards = ShardMap.even(4)
    drawn = list(picture(shards, [0.1, 0.8, 1.2, 0.0], 40))
    assert [line.plain[15] for line in drawn[:3]] == ["▃", "█", "█"]
    assert [line.plain[35] for line in drawn[:3]] == [" ", " ", " "]
    colours = {str(span.style) for line in drawn[:3] for span in line.spans}
    assert colours == {"green", "yellow", "red"}


@pytest.mark.parametrize(("part", "filled"), [(0, 0), (0.01, 1), (0.5, 5), (1, 10), (7, 10)])
def test_a_bar_is_as_full_as_it_says(part: float, filled: int) -> None:
    assert bar(part, 10).plain == "█" * filled + "░" * (10 - filled)
    assert bar(part, 10, ascii_only=True).plain == "#" * filled + "." * (10 - filled)


def test_numbers_are_written_for_people() -> None:
    assert [megabytes(n) for n in (12, 4_200, 1_240_000)] == ["12 B/s", "4 kB/s", "1.24 MB/s"]
    assert place(KEY_SPACE // 8) == "12.5%"
    assert balance(ShardMap.of_cuts([KEY_SPACE // 4])) == 3.0

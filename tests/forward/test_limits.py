"""Room under a service's limit, and sizes in bytes."""

from __future__ import annotations

import pytest

from clew.forward.limits import length, room


@pytest.mark.parametrize(("own", "left"), [(0, 10), (4, 6), (10, 0), (11, 9), (20, 0), (21, 0)])
def test_room_is_up_to_the_first_limit_that_holds_it(own: int, left: int) -> None:
    assert room(own, (10, 20)) == left


@pytest.mark.parametrize(
    ("value", "size"),
    [("abc", 3), ("é", 2), ("\ud800", 3), (b"abc", 3), (bytearray(b"ab"), 2), (None, 0), (5, 0)],
)
def test_lengths_are_bytes(value: object, size: int) -> None:
    assert length(value) == size

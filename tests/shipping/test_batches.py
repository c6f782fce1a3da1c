"""Requests keep every line once, in order, and their bounds."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from clew.shipping.batches import Parcel, halves, requests_of

from .making import lines

(LINE,) = lines("hello")


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 10), st.integers(1, 100))
def test_nothing_is_lost_or_doubled(sizes: list[int], most: int, max_bytes: int) -> None:
    parcels = [Parcel(LINE, bytes([n % 256]) * size) for n, size in enumerate(sizes)]
    requests = list(requests_of(iter(parcels), most, max_bytes))
    assert [id(parcel) for request in requests for parcel in request] == [id(p) for p in parcels]
    for request in requests:
        assert 1 <= len(request) <= most
        assert sum(len(parcel.data) for parcel in request) <= max_bytes or len(request) == 1
    # None of them has room for the first one of the next.
    for one, following in itertools.pairwise(requests):
        more = sum(len(p.data) for p in one) + len(following[0].data)
        assert len(one) == most or more > max_bytes


@given(st.lists(st.integers(), min_size=2))
def test_halves_are_the_whole(values: list[int]) -> None:
    first, second = halves(values)
    assert first + second == values
    assert first
    assert second

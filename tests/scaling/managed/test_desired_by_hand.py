"""Where a shard is split by hand."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from clew.scaling.managed.desired_by_hand import halves
from clew.scaling.model import Load, Piece, Shard


@st.composite
def shards(draw: st.DrawFn) -> Shard:
    start = draw(st.integers(0, 2**100))
    end = start + draw(st.integers(2, 2**100))
    inner = draw(st.sets(st.integers(start + 1, end - 1), max_size=8))
    edges = [start, *sorted(inner), end]
    weights = draw(st.lists(st.integers(0, 1000), min_size=len(edges) - 1, max_size=len(edges) - 1))
    total = sum(weights)
    pieces = tuple(
        Piece(a, b, weight / total, weight / total)
        for (a, b), weight in zip(pairwise(edges), weights, strict=True)
        if total
    )
    return Shard(start, end, Load(1.0, 1.0), "shard", pieces)


def below(shard: Shard, key: int) -> float:
    """The share of the load under a key."""
    return sum(
        piece.bytes_share * min(max(key - piece.start, 0), piece.end - piece.start)
        / (piece.end - piece.start)
        for piece in shard.pieces
    )  # fmt: skip


@given(shards())
def test_a_split_leaves_half_of_the_known_load_on_each_side(shard: Shard) -> None:
    key = halves(shard)
    assert shard.start < key < shard.end
    if not shard.pieces:
        assert key == max((shard.start + shard.end) // 2, shard.start + 1)
        return
    # No other key is nearer, but by what one key alone weighs.
    steps = [below(shard, near) for near in (key - 1, key, key + 1)]
    assert steps[0] - 1e-6 <= 0.5 <= steps[2] + 1e-6 or key in (shard.start + 1, shard.end - 1)

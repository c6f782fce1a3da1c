"""The planner against brute force: every set of boundaries there is, on small streams."""

from __future__ import annotations

from itertools import combinations, pairwise
from math import ceil

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clew.scaling import (
    KEY_SPACE,
    Goal,
    Limits,
    Load,
    Piece,
    Shard,
    ShardMap,
    Situation,
    fewest_operations,
)

# One shard takes 100 bytes/s and 100 records/s here, and the target is all of it.
FULL = Situation(limits=Limits(shard_bytes_per_s=100, shard_records_per_s=100))
CLOSE = 2e-3  # how closely the lowest peak is looked for, and a little

cells = st.tuples(st.integers(0, 60), st.integers(0, 60))


def of_keys(keys: list[tuple[int, int]], cuts: set[int]) -> ShardMap:
    """A stream whose load lies in single keys, one to a stretch; ``cuts`` are before stretches."""
    edges = [KEY_SPACE * n // len(keys) for n in range(len(keys) + 1)]
    shards = []
    for first, end in pairwise([0, *sorted(cuts), len(keys)]):
        load = Load(sum(one[0] for one in keys[first:end]), sum(one[1] for one in keys[first:end]))
        pieces = []
        for n in range(first, end):
            middle = (edges[n] + edges[n + 1]) // 2
            of_bytes = keys[n][0] / load.bytes_per_s if load.bytes_per_s else 0.0
            of_records = keys[n][1] / load.records_per_s if load.records_per_s else 0.0
            pieces += [
                Piece(edges[n], middle, 0, 0),
                Piece(middle, middle + 1, of_bytes, of_records),
                Piece(middle + 1, edges[n + 1], 0, 0),
            ]
        shards.append(Shard(edges[first], edges[end], load, f"s{first}", tuple(pieces)))
    return ShardMap(tuple(shards))


def brute_force(
    keys: list[tuple[int, int]], before: set[int], cap: float, low: int, high: int
) -> tuple[int, float] | None:
    """The fewest operations and then the lowest peak, of all sets of boundaries."""
    found = []
    for size in range(len(keys)):
        if not low <= size + 1 <= high:
            continue
        for after in combinations(range(1, len(keys)), size):
            peak = max(
                max(sum(one[d] for one in keys[a:b]) for d in (0, 1))
                for a, b in pairwise([0, *after, len(keys)])
            )
            if peak <= cap:
                found.append((len(before ^ set(after)), peak / 100))
    return min(found, default=None)


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[tuple[int, int]], set[int], int, int]:
    keys = draw(st.lists(cells, min_size=1, max_size=8))
    inner = list(range(1, len(keys)))
    before = draw(st.sets(st.sampled_from(inner))) if inner else set()
    low = draw(st.integers(1, len(keys)))
    high = draw(st.integers(low, len(keys)))
    return keys, before, low, high


@given(stream=streams())
@settings(max_examples=300, deadline=None)
def test_no_set_of_boundaries_takes_fewer_operations_or_is_cooler_with_as_many(
    stream: tuple[list[tuple[int, int]], set[int], int, int],
) -> None:
    keys, before, low, high = stream
    best = brute_force(keys, before, 100, low, high)
    assume(best is not None)
    assert best is not None
    operations, peak = best
    plan = fewest_operations(of_keys(keys, before), Goal(1.0, at_least=low, at_most=high), FULL)
    assert len(plan.operations) == operations
    assert low <= plan.after <= high
    assert plan.reaches_target
    if operations:
        assert plan.peak <= peak * (1 + CLOSE) + CLOSE


@given(
    loads=st.lists(st.integers(0, 350), min_size=1, max_size=7),
    bounds=st.tuples(st.integers(1, 12), st.integers(0, 12)),
)
@settings(max_examples=300, deadline=None)
def test_nor_where_the_load_can_be_cut_anywhere(loads: list[int], bounds: tuple[int, int]) -> None:
    low, high = bounds[0], bounds[0] + bounds[1]
    best = None
    inner = range(1, len(loads))
    for size in range(len(loads)):
        for kept in combinations(inner, size):
            runs = list(pairwise([0, *kept, len(loads)]))
            needed = sum(max(1, ceil(sum(loads[a:b]) / 100)) for a, b in runs)
            if needed > high:
                continue
            merged = len(loads) - len(runs)
            operations = merged + max(needed, low) - len(runs)
            best = operations if best is None else min(best, operations)
    assume(best is not None)
    shards = ShardMap.of_cuts(
        ShardMap.even(len(loads)).cuts, [Load(load, load / 2) for load in loads]
    )
    plan = fewest_operations(shards, Goal(1.0, at_least=low, at_most=high), FULL)
    assert len(plan.operations) == best
    assert low <= plan.after <= high
    assert plan.reaches_target


@given(stream=streams(), target=st.floats(0.3, 1.0))
@settings(max_examples=300, deadline=None)
def test_the_operations_lead_from_the_one_to_the_other_and_never_out_of_bounds(
    stream: tuple[list[tuple[int, int]], set[int], int, int], target: float
) -> None:
    keys, before, low, high = stream
    shards = of_keys(keys, before)
    plan = fewest_operations(shards, Goal(target, low, high), FULL)
    cuts = set(shards.cuts)
    least, most = min(low, len(shards)), max(high, len(shards))
    for one in plan.operations:
        edges = sorted({0, KEY_SPACE, *cuts})
        if one.kind == "split":
            assert (one.start, one.end) in set(pairwise(edges))
            assert one.start < one.at < one.end
            cuts.add(one.at)
        else:
            around = edges.index(one.at)
            assert (edges[around - 1], edges[around + 1]) == (one.start, one.end)
            cuts.remove(one.at)
        assert least <= len(cuts) + 1 <= most
    assert tuple(sorted(cuts)) == plan.cuts
    assert len(plan.utilisation) == plan.after


@given(
    loads=st.lists(st.integers(0, 350), min_size=1, max_size=40),
    high=st.integers(1, 60),
)
@settings(max_examples=100, deadline=None)
def test_each_bound_is_kept_to_whatever_the_load(loads: list[int], high: int) -> None:
    shards = ShardMap.of_cuts(ShardMap.even(len(loads)).cuts, [Load(load) for load in loads])
    plan = fewest_operations(shards, Goal(0.7, 1, high), FULL)
    assert plan.after <= high
    if sum(loads) <= 70 * high:  # it can be had, if all are put elsewhere
        assert plan.reaches_target

"""What a stream looks like: ranges, loads, and what a sample of keys shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.scaling import KEY_SPACE, Limits, Load, ScalingError, Shard, ShardMap
from clew.scaling.model import sampled

LIMITS = Limits()


def test_even_shards_cover_the_key_space_and_share_the_load() -> None:
    shards = ShardMap.even(3, Load(3_000_000, 900))
    assert len(shards) == 3
    assert shards.cuts == (KEY_SPACE // 3, KEY_SPACE * 2 // 3)
    assert [shard.load for shard in shards.shards] == [Load(1_000_000, 300)] * 3
    assert shards.load == Load(3_000_000, 900)


def test_the_tighter_limit_counts() -> None:
    assert Load(524_288, 900).shards(LIMITS) == pytest.approx(0.9)
    assert Load(1_048_576, 900).shards(LIMITS) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("shards", "says"),
    [
        ((Shard(1, KEY_SPACE),), "begins at 1 where 0"),
        ((Shard(0, 10, id="shardId-1"), Shard(11, KEY_SPACE, id="shardId-2")), "shardId-2 begins"),
        ((Shard(0, 10), Shard(5, KEY_SPACE)), "begins at 5 where 10"),
        ((Shard(0, 10),), "end at hash key 10"),
        ((), "end at hash key 0"),
    ],
)
def test_what_is_no_partition_is_refused(shards: tuple[Shard, ...], says: str) -> None:
    with pytest.raises(ScalingError, match=says):
        ShardMap(shards)


def test_list_shards_is_read_without_the_closed_ones_in_any_order() -> None:
    middle = KEY_SPACE // 2

    def listed(name: str, start: int, end: int, *, closed: bool = False) -> dict[str, object]:
        numbers = {"StartingSequenceNumber": "1"} | (
            {"EndingSequenceNumber": "2"} if closed else {}
        )
        keys = {"StartingHashKey": str(start), "EndingHashKey": str(end)}
        return {"ShardId": name, "HashKeyRange": keys, "SequenceNumberRange": numbers}

    shards = ShardMap.listed(
        [
            listed("shardId-0", 0, KEY_SPACE - 1, closed=True),
            listed("shardId-2", middle, KEY_SPACE - 1),
            listed("shardId-1", 0, middle - 1),
        ],
        {"shardId-2": Load(5, 1)},
    )
    assert [shard.id for shard in shards.shards] == ["shardId-1", "shardId-2"]
    assert [shard.load for shard in shards.shards] == [Load(), Load(5, 1)]
    assert shards.shards[0].width == 0.5


def test_a_sample_shows_a_heavy_key_alone_and_the_others_in_ranges() -> None:
    heavy = KEY_SPACE // 3
    keys = [(KEY_SPACE * n // 100, 1.0) for n in range(100)]
    pieces = sampled(Shard(0, KEY_SPACE), sorted([*keys, (heavy, 100.0)]), bins=4)
    alone = [piece for piece in pieces if piece.one_key]
    assert [(piece.start, piece.bytes_share) for piece in alone] == [(heavy, 0.5)]
    assert sum(piece.bytes_share for piece in pieces) == pytest.approx(1.0)
    assert len(pieces) == 6  # four ranges, one of them cut in two by the key


def test_a_sample_of_nothing_shows_nothing() -> None:
    assert sampled(Shard(0, KEY_SPACE), []) == ()
    assert ShardMap.even(2).with_samples({}) == ShardMap.even(2)


@given(
    keys=st.dictionaries(st.integers(0, KEY_SPACE - 1), st.floats(0.1, 1e6), max_size=30),
    count=st.integers(1, 7),
)
def test_the_pieces_of_a_shard_cover_it_and_their_shares_are_all_of_it(
    keys: dict[int, float], count: int
) -> None:
    for shard in ShardMap.even(count).with_samples(keys).shards:
        if not shard.pieces:
            continue
        assert shard.pieces[0].start == shard.start
        assert shard.pieces[-1].end == shard.end
        assert all(a.end == b.start for a, b in zip(shard.pieces, shard.pieces[1:], strict=False))
        assert sum(piece.bytes_share for piece in shard.pieces) == pytest.approx(1.0)

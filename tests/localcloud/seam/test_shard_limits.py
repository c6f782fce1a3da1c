"""A shard takes and gives what it does on AWS, second by second."""

from __future__ import annotations

from clew.localcloud.seam.shard_limits import (
    READ_BYTES_PER_S,
    WRITE_BYTES_PER_S,
    WRITE_RECORDS_PER_S,
    ShardLimits,
)


def test_a_second_takes_a_thousand_records_and_the_next_one_again() -> None:
    limits = ShardLimits()
    admitted = [limits.admits_write(1, 7.0 + i / 2_000) for i in range(WRITE_RECORDS_PER_S + 5)]
    assert admitted == [True] * WRITE_RECORDS_PER_S + [False] * 5
    assert limits.admits_write(1, 8.0)


def test_a_second_takes_a_megabyte_and_smaller_records_that_still_fit() -> None:
    limits = ShardLimits()
    assert limits.admits_write(WRITE_BYTES_PER_S - 10, 1.0)
    assert not limits.admits_write(11, 1.5)
    assert limits.admits_write(10, 1.9)
    assert not limits.admits_write(1, 1.9)


def test_the_largest_record_fits_if_it_comes_alone() -> None:
    limits = ShardLimits()
    assert limits.admits_write(WRITE_BYTES_PER_S + 256, 1.0)
    assert not limits.admits_write(1, 1.0)


def test_a_second_gives_five_calls() -> None:
    limits = ShardLimits()
    for at in (1.0, 1.1, 1.2, 1.3, 1.4):
        assert limits.admits_read(at)
        limits.gave(0, at)
    assert not limits.admits_read(1.9)
    assert limits.admits_read(2.05)


def test_a_large_read_keeps_others_waiting_until_the_rate_is_right_again() -> None:
    limits = ShardLimits()
    limits.gave(5 * READ_BYTES_PER_S, 10.0)
    assert not limits.admits_read(14.9)
    assert limits.admits_read(15.0)
    limits.gave(READ_BYTES_PER_S // 2, 15.0)
    assert limits.admits_read(15.1)

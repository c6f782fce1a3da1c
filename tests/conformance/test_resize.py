"""The same resizes by own splits and merges and by UpdateShardCount end in the same even shards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clew.scaling import KEY_SPACE

from .resize import KNOWN, PAGE, random_sizes, resizes, table, total

if TYPE_CHECKING:
    from clew.localcloud import LocalCloud


@pytest.mark.parametrize("sizes", [KNOWN, random_sizes()], ids=["known", "random"])
def test_both_ways_end_in_even_shards_and_ours_takes_the_fewest_operations(
    cloud: LocalCloud, sizes: tuple[int, ...]
) -> None:
    found = list(resizes(cloud, sizes))
    assert [one.after for one in found] == list(sizes[1:])
    for one in found:
        for done in (one.own, one.update):
            assert len(done.widths) == one.after
            assert sum(done.widths) == KEY_SPACE
            # 2^128 is not divisible by every number: a few keys more or less.
            assert max(done.widths) - min(done.widths) < 1000
        assert one.own.operations == one.least
        assert one.own.calls == 0
        assert one.update.operations >= one.least
    print(f"\n{table(found)}\n{total(found)}")
    text = PAGE.read_text()
    assert table(found) in text, f"the page has another table than this:\n{table(found)}"
    assert total(found) in text, total(found)

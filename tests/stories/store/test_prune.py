"""The oldest lines go, with all that is known of them, and the file gets smaller."""

from __future__ import annotations

import random
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from clew.stories import find_story
from clew.stories.store import Entry, Query, Store, StoreError
from stories.runtime import START_S

from .lines import requests

if TYPE_CHECKING:
    from pathlib import Path

START = datetime.fromtimestamp(START_S, UTC)


def rows(path: Path, table: str) -> int:
    connection = sqlite3.connect(path)
    (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    connection.close()
    return int(count)


def test_old_lines_go_and_young_ones_stay(tmp_path: Path) -> None:
    path = tmp_path / "logs.db"
    with Store(path, write=True) as store:
        lines = requests(200)
        store.add(lines)
        cut = START + timedelta(milliseconds=100 * 100)
        deleted = store.prune(older_than=cut)
        # By blocks of 64 lines: one that has a younger line stays.
        assert 400 - 64 < deleted <= 400
        assert store.damage() == []
        assert store.stats().lines == len(lines) - deleted
        for text in ("order placed", "mailing"):
            assert store.search(Query(text=text, limit=1_000)).total == len(
                [one for one in store.lines(None) if text in one.message]
            )
        assert len(find_story(store, "request-150").hops) == 2
        assert store.search(Query(id="request-3", until=START)).total == 0
        assert store.add(lines) == (deleted, len(lines) - deleted)
        assert store.prune(older_than=START) == 0


def test_nothing_is_left_of_what_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "logs.db"
    with Store(path, write=True) as store:
        lines = requests(50)
        store.add(lines)
    with Store(path, write=True) as store:  # knows nothing of the origins of the first
        assert store.add([*lines, *requests(60)[-40:]]) == (40, len(lines))
        assert store.prune(larger_than=0) == 240
        assert store.damage() == []
    assert [rows(path, one) for one in ("line", "block", "origin")] == [0, 0, 0]


def test_a_store_is_kept_small(tmp_path: Path) -> None:
    path = tmp_path / "logs.db"
    with Store(path, write=True) as store:
        # Words that are not alike, so that they take the room of a real log.
        draw = random.Random(1)
        lines = [Entry(n, "g", "s", f"{draw.getrandbits(1500):x} {n}") for n in range(6_000)]
        store.add(lines)
        before = store.stats().bytes
        assert store.prune(larger_than=before // 3) > 1_000
        assert before // 5 < path.stat().st_size <= before // 3
        kept = [line.at_ms for line in store.lines(None)]
        assert kept == list(range(kept[0], 6_000))
        assert store.damage() == []


def test_a_damaged_block_goes_like_the_others(tmp_path: Path) -> None:
    path = tmp_path / "logs.db"
    with Store(path, write=True) as store:
        store.add(requests(40))
    connection = sqlite3.connect(path)
    connection.execute("UPDATE block SET lines = x'00' WHERE id = 1")
    connection.commit()
    connection.close()
    with Store(path, write=True) as store:
        with pytest.raises(StoreError, match="is damaged; save what can be read"):
            list(store.lines(None))
        assert store.prune(larger_than=0) == 160

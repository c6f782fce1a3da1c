"""What keeps a store from being used is said in one sentence."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING

import pytest

from clew.stories.store import Entry, Store, StoreError, schema

from .lines import requests

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_no_store(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("hello\n" * 1_000)
    for write in (True, False):
        with pytest.raises(StoreError, match=r"text is no store of log lines; name one"):
            Store(path, write=write)
    assert path.read_text() == "hello\n" * 1_000
    other = tmp_path / "other.db"
    sqlite3.connect(other).executescript("CREATE TABLE a(b)").connection.close()
    for write in (True, False):
        with pytest.raises(StoreError, match=r"other.db is no store of log lines"):
            Store(other, write=write)
    with pytest.raises(StoreError, match=r"There is no store at .*none; `clew store import` makes"):
        Store(tmp_path / "none")
    with pytest.raises(StoreError, match=r"There is no folder .*none to make a store in"):
        Store(tmp_path / "none" / "logs.db", write=True)


def test_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "logs.db"
    Store(path, write=True).close()
    monkeypatch.setattr(schema, "VERSION", 2)
    monkeypatch.setitem(
        schema._MIGRATIONS, 2, lambda connection: connection.execute("CREATE TABLE new(a)")
    )
    with Store(path, write=True) as store:
        assert store.add([Entry(1, "g", "s", "m")]) == (1, 0)
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    assert connection.execute("SELECT count(*) FROM new").fetchone() == (0,)
    connection.close()
    monkeypatch.setattr(schema, "VERSION", 1)
    for write in (True, False):
        with pytest.raises(StoreError, match=r"written by a newer clew .*; upgrade clew to use it"):
            Store(path, write=write)


def test_a_corrupt_file(tmp_path: Path) -> None:
    path = tmp_path / "logs.db"
    with Store(path, write=True) as store:
        store.add(requests(500))
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(schema.PAGE)
        file.write(os.urandom(size - schema.PAGE))
    with (
        pytest.raises(StoreError, match=r"is damaged; save what can be read"),
        Store(path) as store,
    ):
        list(store.lines(None))


def test_a_full_disk(tmp_path: Path) -> None:
    path = tmp_path / "logs.db"
    with Store(path, write=True) as store:
        lines = requests(500)
        store.add(lines[:40])
        assert store._writer is not None
        (pages,) = store._writer.execute("PRAGMA page_count").fetchone()
        store._writer.execute(f"PRAGMA max_page_count = {pages + 1}")
        with pytest.raises(StoreError, match=r"cannot take lines: the disk is full; make room"):
            store.add(lines)
        assert store.stats().lines == 40
        store._writer.execute("PRAGMA max_page_count = 1073741823")
        assert store.add(lines) == (1_960, 40)
        assert store.damage() == []


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_where_nothing_can_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with Store(folder / "logs.db", write=True) as store:
        store.add(requests(1))
    (folder / "logs.db.lock").unlink()
    folder.chmod(0o500)
    try:
        with pytest.raises(StoreError, match=r"cannot be written .*see that its folder allows it"):
            Store(folder / "logs.db", write=True)
        with Store(folder / "logs.db") as store:
            assert store.stats().lines == 4
    finally:
        folder.chmod(0o700)


def test_a_lock_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "logs.db.lock").mkdir()
    with pytest.raises(StoreError, match=r"cannot be written .*see that its folder allows it"):
        Store(tmp_path / "logs.db", write=True)


def test_how_safe_a_commit_is(tmp_path: Path) -> None:
    for durable, synchronous in ((False, 1), (True, 2)):
        with Store(tmp_path / "logs.db", write=True, durable=durable) as store:
            assert store._writer is not None
            assert store._writer.execute("PRAGMA synchronous").fetchone() == (synchronous,)
            assert store._writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)

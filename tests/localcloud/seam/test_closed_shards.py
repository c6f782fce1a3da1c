"""Closed shards are listed as long as their records could still be read."""

from __future__ import annotations

import time
from typing import Any

import pytest

from clew.localcloud.seam import closed_shards


def _number(ago_s: float) -> str:
    return f"{int((time.time() - ago_s) * 1000):020d}{1:010d}"


def _shard(opened_ago_s: float, *parents: str) -> dict[str, Any]:
    one, two = (*parents, None, None)[:2]
    return {
        "records": [],
        "starting_hash_key": "0",
        "ending_hash_key": "9",
        "starting_sequence_number": _number(opened_ago_s),
        "parent_shard_id": one,
        "adjacent_parent_shard_id": two,
    }


@pytest.fixture
def stream() -> dict[str, Any]:
    """a was split into b and c, two hours ago; b and c were merged into d, one hour ago."""
    stream: dict[str, Any] = {"StreamName": "s", "RetentionPeriodHours": 24, "shards": {}}
    stream["shards"] = {"a": _shard(10_800)}
    before = dict(stream["shards"])
    stream["shards"] = {"b": _shard(7_200, "a"), "c": _shard(7_200, "a")}
    closed_shards.remember(stream, before, _number(7_200))
    before = dict(stream["shards"])
    stream["shards"] = {"d": _shard(3_600, "b", "c")}
    closed_shards.remember(stream, before, _number(3_600))
    return stream


def _listed(stream: dict[str, Any], **asked: Any) -> str:
    shards, token = closed_shards.list_shards(stream, asked or None, None, 100)
    assert token is None
    return "".join(shard["ShardId"] for shard in shards)


def test_filters_choose_by_time_and_by_id(stream: dict[str, Any]) -> None:
    now = time.time()
    assert _listed(stream) == "abcd"
    assert _listed(stream, Type="FROM_TRIM_HORIZON") == "abcd"
    assert _listed(stream, Type="AT_TRIM_HORIZON") == "a"
    assert _listed(stream, Type="AT_LATEST") == "d"
    assert _listed(stream, Type="AFTER_SHARD_ID", ShardId="b") == "cd"
    assert _listed(stream, Type="AT_TIMESTAMP", Timestamp=now - 5_000) == "bc"
    assert _listed(stream, Type="FROM_TIMESTAMP", Timestamp=now - 5_000) == "bcd"


def test_a_shard_is_forgotten_when_its_records_are_too_old(stream: dict[str, Any]) -> None:
    stream["RetentionPeriodHours"] = 1.5
    assert _listed(stream) == "bcd"
    assert _listed(stream, Type="AT_TRIM_HORIZON") == "bc"
    stream["RetentionPeriodHours"] = 0.5
    assert _listed(stream) == "d"


def test_lineage_and_sequence_numbers_are_told(stream: dict[str, Any]) -> None:
    shards, _ = closed_shards.list_shards(stream, None, None, 100)
    a, b, _c, d = shards
    assert "ParentShardId" not in a
    assert b["ParentShardId"] == "a"
    assert (d["ParentShardId"], d["AdjacentParentShardId"]) == ("b", "c")
    assert "EndingSequenceNumber" not in d["SequenceNumberRange"]
    ending = a["SequenceNumberRange"]["EndingSequenceNumber"]
    assert int(ending) <= int(b["SequenceNumberRange"]["StartingSequenceNumber"])
    children = closed_shards.children(stream, "b")
    assert [(child["ShardId"], child["ParentShards"]) for child in children] == [("d", ["b", "c"])]


def test_pages_go_on_with_the_filter_they_began_with(stream: dict[str, Any]) -> None:
    asked = {"Type": "FROM_TIMESTAMP", "Timestamp": time.time() - 5_000}
    page, token = closed_shards.list_shards(stream, asked, None, 2)
    assert [shard["ShardId"] for shard in page] == ["b", "c"]
    assert token
    name, again, after = closed_shards.read_token(token)
    assert name == "s"
    page, token = closed_shards.list_shards(stream, again, after, 2)
    assert [shard["ShardId"] for shard in page] == ["d"]
    assert token is None


@pytest.mark.parametrize("token", ["", "nonsense", "e30=", "WzEsMl0="])
def test_a_token_of_somebody_else_is_refused(token: str) -> None:
    with pytest.raises(closed_shards.BadTokenError):
        closed_shards.read_token(token)


def test_an_old_token_has_expired(stream: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    _, token = closed_shards.list_shards(stream, None, None, 1)
    later = time.time() + 301
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(closed_shards.BadTokenError) as caught:
        closed_shards.read_token(token or "")
    assert caught.value.expired

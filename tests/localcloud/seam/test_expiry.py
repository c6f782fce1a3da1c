"""Records that have passed their retention period."""

from __future__ import annotations

from typing import Any

from clew.localcloud.seam.expiry import expire

_HOUR_S = 3600


def _stream(*arrivals: float) -> dict[str, Any]:
    records = [{"ApproximateArrivalTimestamp": at} for at in arrivals]
    return {"RetentionPeriodHours": 24, "shards": {"one": {"records": records}}}


def _arrivals(stream: dict[str, Any]) -> list[float]:
    return [one["ApproximateArrivalTimestamp"] for one in stream["shards"]["one"]["records"]]


def test_what_is_older_than_the_retention_period_goes() -> None:
    stream = _stream(0, 1 * _HOUR_S, 2 * _HOUR_S)

    expire(stream, now=25.5 * _HOUR_S, iterators=[])

    assert _arrivals(stream) == [2 * _HOUR_S]


def test_an_iterator_still_points_at_the_record_that_it_pointed_at() -> None:
    stream = _stream(0, 1 * _HOUR_S, 2 * _HOUR_S, 3 * _HOUR_S)
    iterators = [{"shard_id": "one", "position": 3}, {"shard_id": "one", "position": 1}]

    expire(stream, now=25.5 * _HOUR_S, iterators=iterators)

    assert [one["position"] for one in iterators] == [1, 0]


def test_all_may_go() -> None:
    stream = _stream(0, 1)

    expire(stream, now=100 * _HOUR_S, iterators=[])

    assert _arrivals(stream) == []


def test_nothing_is_copied_when_nothing_goes() -> None:
    stream = _stream(0, 1)
    records = stream["shards"]["one"]["records"]

    expire(stream, now=2, iterators=[])

    assert stream["shards"]["one"]["records"] is records

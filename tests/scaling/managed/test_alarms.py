"""The alarms of a stream as data, and what is different about those that there are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from clew.scaling.managed.alarms import (
    Difference,
    Wanted,
    difference,
    existing,
    remove_alarms,
    wanted_alarms,
)
from clew.scaling.managed.settings import ManagedStream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clew.localcloud import LocalCloud

    from .stage import Stage

    Make = Callable[..., Stage]

ORDERS = ManagedStream("orders", 1, 100, alarm_at=0.8)
IDS = [f"shardId-{number:012}" for number in range(130)]


def as_there(wanted: Sequence[Wanted], state: str = "OK") -> list[dict[str, Any]]:
    """What DescribeAlarms would have of them."""
    return [{**one.arguments("orders", ["topic"]), "StateValue": state} for one in wanted]


def between(
    wanted: Sequence[Wanted], there: Sequence[dict[str, Any]], *, reset: bool = False
) -> Difference:
    return difference(wanted, there, stream="orders", actions=["topic"], reset=reset)


def test_the_thresholds_follow_the_shards() -> None:
    found = {one.name: one.threshold for one in wanted_alarms(ORDERS, IDS[:3])}
    assert found == {
        "clew/orders/refused": 0,
        "clew/orders/bytes": 150_994_944,
        "clew/orders/records": 144_000,
    }


def test_each_shard_has_alarms_if_it_is_asked_for_but_not_without_end() -> None:
    some = replace(ORDERS, shard_alarms=True)
    names = {one.name for one in wanted_alarms(some, IDS[:2])}
    assert f"clew/orders/{IDS[1]}/records" in names
    assert len(names) == 3 + 2 * 2
    assert len(wanted_alarms(some, IDS)) == 3 + 2 * 100


def test_an_iterator_age_is_watched_if_it_is_asked_for() -> None:
    (age,) = [
        one
        for one in wanted_alarms(replace(ORDERS, iterator_age_alarm_s=90), IDS[:1])
        if one.metric == "GetRecords.IteratorAgeMilliseconds"
    ]
    assert (age.name, age.threshold, age.statistic) == (
        "clew/orders/iterator-age",
        90_000,
        "Maximum",
    )


def test_a_pinned_stream_and_one_on_demand_need_no_alarms() -> None:
    assert wanted_alarms(replace(ORDERS, desired=4), IDS[:4]) == ()
    assert wanted_alarms(replace(ORDERS, mode="on-demand"), IDS[:4]) == ()


def test_what_is_right_is_left_alone() -> None:
    wanted = wanted_alarms(ORDERS, IDS[:2])
    assert not between(wanted, as_there(wanted))


def test_what_is_stale_is_put_and_what_is_too_much_is_deleted() -> None:
    before = wanted_alarms(replace(ORDERS, shard_alarms=True), IDS[:2])
    after = wanted_alarms(replace(ORDERS, shard_alarms=True), IDS[1:4])
    found = between(after, as_there(before))
    put = {one.name.removeprefix("clew/orders/") for one in found.put}
    assert put == {
        "bytes",
        "records",
        *(f"{shard}/{what}" for shard in IDS[2:4] for what in ("bytes", "records")),
    }
    assert found.delete == (f"clew/orders/{IDS[0]}/bytes", f"clew/orders/{IDS[0]}/records")


def test_alarms_that_turned_are_set_back_if_it_is_asked_for() -> None:
    wanted = wanted_alarms(ORDERS, IDS[:2])
    there = as_there(wanted, "ALARM")
    assert not between(wanted, there)
    assert set(between(wanted, there, reset=True).reset) == {one.name for one in wanted}


@given(st.integers(1, 20), st.integers(1, 20), st.booleans(), st.booleans())
def test_after_the_difference_there_is_none(
    before: int, after: int, shard_alarms: bool, age: bool
) -> None:
    there = as_there(wanted_alarms(replace(ORDERS, shard_alarms=shard_alarms), IDS[:before]))
    settings = replace(ORDERS, iterator_age_alarm_s=60.0 if age else None)
    wanted = wanted_alarms(settings, IDS[5 : 5 + after])
    found = between(wanted, there)
    now = {one["AlarmName"]: one for one in there if one["AlarmName"] not in found.delete}
    now |= {one["AlarmName"]: one for one in as_there(found.put)}
    assert not between(wanted, list(now.values()))
    assert now.keys() == {one.name for one in wanted}


def test_alarms_of_shards_come_and_go_with_them(stage: Make) -> None:
    on = stage(2, shard_alarms=True, cool_down_s=0)
    on.scale_down()
    assert on.thresholds() == on.wanted_thresholds()
    assert len(on.thresholds()) == 3 + 2 * 2
    on.write(2.2)
    on.scale_up(on.alarm())
    assert on.thresholds() == on.wanted_thresholds()
    assert len(on.thresholds()) == 3 + 2 * 3
    described = on.kinesis.describe_stream(StreamName=on.stream)["StreamDescription"]
    (metrics,) = described["EnhancedMonitoring"]
    assert "IncomingBytes" in metrics["ShardLevelMetrics"]


def test_a_used_up_quota_of_alarms_is_told(stage: Make, cloud: LocalCloud) -> None:
    on = stage(1)
    on.write(0.9)
    with cloud.faults.during("cloudwatch", "PutMetricAlarm", error="LimitExceeded"):
        said = on.scale_up(on.alarm())
    assert (said["outcome"], said["shards_after"]) == ("done", 2)
    assert "quota of alarms is used up: 3 alarms" in said["notes"][0]


def test_all_alarms_of_a_stream_can_be_taken_away(stage: Make) -> None:
    on = stage(60, shard_alarms=True, max_shards=60)
    on.scale_down()
    assert len(existing(on.tools, on.stream)) == 123  # more than a page of them
    assert remove_alarms(on.tools, on.stream) == 123
    assert existing(on.tools, on.stream) == []


def test_an_alarm_that_is_gone_is_not_set_back(stage: Make) -> None:
    on = stage(1, cool_down_s=60)
    on.write(0.9)
    assert on.scale_up(on.alarm())["outcome"] == "done"
    on.write(1.9)
    assert "too recent" in on.scale_up(on.alarm("iterator-age"))["why"]  # there is no such alarm

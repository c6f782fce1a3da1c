"""The two functions on real streams of the local cloud, from the event to the shards and alarms."""

from __future__ import annotations

from hashlib import md5
from typing import TYPE_CHECKING, Any

import pytest

from clew.scaling import ScalingError
from clew.scaling.managed import handlers

from .alarm_payloads import composite, message, one_metric, through_sns
from .stage import Context

if TYPE_CHECKING:
    from collections.abc import Callable

    from .stage import Stage

    Make = Callable[..., Stage]


def test_an_alarm_gives_the_stream_the_shards_that_it_needs(stage: Make) -> None:
    on = stage(2, cool_down_s=60)
    on.scale_down()  # makes the alarms
    on.write(3.0)
    said = on.scale_up(on.alarm())
    assert (said["outcome"], said["shards_before"], said["shards_after"]) == ("done", 2, 4)
    assert len(on.shards()) == 4
    assert on.thresholds() == on.wanted_thresholds()
    assert said["who"].startswith("the alarm clew/")
    assert "which 4 shards would hold at 75%" in said["why"]
    (kept,) = on.store.audit(on.stream)
    assert kept == said
    assert kept["map_after"] == "|####|####|####|####|"


def test_alarms_turn_back_to_ok_when_the_stream_was_changed(stage: Make) -> None:
    on = stage(1, cool_down_s=60)
    on.scale_down()
    on.write(0.9)
    on.cloudwatch.set_alarm_state(
        AlarmName=f"clew/{on.stream}/bytes", StateValue="ALARM", StateReason="full"
    )
    assert on.scale_up(on.alarm())["outcome"] == "done"
    assert "ALARM" not in on.states()


def test_what_an_alarm_measured_counts_though_the_metrics_are_late(stage: Make) -> None:
    on = stage(1)
    said = on.scale_up(on.alarm("bytes", measured=2.9 * 1_048_576 * 60))
    assert said["shards_after"] == 4


def test_an_alarm_of_long_ago_measured_nothing_that_counts_now(stage: Make) -> None:
    on = stage(1)
    said = on.scale_up(on.alarm("bytes", measured=2.9 * 1_048_576 * 60, ago_s=3600))
    assert said["outcome"] == "nothing"
    assert len(on.shards()) == 1


@pytest.mark.parametrize("measured", ["1e308", "9e15", "-5e9", "1e400"])
@pytest.mark.parametrize("kind", ["bytes", "refused"])
def test_what_no_stream_can_have_counts_for_nothing(stage: Make, kind: str, measured: Any) -> None:
    on = stage(1)
    on.write(0.4)
    said = on.scale_up(on.alarm(kind, measured=measured))
    assert said["outcome"] == "nothing"
    assert "was 0.4 shards' worth" in said["why"]


def test_an_alarm_of_the_future_measured_nothing_that_counts_now(stage: Make) -> None:
    on = stage(1)
    said = on.scale_up(on.alarm("bytes", measured=2.9 * 1_048_576 * 60, ago_s=-3600))
    assert said["outcome"] == "nothing"


def test_the_same_alarm_twice_is_one_action(stage: Make) -> None:
    on = stage(1, cool_down_s=0)
    on.write(1.6)
    alarm = on.alarm()
    assert on.scale_up(alarm)["outcome"] == "done"
    assert on.scale_up(alarm)["why"] == "This alarm has been answered already."
    assert len(on.store.audit(on.stream)) == 1


def test_two_alarms_at_once_are_one_action(stage: Make) -> None:
    on = stage(2, cool_down_s=60)
    on.scale_down()
    on.write(3.0)
    assert on.scale_up(on.alarm("bytes"))["outcome"] == "done"
    again = on.scale_up(on.alarm("records"))
    assert again["outcome"] == "nothing"
    assert "too recent: 60 s" in again["why"]
    assert len(on.shards()) == 4
    on.clock.now += 61
    later = on.scale_up(on.alarm("records"))
    assert later["outcome"] == "nothing"
    assert "4 shards" not in later["plan"]


def test_an_alarm_that_came_too_soon_may_turn_again(stage: Make) -> None:
    on = stage(1, cool_down_s=60)
    on.write(0.9)
    on.scale_up(on.alarm())
    on.cloudwatch.set_alarm_state(
        AlarmName=f"clew/{on.stream}/bytes", StateValue="ALARM", StateReason="full"
    )
    on.clock.now += 5
    assert "too recent" in on.scale_up(on.alarm())["why"]
    assert "ALARM" not in on.states()


def test_a_stream_at_its_maximum_is_left_alone_and_it_says_so(stage: Make) -> None:
    on = stage(4, max_shards=4)
    on.write(8.0)
    said = on.scale_up(on.alarm())
    assert said["outcome"] == "nothing"
    assert "It has its maximum of 4 shards: raise it in streams.yml." in said["why"]
    assert len(on.shards()) == 4


def test_readers_that_are_late_get_no_shards(stage: Make) -> None:
    on = stage(2, iterator_age_alarm_s=60)
    said = on.scale_up(on.alarm("iterator-age"))
    assert said["outcome"] == "nothing"
    assert "reads are not refused" in said["why"]
    assert len(on.shards()) == 2
    assert on.store.audit(on.stream)[0]["why"] == said["why"]


def test_refusals_on_a_stream_with_room_are_explained(stage: Make) -> None:
    on = stage(4)
    on.write(0.5, refused=1)
    said = on.scale_up(on.alarm("refused", measured=60.0))
    assert said["outcome"] == "nothing"
    assert "60 records were refused in 5 min though it is 13% full" in said["why"]


def test_an_alarm_that_came_to_nothing_may_turn_again_and_is_kept_once(stage: Make) -> None:
    on = stage(4)
    on.scale_down()
    on.write(0.5, refused=1)
    for _ in range(3):
        on.cloudwatch.set_alarm_state(
            AlarmName=f"clew/{on.stream}/refused", StateValue="ALARM", StateReason="refused"
        )
        assert on.scale_up(on.alarm("refused"))["outcome"] == "nothing"
        assert "ALARM" not in on.states()
        on.clock.now += 60
    assert len(on.store.audit(on.stream)) == 1
    on.write(5.0, refused=1)
    assert on.scale_up(on.alarm("refused"))["outcome"] == "done"


def test_less_load_for_long_takes_shards_away_once(stage: Make) -> None:
    on = stage(8, down_over_s=600, down_every_s=3600)
    created = on.clock.now
    on.clock.now += 1200
    for ago_s in range(0, 660, 60):
        on.write(1.0, ago_s=ago_s)
    said = on.scale_down()
    assert (said["outcome"], said["shards_after"]) == ("done", 2), said
    assert said["merges"] + said["update_calls"] > 0
    assert said["closed_shards"] > 0
    assert on.thresholds() == on.wanted_thresholds()
    on.clock.now += 1300
    on.write(0.1)
    assert on.scale_down()["outcome"] == "nothing"  # not again within an hour
    on.clock.now = created + 1200 + 3700
    assert on.scale_down()["shards_after"] == 1


def test_a_backlog_keeps_the_shards(stage: Make) -> None:
    on = stage(4, down_over_s=600, down_every_s=600)
    on.clock.now += 1200
    on.write(0.5)
    on.cloudwatch.put_metric_data(
        Namespace="AWS/Kinesis",
        MetricData=[
            {
                "MetricName": "GetRecords.IteratorAgeMilliseconds",
                "Dimensions": [{"Name": "StreamName", "Value": on.stream}],
                "Timestamp": on.clock.now,
                "Value": 7_200_000,
            }
        ],
    )
    said = on.scale_down()
    assert said["outcome"] == "nothing"
    assert "2 h behind" in said["why"]


def test_the_schedule_sees_what_an_alarm_missed(stage: Make) -> None:
    on = stage(1)
    on.write(1.6)
    said = on.scale_down()
    assert (said["outcome"], said["shards_after"]) == ("done", 3)


def test_the_schedule_mends_stale_thresholds(stage: Make) -> None:
    on = stage(2)
    on.scale_down()
    on.kinesis.update_shard_count(
        StreamName=on.stream, TargetShardCount=4, ScalingType="UNIFORM_SCALING"
    )
    assert on.thresholds() != on.wanted_thresholds()
    on.scale_down()
    assert on.thresholds() == on.wanted_thresholds()


def test_a_minimum_by_the_clock_is_kept(stage: Make) -> None:
    always = {"start": "00:00", "end": "24:00", "minimum": 3}
    from clew.scaling.managed.settings import Minimum

    on = stage(1, schedule=(Minimum(**always),))  # type: ignore[arg-type]
    assert on.scale_down()["shards_after"] == 3


@pytest.mark.parametrize(("bounds", "after"), [((4, 8), 4), ((1, 1), 1)])
def test_the_bounds_hold_whatever_the_load(
    stage: Make, bounds: tuple[int, int], after: int
) -> None:
    on = stage(2, min_shards=bounds[0], max_shards=bounds[1])
    said = on.scale_down()
    assert (said["outcome"], len(on.shards())) == ("done", after)


def test_a_pinned_stream_stays_where_it_is_pinned(stage: Make) -> None:
    on = stage(3, desired=3)
    on.write(9.0)
    said = on.scale_up(on.alarm())
    assert said["outcome"] == "nothing"
    assert "pin it to 3 shards" in said["why"]
    on.manage(min_shards=1, max_shards=8, desired=5)
    assert on.scale_down()["shards_after"] == 5


def test_an_on_demand_stream_is_left_alone(stage: Make) -> None:
    on = stage(2)
    on.scale_down()
    on.kinesis.delete_stream(StreamName=on.stream)
    on.kinesis.create_stream(StreamName=on.stream, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    on.write(9.0)
    said = on.scale_up(on.alarm())
    assert said["outcome"] == "nothing"
    assert "on-demand mode" in said["why"]
    on.manage(min_shards=1, max_shards=4, mode="on-demand")
    assert "on-demand mode" in on.scale_down()["why"]
    assert on.thresholds() == {}


def test_update_shard_count_is_used_where_it_is_asked_for(stage: Make) -> None:
    on = stage(2, method="update-shard-count")
    on.write(5.9)
    said = on.scale_up(on.alarm())
    assert (said["method"], said["shards_after"]) == ("UpdateShardCount", 8)
    assert said["update_calls"] == 2  # no more than double in one
    assert on.store.update_calls(on.stream, on.clock.now) == 2


def test_beyond_the_budget_of_a_day_it_splits_by_itself(stage: Make) -> None:
    on = stage(2, method="update-shard-count")
    for number in range(10):
        on.store.note_update_call(on.stream, on.clock.now - 3600 - number)
    on.write(2.9)
    said = on.scale_up(on.alarm())
    assert (said["method"], said["update_calls"], said["shards_after"]) == ("operations", 0, 4)
    assert "UpdateShardCount cannot do it now" in said["why"]


def test_alarms_of_others_are_left_alone(stage: Make) -> None:
    on = stage(1)
    trigger = one_metric("IncomingBytes", on.stream)
    assert on.scale_up(through_sns(message("full", trigger))) == {
        "outcome": "ignored",
        "why": "The alarm full is of eu-central-1, and the streams here are of us-east-1.",
    }
    of_others = message("full", trigger)
    of_others["AlarmArn"] = "arn:aws:cloudwatch:us-east-1:999999999999:alarm:full"
    assert on.scale_up(through_sns(of_others)) == {
        "outcome": "ignored",
        "why": "The alarm full is of the account 999999999999, and the streams here are of"
        " 000000000000.",
    }
    unmanaged = message("full", one_metric("IncomingBytes", "elsewhere")) | {"AlarmArn": ""}
    assert on.scale_up(through_sns(unmanaged)) == {
        "outcome": "ignored",
        "why": "The alarm full is about the stream elsewhere, which is not managed.",
    }
    long = message("full", one_metric("IncomingBytes", "x" * 5000)) | {"AlarmArn": ""}
    assert "which is not managed" in on.scale_up(through_sns(long))["why"]
    assert on.scale_up({"hello": "world"})["outcome"] == "ignored"
    nameless = composite("anything") | {"alarmArn": ""}
    assert "give it the tag clew:stream" in on.scale_up(nameless)["why"]


def test_a_composite_alarm_names_its_stream_by_a_tag(stage: Make) -> None:
    on = stage(1)
    name = f"anything-{on.stream}"
    on.scale_down()
    rule = f'ALARM("clew/{on.stream}/bytes") OR ALARM("clew/{on.stream}/records")'
    on.cloudwatch.put_composite_alarm(AlarmName=name, AlarmRule=rule)
    event = composite(name)
    event["alarmArn"] = f"arn:aws:cloudwatch:us-east-1:000000000000:alarm:{name}"
    on.cloudwatch.tag_resource(
        ResourceARN=event["alarmArn"], Tags=[{"Key": "clew:stream", "Value": on.stream}]
    )
    on.write(0.9)
    assert on.scale_up(event)["outcome"] == "done"
    on.cloudwatch.delete_alarms(AlarmNames=[name])


def test_a_stream_that_fails_does_not_keep_the_others_waiting(stage: Make) -> None:
    on = stage(1)
    on.write(0.9)
    gone: Any = on.settings.from_json(on.settings.to_json().replace(on.stream, "a-gone-stream"))
    on.store.put_settings(gone)
    with pytest.raises(ScalingError, match="1 of 2 streams could not be looked after; a-gone"):
        handlers.scale_down({}, Context())
    assert len(on.shards()) == 2


def test_a_hot_key_is_found_in_the_stream_and_named(stage: Make) -> None:
    on = stage(2, shard_alarms=True)
    upper = on.shards().shards[1]
    keys = [f"customer-{number}" for number in range(400)]
    hot = next(key for key in keys if _hash_key(key) >= upper.start)
    records = [{"PartitionKey": key, "Data": b"x"} for key in keys]
    records += [{"PartitionKey": hot, "Data": b"x" * 2000}] * 100
    for _ in range(2):
        on.kinesis.put_records(StreamName=on.stream, Records=records)
    on.write(1.05)
    for shard, load in ((on.shards().shards[0], 0.1), (upper, 0.95)):
        on.write_shard(shard.id, load)
    said = on.scale_up(on.alarm())
    assert said["outcome"] == "nothing", said
    assert f'"{hot}" (hash key {_hash_key(hot)})' in said["hot_keys"][0]
    assert "splitting cannot help" in said["why"]
    assert len(on.shards()) == 2
    assert on.store.audit(on.stream)[0]["hot_keys"] == said["hot_keys"]


def _hash_key(partition_key: str) -> int:
    return int.from_bytes(md5(partition_key.encode()).digest())

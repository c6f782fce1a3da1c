"""What is counted of shards is what CloudWatch is told."""

from __future__ import annotations

from clew.localcloud.seam.shard_meter import Shard, ShardMeter

ONE = Shard("1", "us-east-1", "orders", "shardId-000000000000")
TWO = ONE._replace(shard_id="shardId-000000000001")


def _told(meter: ShardMeter) -> dict[tuple[str, str], dict[str, float]]:
    (data,) = meter.take().values()
    return {
        (each["MetricName"], "/".join(d["Value"] for d in each["Dimensions"])): each[
            "StatisticValues"
        ]
        for each in data
    }


def test_bytes_and_records_are_told_by_shard_and_by_stream() -> None:
    meter = ShardMeter()
    meter.wrote(ONE, [10, 20], refused=0)
    meter.wrote(ONE, [5], refused=1)
    meter.wrote(TWO, [], refused=3)
    told = _told(meter)
    assert told["IncomingBytes", "orders/shardId-000000000000"] == {
        "SampleCount": 2,
        "Sum": 35,
        "Minimum": 5,
        "Maximum": 30,
    }
    assert ("IncomingBytes", "orders/shardId-000000000001") not in told
    assert told["IncomingRecords", "orders"]["Sum"] == 3
    refused = told["WriteProvisionedThroughputExceeded", "orders"]
    assert (refused["Sum"], refused["Minimum"], refused["Maximum"]) == (4, 0, 3)


def test_reads_have_other_names_for_a_stream_than_for_a_shard() -> None:
    meter = ShardMeter()
    meter.read(ONE, 100, 3, age_ms=1500)
    meter.refused_read(ONE)
    told = _told(meter)
    assert told["GetRecords.Bytes", "orders"]["Sum"] == 100
    assert told["OutgoingBytes", "orders/shardId-000000000000"]["Sum"] == 100
    assert told["GetRecords.IteratorAgeMilliseconds", "orders"]["Maximum"] == 1500
    assert told["IteratorAgeMilliseconds", "orders/shardId-000000000000"]["Maximum"] == 1500
    assert told["ReadProvisionedThroughputExceeded", "orders"]["Sum"] == 1


def test_what_was_told_is_not_told_again_and_accounts_do_not_mix() -> None:
    meter = ShardMeter()
    meter.wrote(ONE, [1], refused=0)
    meter.wrote(ONE._replace(account="2"), [1], refused=0)
    assert set(meter.take()) == {("1", "us-east-1"), ("2", "us-east-1")}
    assert meter.take() == {}

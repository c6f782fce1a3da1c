"""What is looked at, and when: streams that others change, usual days, and what is imported."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from clew.scaling import ScalingError
from clew.scaling.managed.look import _profiles
from clew.scaling.managed.observe import describe, list_shards, when_active
from clew.scaling.managed.tools import TimeUpError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .stage import Stage

    Make = Callable[..., Stage]


class Updating:
    """Says UPDATING for so many answers, with a number of shards on its way, as AWS does."""

    def __init__(self, on: Stage, answers: int) -> None:
        self._on, self.left = on, answers
        self.waited: list[str] = []

    def __call__(self, model: Any, parsed: dict[str, Any], **_: Any) -> None:
        if model.name == "DescribeStreamSummary" and self.left > 0:
            self.left -= 1
            parsed["StreamDescriptionSummary"] |= {"StreamStatus": "UPDATING", "OpenShardCount": 99}
        elif model.name in {"SplitShard", "PutMetricAlarm"}:
            assert not self.left, model.name
            self.waited.append(model.name)

    def __enter__(self) -> Updating:
        for client in (self._on.kinesis, self._on.cloudwatch):
            client.meta.events.register("after-call", self)
        return self

    def __exit__(self, *_: object) -> None:
        for client in (self._on.kinesis, self._on.cloudwatch):
            client.meta.events.unregister("after-call", self)


def test_nothing_is_changed_before_the_stream_is_active(stage: Make) -> None:
    on = stage(1)
    on.write(0.9)
    with Updating(on, 4) as updating:
        said = on.scale_up(on.alarm())
    assert (said["outcome"], said["shards_before"], said["shards_after"]) == ("done", 1, 2)
    assert updating.waited[0] == "SplitShard"
    assert on.thresholds() == on.wanted_thresholds()


def test_the_schedule_does_not_wait_for_others(stage: Make) -> None:
    on = stage(1)
    on.write(0.9)
    with Updating(on, 1000):
        said = on.scale_down()
    assert said["why"].startswith("Somebody else is changing the stream")
    assert on.thresholds() == {}
    assert on.scale_down()["outcome"] == "done"


def test_waiting_ends_when_the_time_does(stage: Make) -> None:
    on = stage(1)
    began = on.clock.now
    with Updating(on, 1000), pytest.raises(TimeUpError):
        when_active(_with_time(on, began + 60), on.stream)
    assert 30 < on.clock.now - began < 60


def _with_time(on: Stage, until: float) -> Any:
    from dataclasses import replace

    return replace(on.tools, left_s=lambda: until - on.clock.now)


def test_all_pages_of_shards_are_read_and_closed_ones_counted(stage: Make) -> None:
    on = stage(3)
    on.kinesis.merge_shards(
        StreamName=on.stream,
        ShardToMerge="shardId-000000000000",
        AdjacentShardToMerge="shardId-000000000001",
    )
    on.kinesis.meta.events.register("before-parameter-build.kinesis.ListShards", _small_pages)
    try:
        found = list_shards(on.tools, on.stream)
    finally:
        on.kinesis.meta.events.unregister("before-parameter-build.kinesis.ListShards", _small_pages)
    assert (len(found.opened), found.closed) == (2, 2)
    assert len(found.shard_map()) == 2


def _small_pages(params: dict[str, Any], **_: Any) -> None:
    if "NextToken" not in params:
        params["MaxResults"] = 1


def test_a_stream_that_is_gone_is_told_in_a_sentence(stage: Make) -> None:
    on = stage(1)
    with pytest.raises(ScalingError, match="There is no stream nowhere here; take it out"):
        describe(on.tools, "nowhere")


def test_a_usual_day_is_prepared_for(stage: Make) -> None:
    on = stage(2, predictive=True)
    _profiles.clear()
    on.clock.now = (on.clock.now // 86_400 + 1) * 86_400 + 11.8 * 3600  # a little before noon
    points = []
    for ago in range(1, 2 * 1440):
        at_s = on.clock.now - 60 * ago
        load = 4.0 if at_s % 86_400 >= 12 * 3600 else 0.6
        points.append((at_s, load))
    for first in range(0, len(points), 500):
        on.cloudwatch.put_metric_data(
            Namespace="AWS/Kinesis",
            MetricData=[
                {
                    "MetricName": name,
                    "Dimensions": [{"Name": "StreamName", "Value": on.stream}],
                    "Timestamp": datetime.fromtimestamp(at_s, UTC),
                    "Value": load * of * 60,
                }
                for at_s, load in points[first : first + 500]
                for name, of in (("IncomingBytes", 1_048_576), ("IncomingRecords", 500))
            ],
        )
    said = on.scale_down()
    assert said["outcome"] == "done", said
    assert said["shards_after"] >= 6
    assert "is expected in the next" in said["why"]


def test_the_functions_import_nothing_heavy() -> None:
    code = (
        "import sys, clew.scaling.managed.handlers; "
        "print(*(sys.modules.keys() & {'boto3', 'numpy', 'pydantic', 'rich', 'click', 'yaml'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_metrics_that_cloudwatch_could_not_give_are_not_taken_for_none(stage: Make) -> None:
    on = stage(4, down_over_s=600, down_every_s=0)
    on.clock.now += 3600

    def fail(parsed: dict[str, Any], **_: Any) -> None:
        parsed["MetricDataResults"][0]["StatusCode"] = "InternalError"

    on.cloudwatch.meta.events.register("after-call.cloudwatch.GetMetricData", fail)
    try:
        with pytest.raises(ScalingError, match="CloudWatch could not give"):
            on.scale_down()
    finally:
        on.cloudwatch.meta.events.unregister("after-call.cloudwatch.GetMetricData", fail)
    assert len(on.shards()) == 4


def test_the_account_quota_of_shards_is_kept_to(stage: Make) -> None:
    on = stage(2)
    on.write(3.0)

    def nearly_used_up(**_: Any) -> tuple[Any, dict[str, Any]]:
        """The emulator has no quota."""
        answer = AWSResponse("http://127.0.0.1", 200, HTTPHeaders(), None)
        return answer, {"ShardLimit": 200, "OpenShardCount": 199}

    on.kinesis.meta.events.register("before-call.kinesis.DescribeLimits", nearly_used_up)
    try:
        said = on.scale_up(on.alarm())
    finally:
        on.kinesis.meta.events.unregister("before-call.kinesis.DescribeLimits", nearly_used_up)
    assert (said["outcome"], said["shards_after"]) == ("done", 3)
    assert "The account's quota leaves 1 shard more." in said["why"]
    assert "stays at" in said["plan"]  # and it says that this is not enough

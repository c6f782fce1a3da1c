"""From a stream's alarm to the first SplitShard, and from there to enough shards.

The first is measured in the local cloud: the alarm, its topic, the function in a process of its
own, its looks at the stream and at CloudWatch, and its lock. The second is simulated for a load
that is suddenly four times as high, since it is Kinesis that takes the time: 30 s for a split or
a merge are assumed, and UpdateShardCount is taken to do ten side by side.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.measure import Result
from clew.localcloud import LocalCloud
from clew.scaling.managed import __file__ as room
from clew.scaling.managed.settings import ManagedStream
from clew.scaling.managed.store import Store
from clew.scaling.simulation.peers import Awslabs, AwsSample
from clew.scaling.simulation.simulate import Conditions, Contender, simulate
from clew.scaling.simulation.trace import from_values

_TEMPLATE = Path(room).parent / "template.yaml"
_STREAMS, _WARM_UP = 40, 2
_GOAL_S = 2.0
_BEFORE, _TIMES, _AT = 3.0, 4, 120  # shards' worth, how much more, and from which minute on
_MIB = 1_048_576


def run() -> list[Result]:
    """The 95th percentile of 40 alarms, and the minutes to enough shards side by side."""
    seconds = _measured()
    p95 = statistics.quantiles(seconds[_WARM_UP:], n=20)[-1]
    minutes = _simulated()
    ours = minutes.pop("clew")
    for name, other in {"clew": ours, **minutes}.items():
        print(f"{other:5.0f} min to enough shards: {name}", file=sys.stderr)
    return [
        Result(
            claim="from the alarm to the first SplitShard in the local cloud, 95th percentile",
            ours=p95,
            peer=_GOAL_S,
            peer_name="the goal",
            peer_version="",
            ratio=p95 / _GOAL_S,
            target=1.0,
            met=p95 <= _GOAL_S,
            unit="s",
        ),
        *(
            Result(
                claim="from four times the load to enough shards, simulated",
                ours=ours,
                peer=other,
                peer_name=name,
                peer_version="(its policy, simulated)",
                ratio=ours / other,
                target=1.0,
                met=ours <= other,
                unit="min",
            )
            for name, other in minutes.items()
        ),
    ]


def _measured() -> list[float]:
    """Seconds from the datapoint that turns the alarm to the split, stream after stream."""
    with LocalCloud.start(_TEMPLATE, name="bench-alarms", stack_name="bench-alarms") as cloud:
        store = Store(cloud.client("dynamodb"), cloud.outputs["TableName"])
        kinesis, cloudwatch = cloud.client("kinesis"), cloud.client("cloudwatch")
        names = [f"stream-{number}" for number in range(_STREAMS + _WARM_UP)]
        for name in names:
            kinesis.create_stream(StreamName=name, ShardCount=1)
            store.put_settings(ManagedStream(name, 1, 4))
        cloud.client("lambda").invoke(FunctionName=cloud.outputs["ScaleDownFunction"])
        return [_one(kinesis, cloudwatch, name) for name in names]


def _one(kinesis: Any, cloudwatch: Any, stream: str) -> float:
    began = time.time()
    cloudwatch.put_metric_data(
        Namespace="AWS/Kinesis",
        MetricData=[
            {
                "MetricName": "IncomingBytes",
                "Dimensions": [{"Name": "StreamName", "Value": stream}],
                "Value": 0.95 * _MIB * 60,
            }
        ],
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
            ending = shard["SequenceNumberRange"].get("EndingSequenceNumber")
            if ending:  # the local cloud's begin with the time in milliseconds, in 20 digits
                return int(ending[:20]) / 1000 - began
        time.sleep(0.05)
    raise RuntimeError(f"{stream} was not split within 30 s")


def _simulated() -> dict[str, float]:
    """Minutes from the higher load until there are enough shards for it, by who scales."""
    load = [_BEFORE * _MIB] * _AT + [_BEFORE * _TIMES * _MIB] * 360
    trace = from_values([each / 1024 for each in load], 60, name="four times")
    rule = ManagedStream("orders", 1, 100).rule()
    found = simulate(
        trace,
        [
            Contender("clew", rule),
            Contender("UpdateShardCount doubling (AWS sample)", AwsSample(), "update"),
            Contender("awslabs utility, +1", Awslabs(), "update or sweep"),
            Contender("awslabs utility, +150 %", Awslabs(1.5), "update or sweep"),
        ],
        Conditions(start_shards=4),
    )
    enough = _BEFORE * _TIMES
    return {
        one.name: next(
            (
                float(minute - _AT)
                for minute in range(_AT, len(one.open_shards))
                if one.open_shards[minute] >= enough
            ),
            float(len(one.open_shards) - _AT),
        )
        for one in found
    }

"""The template, deployed: from a stream that fills up to its alarm, the function and the split."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import yaml

from clew.scaling.managed import __file__ as room
from clew.scaling.managed.settings import ManagedStream
from clew.scaling.managed.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.localcloud import LocalCloud
    from conftest import Until

    from .stage import Stage

TEMPLATE = Path(room).parent / "template.yaml"


def test_a_stream_that_fills_up_is_split(cloud: LocalCloud, until: Until) -> None:
    name = f"full-{uuid4().hex[:8]}"
    stack = cloud.deploy(TEMPLATE, name, parameters={"TableName": name})
    kinesis, lambda_ = cloud.client("kinesis"), cloud.client("lambda")
    cloudwatch = cloud.client("cloudwatch")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    store = Store(cloud.client("dynamodb"), stack.outputs["TableName"])
    store.put_settings(ManagedStream(name, 1, 8, cool_down_s=0))

    answer = lambda_.invoke(FunctionName=stack.outputs["ScaleDownFunction"], Payload=b"{}")
    said = json.loads(answer["Payload"].read())
    assert said["streams"][0]["outcome"] == "nothing", said

    def thresholds() -> dict[str, Any]:
        found = cloudwatch.describe_alarms(AlarmNamePrefix=f"clew/{name}/")["MetricAlarms"]
        return {one["AlarmName"].rpartition("/")[2]: one["Threshold"] for one in found}

    assert thresholds() == {"bytes": 50331648.0, "records": 48000.0, "refused": 0.0}
    cloudwatch.put_metric_data(
        Namespace="AWS/Kinesis",
        MetricData=[
            {
                "MetricName": "IncomingRecords",
                "Dimensions": [{"Name": "StreamName", "Value": name}],
                "Value": 1.4 * 60_000,
            }
        ],
    )
    until(lambda: [one for one in store.audit(name) if one["outcome"] == "done"], "an action", 60)
    shards = kinesis.list_shards(StreamName=name, ShardFilter={"Type": "AT_LATEST"})["Shards"]
    assert len(shards) == 2
    assert thresholds() == {"bytes": 100663296.0, "records": 96000.0, "refused": 0.0}
    store.put_settings(ManagedStream(name, 4, 8, cool_down_s=0))
    until(lambda: _walk(lambda_, stack.outputs["ScaleDownFunction"]) == "nothing", "4 shards", 60)
    shards = kinesis.list_shards(StreamName=name, ShardFilter={"Type": "AT_LATEST"})["Shards"]
    assert len(shards) == 4
    assert store.audit(name)[0]["who"] == "the schedule"
    assert thresholds()["records"] == 192_000
    kept = store.audit(name)[-1]
    assert kept["who"] == f"the alarm clew/{name}/records (IncomingRecords)"
    for one in thresholds():
        cloudwatch.delete_alarms(AlarmNames=[f"clew/{name}/{one}"])


def _walk(lambda_: Any, function: str) -> str:
    """What one scheduled run says of the stream; what takes long, it gives to another one."""
    answer = lambda_.invoke(FunctionName=function, Payload=b"{}")
    (said,) = json.loads(answer["Payload"].read())["streams"]
    assert said["outcome"] in {"handed over", "nothing"}, said
    return "busy" if "under way" in said["why"] else str(said["outcome"])


class _Loader(yaml.SafeLoader):
    """Reads a template's own tags as plain values."""


_Loader.add_multi_constructor("!", lambda _loader, _suffix, node: node.value)


def test_the_functions_may_do_what_they_need_and_no_more(stage: Callable[..., Stage]) -> None:
    body = yaml.load(TEMPLATE.read_text(), _Loader)
    (policy,) = body["Resources"]["Role"]["Properties"]["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    allowed = set()
    for one in statements:
        actions = one["Action"] if isinstance(one["Action"], list) else [one["Action"]]
        allowed |= set(actions)
        if one["Resource"] == "*":
            assert set(actions) == {
                "kinesis:DescribeLimits",
                "cloudwatch:GetMetricData",
                "cloudwatch:DescribeAlarms",
            }
    assert not [action for action in allowed if "*" in action]
    called: set[str] = set()

    def note(model: Any, **_: Any) -> None:
        service = model.service_model.signing_name.replace("monitoring", "cloudwatch")
        called.add(f"{service}:{model.name}")

    on = stage(1, shard_alarms=True, cool_down_s=0, down_over_s=600, notify_topic="arn:aws:sns:x")
    for client in (on.kinesis, on.cloudwatch, on.tools.sns):
        client.meta.events.register("before-call", note)
    try:
        on.scale_down()
        on.write(1.4)
        assert on.scale_up(on.alarm())["outcome"] == "done"
        on.clock.now += 60 * 3600
        assert on.scale_down()["outcome"] == "done"
    finally:
        for client in (on.kinesis, on.cloudwatch, on.tools.sns):
            client.meta.events.unregister("before-call", note)
    called.remove("cloudwatch:PutMetricData")  # by the test
    assert {"kinesis:SplitShard", "sns:Publish", "cloudwatch:PutMetricAlarm"} <= called
    assert called <= allowed

"""A stream, its settings and the real functions that scale it, on a clock that a test moves."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.config import Config

from clew.scaling.managed import handlers
from clew.scaling.managed.alarms import existing, prefix, wanted_alarms
from clew.scaling.managed.observe import list_shards
from clew.scaling.managed.settings import ManagedStream
from clew.scaling.managed.store import Store, describe_table
from clew.scaling.managed.tools import Tools

from .alarm_payloads import ACCOUNT, REGION, message, one_metric, through_sns

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from clew.localcloud import LocalCloud
    from clew.scaling import ShardMap

MIB = 1_048_576


def as_sent(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer as Lambda sends it."""
    found: dict[str, Any] = json.loads(json.dumps(answer))
    return found


@cache
def clients(cloud: LocalCloud) -> tuple[Any, ...]:
    """Made once: it takes long."""
    once = Config(retries={"total_max_attempts": 1})  # as the functions make theirs
    asked_once = [cloud.client(name, config=once) for name in ("kinesis", "cloudwatch")]
    return (*asked_once, *(cloud.client(name) for name in ("dynamodb", "sns", "lambda")))


class Clock:
    """Seconds since the epoch, moved by hand and by what sleeps."""

    def __init__(self) -> None:
        self.now = time.time() // 60 * 60 + 5

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Context:
    """What Lambda gives a handler."""

    function_name = "clew-scaling"
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:clew-scaling"
    memory_limit_in_mb = 512
    function_version = "$LATEST"

    def __init__(self, request_id: str = "", left_s: Callable[[], float] = lambda: 900.0) -> None:
        self.aws_request_id = request_id or str(uuid4())
        self._left_s = left_s

    def get_remaining_time_in_millis(self) -> int:
        return int(self._left_s() * 1000)


class Stage:
    """One managed stream in the local cloud."""

    def __init__(self, cloud: LocalCloud, shards: int = 2, **settings: Any) -> None:
        self.cloud, self.clock = cloud, Clock()
        self.kinesis, self.cloudwatch, dynamodb, sns, lambda_ = clients(cloud)
        self.stream = f"scaled-{uuid4().hex[:10]}"
        self.table = f"scaling-{uuid4().hex[:10]}"
        self.topic = f"arn:aws:sns:us-east-1:000000000000:{self.stream}"
        dynamodb.create_table(**describe_table(self.table))
        self.store = Store(dynamodb, self.table)
        self.kinesis.create_stream(StreamName=self.stream, ShardCount=shards)
        self.tools = Tools(
            kinesis=self.kinesis,
            cloudwatch=self.cloudwatch,
            store=self.store,
            sns=sns,
            lambda_=lambda_,
            topic=self.topic,
            clock=self.clock,
            sleep=self.clock.sleep,
        )
        self.manage(**{"min_shards": 1, "max_shards": 16, **settings})

    def manage(self, **settings: Any) -> ManagedStream:
        """Give the stream other settings."""
        self.settings = ManagedStream(self.stream, **settings)
        self.store.put_settings(self.settings)
        return self.settings

    def on(self, patch: pytest.MonkeyPatch, **more: Any) -> Stage:
        """Let the functions work here, by this clock."""

        def tools_of(context: Any) -> Tools:
            left_s = context.get_remaining_time_in_millis() / 1000
            return replace(
                self.tools, request_id=context.aws_request_id, left_s=lambda: left_s, **more
            )

        patch.setattr(handlers, "tools_of", tools_of)
        return self

    def write(self, shards: float, *, refused: float = 0.0, ago_s: float = 0.0) -> None:
        """Let CloudWatch know of a minute in which so many shards' worth were written."""
        values = {
            "IncomingBytes": shards * MIB * 60,
            "IncomingRecords": shards * 500 * 60,
            "WriteProvisionedThroughputExceeded": refused * 60,
        }
        self._put(values, {"StreamName": self.stream}, ago_s)

    def write_shard(self, shard: str, load: float) -> None:
        """The same of one shard, in the last minute."""
        values = {"IncomingBytes": load * MIB * 60, "IncomingRecords": load * 500 * 60}
        self._put(values, {"StreamName": self.stream, "ShardId": shard}, 0)

    def _put(self, values: dict[str, float], dimensions: dict[str, str], ago_s: float) -> None:
        at = datetime.fromtimestamp(self.clock.now - ago_s, UTC)
        self.cloudwatch.put_metric_data(
            Namespace="AWS/Kinesis",
            MetricData=[
                {
                    "MetricName": name,
                    "Dimensions": [{"Name": key, "Value": of} for key, of in dimensions.items()],
                    "Timestamp": at,
                    "Value": value,
                }
                for name, value in values.items()
            ],
        )

    def alarm(self, kind: str = "bytes", measured: float | None = None, ago_s: float = 0) -> Any:
        """The event of an alarm that turned so many seconds ago."""
        metric = {
            "bytes": "IncomingBytes",
            "records": "IncomingRecords",
            "refused": "WriteProvisionedThroughputExceeded",
            "iterator-age": "GetRecords.IteratorAgeMilliseconds",
        }[kind]
        at = datetime.fromtimestamp(self.clock.now - ago_s, UTC)
        reason = "" if measured is None else f"Threshold Crossed: 1 datapoint [{measured}] was ..."
        said = message(
            f"{prefix(self.stream)}{kind}",
            one_metric(metric, self.stream),
            reason=reason,
            changed=at.isoformat(timespec="milliseconds").replace("+00:00", "+0000"),
        )
        arn = said["AlarmArn"].replace(REGION, "us-east-1")
        said["AlarmArn"] = arn.replace(ACCOUNT, "000000000000")
        return through_sns(said)

    def scale_up(self, event: Any, context: Context | None = None) -> dict[str, Any]:
        """Call the function that alarms call."""
        found: dict[str, Any] = handlers.scale_up(event, context or Context())
        return as_sent(found)

    def scale_down(self, context: Context | None = None) -> dict[str, Any]:
        """Call the function of the schedule, for this stream."""
        answer = handlers.scale_down({"stream": self.stream}, context or Context())
        found: dict[str, Any] = answer["streams"][0] if "streams" in answer else answer
        return as_sent(found)

    def shards(self) -> ShardMap:
        """The open shards. Raises where they do not cover the hash keys once each."""
        return list_shards(self.tools, self.stream).shard_map()

    def thresholds(self) -> dict[str, float]:
        """Of the stream's alarms, by the end of their names."""
        return {
            one["AlarmName"].removeprefix(prefix(self.stream)): one["Threshold"]
            for one in existing(self.tools, self.stream)
        }

    def wanted_thresholds(self) -> dict[str, float]:
        """What they should be for the shards that there are."""
        return {
            one.name.removeprefix(prefix(self.stream)): one.threshold
            for one in wanted_alarms(self.settings, list_shards(self.tools, self.stream).ids)
        }

    def states(self) -> set[str]:
        """Of its alarms."""
        return {one["StateValue"] for one in existing(self.tools, self.stream)}

    def close(self) -> None:
        """Leave nothing in the cloud that others share."""
        names = [one["AlarmName"] for one in existing(self.tools, self.stream)]
        if names:
            self.cloudwatch.delete_alarms(AlarmNames=names)
        self.kinesis.delete_stream(StreamName=self.stream)

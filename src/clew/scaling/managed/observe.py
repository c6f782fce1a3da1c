"""Looks at a stream: its mode and status, and its shards, open and closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clew.scaling.managed.tools import code_of, no_stream, patiently
from clew.scaling.model import ShardMap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clew.scaling.managed.tools import Tools
    from clew.scaling.model import Load

#: Between two looks at a stream that is being changed: at once at first, then less and less often
#: (DescribeStreamSummary: 20 calls a second for a whole account).
_LOOKS_S = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
#: How often a lock is renewed while one waits: well within its lease.
_KEPT_EVERY_S = 20.0


@dataclass(frozen=True, slots=True)
class StreamState:
    """What DescribeStreamSummary says of a stream."""

    name: str
    arn: str
    status: str
    mode: str  # "provisioned" or "on-demand"
    retention_h: float
    created_s: float
    open_shards: int  # while it is UPDATING, some number on the way
    shard_metrics: frozenset[str]

    @property
    def active(self) -> bool:
        """Whether its shards are those that it will have until somebody changes them."""
        return self.status == "ACTIVE"


@dataclass(frozen=True, slots=True)
class Listed:
    """The shards of a stream, as ListShards has them."""

    opened: tuple[Mapping[str, Any], ...]
    closed: int

    def shard_map(self, loads: Mapping[str, Load] | None = None) -> ShardMap:
        """The open ones, with the load of each by its id."""
        return ShardMap.listed(self.opened, loads)

    @property
    def ids(self) -> tuple[str, ...]:
        """Those of the open ones, in the order of their hash keys."""
        return tuple(shard.id for shard in self.shard_map().shards)


def describe(tools: Tools, stream: str) -> StreamState:
    """How a stream is now.

    Raises:
        ScalingError: There is no such stream.
    """
    from botocore.exceptions import ClientError

    try:
        answer = patiently(tools, tools.kinesis.describe_stream_summary, StreamName=stream)
    except ClientError as error:
        if code_of(error) == "ResourceNotFoundException":
            raise no_stream(stream) from error
        raise
    said = answer["StreamDescriptionSummary"]
    mode = said.get("StreamModeDetails", {}).get("StreamMode", "PROVISIONED")
    return StreamState(
        name=stream,
        arn=said["StreamARN"],
        status=said["StreamStatus"],
        mode="on-demand" if mode == "ON_DEMAND" else "provisioned",
        retention_h=float(said.get("RetentionPeriodHours", 24)),
        created_s=said["StreamCreationTimestamp"].timestamp(),
        open_shards=int(said["OpenShardCount"]),
        shard_metrics=frozenset(
            name
            for one in said.get("EnhancedMonitoring", ())
            for name in one.get("ShardLevelMetrics", ())
        ),
    )


def when_active(tools: Tools, stream: str, keep: Callable[[], None] | None = None) -> StreamState:
    """How a stream is once nothing changes it any more. ``keep`` is called now and then meanwhile.

    Raises:
        TimeUpError: That takes longer than this invocation has.
        ScalingError: There is no such stream.
    """
    looks = iter(_LOOKS_S)
    wait_s, kept_s = 0.0, tools.clock()
    while not (state := describe(tools, stream)).active:
        wait_s = next(looks, wait_s)
        tools.wait(wait_s)
        if keep is not None and tools.clock() - kept_s >= _KEPT_EVERY_S:
            keep()
            kept_s = tools.clock()
    return state


def list_shards(tools: Tools, stream: str) -> Listed:
    """All shards of a stream, all pages of them."""
    opened: list[Mapping[str, Any]] = []
    closed = 0
    asked: dict[str, Any] = {"StreamName": stream, "MaxResults": 1000}
    while True:
        page = patiently(tools, tools.kinesis.list_shards, **asked)
        for shard in page["Shards"]:
            if "EndingSequenceNumber" in shard["SequenceNumberRange"]:
                closed += 1
            else:
                opened.append(shard)
        if not page.get("NextToken"):
            return Listed(tuple(opened), closed)
        asked = {"NextToken": page["NextToken"]}  # the name beside it is refused

"""Watches a stream from outside, and draws its shards whenever they change."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from narrator import NotAsToldError

from clew.cli.streams_map import picture
from clew.scaling.managed.store import Store
from clew.scaling.model import ShardMap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from narrator import Narrator
    from pump import Pump

    from clew.localcloud import LocalCloud

_LOOK_EVERY_S = 0.5
_WIDE = 56


class Watch:
    """What can be seen of a stream by whoever may read it."""

    def __init__(self, cloud: LocalCloud, stream: str, narrator: Narrator) -> None:
        self._kinesis = cloud.own_client("kinesis")
        self._cloudwatch = cloud.own_client("cloudwatch")
        self._dynamodb = cloud.own_client("dynamodb")
        self._store = Store(self._dynamodb)
        self._stream, self._narrator = stream, narrator
        self._began = time.monotonic()
        self._cuts: tuple[int, ...] | None = None

    @property
    def shards(self) -> tuple[Mapping[str, Any], ...]:
        """The open shards."""
        answer = self._kinesis.list_shards(StreamName=self._stream)
        return tuple(
            one
            for one in answer["Shards"]
            if "EndingSequenceNumber" not in one["SequenceNumberRange"]
        )

    @property
    def cuts(self) -> tuple[int, ...]:
        """The boundaries between the open shards."""
        return ShardMap.listed(self.shards).cuts

    def settled(self) -> bool:
        """Whether no plan is under way and no alarm of the whole stream rings."""
        rings = self._cloudwatch.describe_alarms(
            AlarmNamePrefix=f"clew/{self._stream}/bytes", StateValue="ALARM"
        )["MetricAlarms"]
        return self._store.plan(self._stream) is None and not rings

    def threshold(self, alarm: str) -> float:
        """That of an alarm of the stream, by the end of its name."""
        name = f"clew/{self._stream}/{alarm}"
        found = self._cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return float(found[0]["Threshold"])

    def actions(self, outcome: str) -> list[dict[str, Any]]:
        """What the functions wrote of what they did, the first one first."""
        records = self._store.audit(self._stream)
        return sorted(
            (one for one in records if one["outcome"] == outcome), key=lambda one: one["at_s"]
        )

    def hot_keys(self) -> list[str]:
        """The keys that they found no shard can hold, in words."""
        return [str(key) for one in self._store.audit(self._stream) for key in one["hot_keys"]]

    def read(self, table: str) -> dict[str, list[int]]:
        """The numbers that the reader noted for each meter, in the order of its notes."""
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        items = [item for page in pages for item in page["Items"]]
        found: dict[str, list[int]] = {}
        for item in sorted(items, key=lambda item: int(item["at"]["N"])):
            for meter, numbers in json.loads(item["read"]["S"]).items():
                found.setdefault(meter, []).extend(numbers)
        return found

    def until(self, what: str, done: Callable[[], bool], within_s: float, pump: Pump) -> None:
        """Watch until something is so, and say what happens meanwhile."""
        deadline = time.monotonic() + within_s
        with self._narrator.console.status("") as status:
            while not done():
                if time.monotonic() > deadline:
                    raise NotAsToldError(f"waited {within_s:.0f} s for {what}")
                self._look(status, what, pump)
            self._look(status, what, pump)

    def pause(self, seconds: float, pump: Pump) -> None:
        """Watch for a while."""
        end = time.monotonic() + seconds
        with self._narrator.console.status("") as status:
            while time.monotonic() < end:
                self._look(status, "the stream", pump)

    def _look(self, status: Any, what: str, pump: Pump) -> None:
        pump.check()
        before, at = pump.records, time.monotonic()
        shards = ShardMap.listed(self.shards)
        if shards.cuts != self._cuts:
            self._draw(shards)
            self._cuts = shards.cuts
        time.sleep(_LOOK_EVERY_S)
        rate = (pump.records - before) / (time.monotonic() - at)
        status.update(
            f"waiting for {what}: {pump.records:,} readings sent, {rate:,.0f}/s, "
            f"{pump.refused:,} refusals; {len(shards)} shards"
        )

    def _draw(self, shards: ShardMap) -> None:
        """The hash keys from left to right, each shard as wide as its part of them."""
        count = f"{len(shards)} shard{'' if len(shards) == 1 else 's'}"
        ruler = list(picture(shards, [0.0] * len(shards), _WIDE))[-2].plain
        self._narrator.say(f"{time.monotonic() - self._began:6.1f} s  {ruler}  {count}")

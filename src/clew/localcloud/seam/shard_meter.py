"""Counts what goes into and out of shards, and says it the way Kinesis tells CloudWatch.

"Monitoring the Amazon Kinesis Data Streams Service with Amazon CloudWatch" has the names, units
and dimensions. A value is a statistic set over the calls of the period, so that the average,
minimum and maximum mean what they do on AWS. Sizes include partition keys, as the limits do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Shard(NamedTuple):
    """Which shard."""

    account: str
    region: str
    stream: str
    shard_id: str


# What is counted -> its name for the stream, its name for one shard, its unit.
_BYTES_IN = ("IncomingBytes", "IncomingBytes", "Bytes")
_RECORDS_IN = ("IncomingRecords", "IncomingRecords", "Count")
_REFUSED_IN = ("WriteProvisionedThroughputExceeded",) * 2 + ("Count",)
_BYTES_OUT = ("GetRecords.Bytes", "OutgoingBytes", "Bytes")
_RECORDS_OUT = ("GetRecords.Records", "OutgoingRecords", "Count")
_REFUSED_OUT = ("ReadProvisionedThroughputExceeded",) * 2 + ("Count",)
_AGE = ("GetRecords.IteratorAgeMilliseconds", "IteratorAgeMilliseconds", "Milliseconds")

_Statistics = list[float]  # count, sum, minimum, maximum


class ShardMeter:
    """Counts until it is read, and then from nothing again."""

    def __init__(self) -> None:
        self._counted: dict[tuple[Shard, tuple[str, str, str]], _Statistics] = {}

    def wrote(self, shard: Shard, sizes: list[int], refused: int) -> None:
        """Count one call that wrote records of these sizes, and had so many refused."""
        if sizes:
            self._count(shard, _BYTES_IN, sum(sizes))
            self._count(shard, _RECORDS_IN, len(sizes))
        self._count(shard, _REFUSED_IN, refused)

    def read(self, shard: Shard, size: int, records: int, age_ms: float) -> None:
        """Count one call that read; ``age_ms`` is the age of the last record it returned."""
        self._count(shard, _BYTES_OUT, size)
        self._count(shard, _RECORDS_OUT, records)
        self._count(shard, _AGE, age_ms)
        self._count(shard, _REFUSED_OUT, 0)

    def refused_read(self, shard: Shard) -> None:
        """Count one call that was refused."""
        self._count(shard, _REFUSED_OUT, 1)

    def _count(self, shard: Shard, what: tuple[str, str, str], value: float) -> None:
        statistics = self._counted.get((shard, what))
        if statistics is None:
            self._counted[shard, what] = [1, value, value, value]
        else:
            _add(statistics, (1, value, value, value))

    def take(self) -> dict[tuple[str, str], list[dict[str, Any]]]:
        """What was counted since the last time, by account and region.

        Returns:
            Entries of PutMetricData's ``MetricData``, without timestamps.
        """
        counted, self._counted = self._counted, {}
        streams: dict[tuple[Shard, tuple[str, str, str]], _Statistics] = {}
        data: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for (shard, what), statistics in counted.items():
            whole = shard._replace(shard_id="")
            _add(streams.setdefault((whole, what), [0, 0, float("inf"), float("-inf")]), statistics)
            dimensions = {"StreamName": shard.stream, "ShardId": shard.shard_id}
            entry = _entry(what[1], what[2], dimensions, statistics)
            data.setdefault((shard.account, shard.region), []).append(entry)
        for (stream, what), statistics in streams.items():
            entry = _entry(what[0], what[2], {"StreamName": stream.stream}, statistics)
            data[stream.account, stream.region].append(entry)
        return data


def _add(statistics: _Statistics, more: Iterable[float]) -> None:
    count, total, low, high = more
    statistics[0] += count
    statistics[1] += total
    statistics[2] = min(statistics[2], low)
    statistics[3] = max(statistics[3], high)


def _entry(
    name: str, unit: str, dimensions: dict[str, str], statistics: _Statistics
) -> dict[str, Any]:
    keys = ("SampleCount", "Sum", "Minimum", "Maximum")
    return {
        "MetricName": name,
        "Unit": unit,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        "StatisticValues": dict(zip(keys, statistics, strict=True)),
    }

"""What CloudWatch knows of a stream's last minutes, as the policies want to see it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from clew.scaling.limits import Limits
from clew.scaling.managed.alarm_event import BYTES, NAMESPACE, READS_REFUSED, RECORDS, REFUSED
from clew.scaling.managed.settings import REFUSED_COUNTS
from clew.scaling.managed.tools import patiently
from clew.scaling.model import Load, ScalingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clew.scaling.managed.alarm_event import AlarmEvent
    from clew.scaling.managed.tools import Tools

AGE = "GetRecords.IteratorAgeMilliseconds"
#: GetMetricData: "up to 500 different metrics" in one call.
_QUERIES = 500
_FAILED = frozenset({"Forbidden", "InternalError"})  # MetricDataResult, StatusCode
#: CloudWatch keeps minutes for 15 days ("Metrics retention").
_MINUTES_KEPT_S = 14 * 86_400


@dataclass(frozen=True, slots=True)
class Measured:
    """Whole minutes, oldest first; the last one may be only begun. Loads are by the second."""

    start_s: float
    written: tuple[Load, ...] = ()
    refused: tuple[Load, ...] = ()
    reads_refused: float = 0.0  # records or calls, in all
    iterator_age_s: float = 0.0  # the highest of the last five minutes
    #: Of each open shard whose metrics are known: what was asked of it in each minute.
    shards: tuple[tuple[str, tuple[Load, ...]], ...] = ()

    def told(self, alarm: AlarmEvent | None, at_s: float) -> Measured:
        """The same with what an alarm measured just now: CloudWatch may tell it before the rest."""
        said = None if alarm is None else alarm.per_second
        if alarm is None or said is None or alarm.shard or not self.written:
            return self
        if alarm.at_s is not None and abs(at_s - alarm.at_s) > _NEWS_S:
            return self
        if not 0 <= said <= _MOST[alarm.metric]:  # no stream has that, and no plan should
            return self
        written, refused = self.written[-1], self.refused[-1]
        if alarm.metric == BYTES and said > written.bytes_per_s:
            written = replace(written, bytes_per_s=said)
        elif alarm.metric == RECORDS and said > written.records_per_s:
            written = replace(written, records_per_s=said)
        elif alarm.metric == REFUSED and said > refused.records_per_s:
            size = refused.bytes_per_s / refused.records_per_s if refused.records_per_s else 0.0
            refused = Load(said * size, said)
        return replace(
            self, written=(*self.written[:-1], written), refused=(*self.refused[:-1], refused)
        )


#: How long what an alarm measured is news.
_NEWS_S = 300
#: The most that the largest stream takes. Of refused records, a producer may try again and again.
_MOST = {
    BYTES: Limits().update_max_shards * Limits().shard_bytes_per_s,
    RECORDS: Limits().update_max_shards * Limits().shard_records_per_s,
    REFUSED: 100 * Limits().update_max_shards * Limits().shard_records_per_s,
}


def measure(
    tools: Tools, stream: str, *, last_s: float, created_s: float, shards: Iterable[str] = ()
) -> Measured:
    """The last ``last_s`` of a stream, and of the shards that are named; not before it was made."""
    now = tools.clock()
    end = (now // 60 + 1) * 60
    start = max(end - min(last_s, _MINUTES_KEPT_S) // 60 * 60 - 60, created_s // 60 * 60)
    start = min(start, end - 60)
    of_stream = {"StreamName": stream}
    wanted = [
        (of_stream, BYTES, "Sum"),
        (of_stream, RECORDS, "Sum"),
        (of_stream, REFUSED, "Sum"),
        (of_stream, READS_REFUSED, "Sum"),
        (of_stream, AGE, "Maximum"),
    ]
    ids = tuple(shards)
    for shard in ids:
        of_shard = {"StreamName": stream, "ShardId": shard}
        wanted += [(of_shard, name, "Sum") for name in (BYTES, RECORDS, REFUSED)]
    found = _read(tools, wanted, start, end, 60)
    written = _loads(found[0], found[1])
    refused = _refused(written, found[2])
    if len(written) > 1 and not found[0][-1] and not found[2][-1]:  # not begun, as far as is known
        written, refused = written[:-1], refused[:-1]
    of_shards = []
    for number, shard in enumerate(ids):
        each = found[5 + 3 * number : 8 + 3 * number]
        accepted = _loads(each[0], each[1])
        asked = (
            one + more.times(REFUSED_COUNTS)
            for one, more in zip(accepted, _refused(accepted, each[2]), strict=True)
        )
        of_shards.append((shard, tuple(asked)))
    return Measured(
        start_s=start,
        written=tuple(written),
        refused=tuple(refused),
        reads_refused=sum(found[3][-6:]),
        iterator_age_s=max(found[4][-6:]) / 1000,
        shards=tuple(of_shards),
    )


def history(tools: Tools, stream: str, *, days: float, limits: Limits) -> tuple[float, list[float]]:
    """When it begins, and what was asked in every five minutes since, in shards' worth."""
    end = tools.clock() // 300 * 300
    start = end - min(days * 86_400, _MINUTES_KEPT_S) // 300 * 300
    of_stream = {"StreamName": stream}
    wanted = [(of_stream, name, "Sum") for name in (BYTES, RECORDS, REFUSED)]
    found = _read(tools, wanted, start, end, 300)
    known = next((n for n, value in enumerate(found[0]) if value), len(found[0]))
    written = _loads(found[0], found[1], 300)
    refused = _refused(written, found[2], 300)
    asked = [
        (one + more.times(REFUSED_COUNTS)).shards(limits)
        for one, more in zip(written, refused, strict=True)
    ]
    return start + 300 * known, asked[known:]


def _loads(in_bytes: list[float], in_records: list[float], period_s: int = 60) -> list[Load]:
    return [
        Load(of_bytes / period_s, of_records / period_s)
        for of_bytes, of_records in zip(in_bytes, in_records, strict=True)
    ]


def _refused(written: Sequence[Load], records: list[float], period_s: int = 60) -> list[Load]:
    """Of refused records only the number is known; they are taken to be as large as the others."""
    total = sum(written, Load())
    size = total.bytes_per_s / total.records_per_s if total.records_per_s else 0.0
    return [Load(count / period_s * size, count / period_s) for count in records]


def _read(
    tools: Tools,
    wanted: Sequence[tuple[Mapping[str, str], str, str]],
    start_s: float,
    end_s: float,
    period_s: int,
) -> list[list[float]]:
    """The values of each metric in every period; 0 where there are none."""
    slots = int((end_s - start_s) // period_s)
    found = [[0.0] * slots for _ in wanted]
    queries = [_query(number, one, period_s) for number, one in enumerate(wanted)]
    for first in range(0, len(queries), _QUERIES):
        asked: dict[str, Any] = {
            "StartTime": datetime.fromtimestamp(start_s, UTC),
            "EndTime": datetime.fromtimestamp(end_s, UTC),
            "ScanBy": "TimestampAscending",
            "MetricDataQueries": queries[first : first + _QUERIES],
        }
        while True:
            answer = patiently(tools, tools.cloudwatch.get_metric_data, **asked)
            for one in answer["MetricDataResults"]:
                if one.get("StatusCode") in _FAILED:  # not the same as a stream that is idle
                    raise ScalingError(
                        f"CloudWatch could not give {one.get('Label', 'a metric')} of a stream"
                        f" ({one['StatusCode']}): it is asked again by the next run."
                    )
                series = found[int(one["Id"][1:])]
                for at, value in zip(one["Timestamps"], one["Values"], strict=True):
                    slot = int((at.timestamp() - start_s) // period_s)
                    if 0 <= slot < slots:
                        series[slot] = float(value)
            if not answer.get("NextToken"):
                break
            asked["NextToken"] = answer["NextToken"]
    return found


def _query(number: int, one: tuple[Mapping[str, str], str, str], period_s: int) -> dict[str, Any]:
    dimensions, name, statistic = one
    return {
        "Id": f"m{number}",
        "MetricStat": {
            "Metric": {
                "Namespace": NAMESPACE,
                "MetricName": name,
                "Dimensions": [{"Name": key, "Value": to} for key, to in dimensions.items()],
            },
            "Period": period_s,
            "Stat": statistic,
        },
    }

"""The alarms of a stream: what they should be (pure), and the calls that make them so.

Their thresholds follow from the number of open shards, so they are set again after every change.
They are alarms on one metric each, not on metric math: those may have ten metrics at the most, and
say less of what happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clew.scaling.limits import Limits
from clew.scaling.managed.alarm_event import BYTES, NAMESPACE, PREFIX, RECORDS, REFUSED
from clew.scaling.managed.metrics import AGE
from clew.scaling.managed.tools import code_of, patiently
from clew.scaling.words import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from clew.scaling.managed.observe import Listed, StreamState
    from clew.scaling.managed.settings import ManagedStream
    from clew.scaling.managed.tools import Tools

#: PutMetricAlarm: three calls a second.
_BURST, _BETWEEN_S = 3, 0.34
_DELETED_AT_ONCE = 100  # DeleteAlarms
_GONE = frozenset({"ResourceNotFound", "ResourceNotFoundException"})
#: Shards with alarms of their own: an account has 5,000 alarms, and each is billed.
_SHARDS = 100
#: EnableEnhancedMonitoring's names of what the alarms and the planner look at.
SHARD_METRICS = (BYTES, RECORDS, REFUSED)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An alarm as it should be."""

    name: str
    metric: str
    threshold: float
    statistic: str = "Sum"
    comparison: str = "GreaterThanOrEqualToThreshold"
    period_s: int = 60
    points: int = 1
    of: int = 1
    shard: str = ""
    about: str = ""

    def arguments(self, stream: str, actions: Sequence[str]) -> dict[str, Any]:
        """What PutMetricAlarm takes."""
        dimensions = [{"Name": "StreamName", "Value": stream}]
        if self.shard:
            dimensions.append({"Name": "ShardId", "Value": self.shard})
        return {
            "AlarmName": self.name,
            "AlarmDescription": self.about,
            "Namespace": NAMESPACE,
            "MetricName": self.metric,
            "Dimensions": dimensions,
            "Statistic": self.statistic,
            "Period": self.period_s,
            "EvaluationPeriods": self.of,
            "DatapointsToAlarm": self.points,
            "Threshold": self.threshold,
            "ComparisonOperator": self.comparison,
            "TreatMissingData": "notBreaching",  # a stream that nobody writes to has no metrics
            "ActionsEnabled": True,
            "AlarmActions": list(actions),
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """What is to be done about the alarms of a stream."""

    put: tuple[Wanted, ...] = ()
    delete: tuple[str, ...] = ()
    reset: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.put or self.delete or self.reset)


def prefix(stream: str) -> str:
    """What the names of all alarms of a stream begin with."""
    return f"{PREFIX}{stream}/"


def wanted_alarms(
    settings: ManagedStream, shards: Sequence[str], limits: Limits | None = None
) -> tuple[Wanted, ...]:
    """The alarms of a stream whose open shards have these ids. None of a stream left alone."""
    if settings.mode == "on-demand":
        return ()
    given = limits or Limits()
    return tuple(_wanted(settings, shards, given))


def difference(
    wanted: Iterable[Wanted],
    existing: Iterable[Mapping[str, Any]],
    *,
    stream: str,
    actions: Sequence[str],
    reset: bool,
) -> Difference:
    """From the alarms that there are (as DescribeAlarms has them) to those that there should be.

    ``reset`` sets those that are in alarm back to OK, so that they can turn again.
    """
    there = {one["AlarmName"]: one for one in existing}
    put, kept = [], set()
    for one in wanted:
        kept.add(one.name)
        before = there.get(one.name)
        if before is None or not _same(before, one.arguments(stream, actions)):
            put.append(one)
    return Difference(
        tuple(put),
        tuple(sorted(there.keys() - kept)),
        tuple(
            name
            for name, one in there.items()
            if reset and name in kept and one.get("StateValue") == "ALARM"
        ),
    )


def set_alarms(
    tools: Tools, settings: ManagedStream, state: StreamState, listed: Listed, *, reset: bool
) -> str:
    """Make a stream's alarms what they should be; what could not be done, in words, or "".

    Nothing is written while the stream is being changed: the number of shards is then on its way.
    """
    if not state.active:
        return ""
    wanted = wanted_alarms(settings, listed.ids)
    actions = [tools.topic] if tools.topic else []
    found = difference(
        wanted, existing(tools, settings.name), stream=settings.name, actions=actions, reset=reset
    )
    if settings.shard_alarms and not set(SHARD_METRICS) <= state.shard_metrics | {"ALL"}:
        _enable_shard_metrics(tools, state)
    names = list(found.delete)
    for first in range(0, len(names), _DELETED_AT_ONCE):
        some = names[first : first + _DELETED_AT_ONCE]
        patiently(tools, tools.cloudwatch.delete_alarms, AlarmNames=some)
    problem = _put(tools, settings.name, found.put, actions)
    reset_alarms(tools, found.reset, "clew has changed the stream. The alarm may turn again.")
    if settings.shard_alarms and len(listed.opened) > _SHARDS:
        problem = problem or f"Of {len(listed.opened)} shards the first {_SHARDS} have alarms."
    return problem


def existing(tools: Tools, stream: str) -> list[dict[str, Any]]:
    """The alarms of a stream, as DescribeAlarms has them, all pages."""
    found: list[dict[str, Any]] = []
    asked: dict[str, Any] = {"AlarmNamePrefix": prefix(stream), "MaxRecords": 100}
    while True:
        page = patiently(tools, tools.cloudwatch.describe_alarms, **asked)
        found += page["MetricAlarms"]
        if not page.get("NextToken"):
            return found
        asked["NextToken"] = page["NextToken"]


def reset_alarms(tools: Tools, names: Iterable[str], why: str) -> None:
    """Set alarms back to OK: CloudWatch tells of changes only, and they could not turn again."""
    from botocore.exceptions import ClientError

    for name in names:
        try:
            patiently(
                tools,
                tools.cloudwatch.set_alarm_state,
                AlarmName=name,
                StateValue="OK",
                StateReason=why,
            )
        except ClientError as error:
            if code_of(error) not in _GONE:  # deleted meanwhile, or an alarm of long ago
                raise


def remove_alarms(tools: Tools, stream: str) -> int:
    """Take away every alarm that clew made of a stream; how many."""
    names = [one["AlarmName"] for one in existing(tools, stream)]
    for first in range(0, len(names), _DELETED_AT_ONCE):
        some = names[first : first + _DELETED_AT_ONCE]
        patiently(tools, tools.cloudwatch.delete_alarms, AlarmNames=some)
    return len(names)


def _wanted(settings: ManagedStream, shards: Sequence[str], limits: Limits) -> Iterator[Wanted]:
    start = prefix(settings.name)
    open_shards = len(shards)
    per_shard = {BYTES: limits.shard_bytes_per_s, RECORDS: limits.shard_records_per_s}
    short = {BYTES: "bytes", RECORDS: "records"}
    for alarm in settings.rule().alarms:
        if alarm.measure == "utilisation":
            for metric, each in per_shard.items():
                yield Wanted(
                    name=f"{start}{short[metric]}",
                    metric=metric,
                    threshold=alarm.threshold * each * alarm.period_s * open_shards,
                    period_s=alarm.period_s,
                    points=alarm.points,
                    of=alarm.of,
                    about=f"{alarm.threshold:.0%} of {count(open_shards, 'shard')} of"
                    f" {settings.name}: clew adds shards.",
                )
            for number, shard in enumerate(shards if settings.shard_alarms else ()):
                if number == _SHARDS:
                    break
                for metric, each in per_shard.items():
                    yield Wanted(
                        name=f"{start}{shard}/{short[metric]}",
                        metric=metric,
                        threshold=alarm.threshold * each * alarm.period_s,
                        period_s=alarm.period_s,
                        points=alarm.points,
                        of=alarm.of,
                        shard=shard,
                        about=f"{alarm.threshold:.0%} of {shard} of {settings.name}: clew looks at"
                        " its keys.",
                    )
        elif alarm.measure == "refused":
            yield Wanted(
                name=f"{start}refused",
                metric=REFUSED,
                threshold=alarm.threshold * limits.shard_records_per_s * alarm.period_s,
                comparison="GreaterThanThreshold",
                period_s=alarm.period_s,
                points=alarm.points,
                of=alarm.of,
                about=f"{settings.name} refuses records: clew adds shards.",
            )
    if settings.iterator_age_alarm_s is not None:
        yield Wanted(
            name=f"{start}iterator-age",
            metric=AGE,
            threshold=settings.iterator_age_alarm_s * 1000,
            statistic="Maximum",
            points=3,
            of=3,
            about=f"Consumers of {settings.name} are {settings.iterator_age_alarm_s:g} s behind.",
        )


def _same(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    for name, value in after.items():
        there = before.get(name)
        if name == "Dimensions":
            there = sorted((one["Name"], one["Value"]) for one in there or ())
            value = sorted((one["Name"], one["Value"]) for one in value)  # noqa: PLW2901
        if isinstance(value, list):
            there = list(there or ())
        if there != value:
            return False
    return True


def _put(tools: Tools, stream: str, wanted: Sequence[Wanted], actions: Sequence[str]) -> str:
    from botocore.exceptions import ClientError

    for number, one in enumerate(wanted):
        if number >= _BURST:
            tools.wait(_BETWEEN_S)
        arguments = one.arguments(stream, actions)
        try:
            tools.cloudwatch.put_metric_alarm(**arguments)
        except ClientError as error:
            if code_of(error) in {"LimitExceeded", "LimitExceededFault"}:
                left = count(len(wanted) - number, "alarm")
                return f"The account's quota of alarms is used up: {left} of {stream} are missing."
            patiently(tools, tools.cloudwatch.put_metric_alarm, **arguments)
    return ""


def _enable_shard_metrics(tools: Tools, state: StreamState) -> None:
    patiently(
        tools,
        tools.kinesis.enable_enhanced_monitoring,
        StreamName=state.name,
        ShardLevelMetrics=[name for name in SHARD_METRICS if name not in state.shard_metrics],
    )

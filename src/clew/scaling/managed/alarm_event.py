"""What an alarm says, in whichever form it comes: of which stream, of what, how much. Pure.

CloudWatch tells of an alarm in three forms (`clew.alarm_in` knows them): a message through SNS, an
event through EventBridge, and a call of the function itself. Each is different again for an alarm
on one metric, on metric math and on other alarms.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clew.capture.alarm import alarm_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.capture.alarm import Alarm

NAMESPACE = "AWS/Kinesis"
#: Before the stream's name in the names of the alarms that clew makes.
PREFIX = "clew/"

BYTES, RECORDS = "IncomingBytes", "IncomingRecords"
REFUSED, READS_REFUSED = "WriteProvisionedThroughputExceeded", "ReadProvisionedThroughputExceeded"
AGES = ("GetRecords.IteratorAgeMilliseconds", "IteratorAgeMilliseconds", "IteratorAge")
#: Metrics that are counted over a period, so that they say how much there was in a second.
_COUNTED = {BYTES, RECORDS, REFUSED}
#: PutMetricAlarm takes no longer one.
_LONGEST_PERIOD_S = 7 * 86_400

#: "Threshold Crossed: 1 datapoint [52428800.0 (25/11/26 10:01:00)] was greater than ..."
_DATAPOINTS = re.compile(r"\[([^\]]*)\]")
_NUMBER = re.compile(r"(?<![\d/:.])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\d/:])")


@dataclass(frozen=True, slots=True)
class AlarmEvent:
    """An alarm that changed its state.

    ``stream`` is "" where neither a dimension nor the alarm's name tells it; ``metric`` is "" of
    a composite alarm, and ``"metric math"`` where an expression has several metrics; ``measured``
    is the last datapoint that it turned on, over ``period_s``.
    """

    name: str
    arn: str
    state: str
    at_s: float | None
    reason: str
    stream: str
    shard: str = ""
    metric: str = ""
    period_s: int = 0
    measured: float | None = None

    @property
    def key(self) -> str:
        """The same for every delivery of this change of state, and for no other change."""
        return f"{self.arn or self.name}@{self.at_s}"

    @property
    def region(self) -> str:
        """Of its ARN, or ""."""
        return self._of_arn(3)

    @property
    def account(self) -> str:
        """Of its ARN, or ""."""
        return self._of_arn(4)

    def _of_arn(self, at: int) -> str:
        parts = self.arn.split(":")
        return parts[at] if len(parts) > 6 else ""

    @property
    def of_reading(self) -> bool:
        """Whether it is about those who read, whom more shards do not help."""
        return self.metric in AGES or self.metric.endswith("IteratorAgeMilliseconds")

    @property
    def per_second(self) -> float | None:
        """What it measured, by the second; None if that makes no sense of its metric."""
        if self.measured is None or self.metric not in _COUNTED or self.period_s <= 0:
            return None
        return self.measured / self.period_s

    def __str__(self) -> str:
        """For the audit and the log."""
        of = f" of {self.shard}" if self.shard else ""
        what = f" ({self.metric}{of})" if self.metric else ""
        return f"the alarm {self.name}{what}"


def read_alarm(event: object) -> AlarmEvent | str:
    """The alarm in a Lambda event, or why there is none to act on, in one sentence."""
    alarm = alarm_in(event)
    if alarm is None:
        return "This event is no CloudWatch alarm, and was left alone."
    found = _read(alarm)
    if isinstance(found, AlarmEvent) and found.state != "ALARM":
        return (
            f"The alarm {found.name} went to {found.state or 'no state'}: there is nothing to do."
        )
    return found


def stream_in(alarm_name: str) -> str:
    """The stream that the name of one of clew's alarms has in it, or ""."""
    if not alarm_name.startswith(PREFIX):
        return ""
    return alarm_name.removeprefix(PREFIX).partition("/")[0]


def _read(alarm: Alarm) -> AlarmEvent | str:
    metrics = list(_metrics(alarm.raw))
    ours = [one for one in metrics if one.get("StreamName")]
    if metrics and not ours and not stream_in(alarm.name):
        return f"The alarm {alarm.name} is on no Kinesis stream, and was left alone."
    streams = {one["StreamName"] for one in ours}
    if len(streams) > 1:
        listed = ", ".join(sorted(streams))
        return f"The alarm {alarm.name} is on several streams ({listed}), and was left alone."
    names = {one["metric"] for one in ours}
    shards = {one.get("ShardId", "") for one in ours}
    alone = len(ours) == 1
    return AlarmEvent(
        name=alarm.name,
        arn=alarm.arn,
        state=alarm.state,
        at_s=None if alarm.changed_at is None else alarm.changed_at.timestamp(),
        reason=alarm.reason,
        stream=next(iter(streams), "") or stream_in(alarm.name),
        shard=shards.pop() if len(shards) == 1 else "",
        metric=names.pop() if len(names) == 1 else "metric math" if names else "",
        period_s=int(ours[0]["period"]) if alone else 0,
        measured=_measured(alarm.reason) if alone and len(metrics) == 1 else None,
    )


def _metrics(raw: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Each metric: its name as ``metric``, its period as ``period``, and its dimensions."""
    trigger = raw.get("Trigger")
    if isinstance(trigger, dict):  # as SNS is told
        if trigger.get("MetricName"):
            yield _metric(trigger, trigger.get("Period"))
        yield from _of_several(trigger.get("Metrics"), "MetricStat", "Metric", "Period")
        return
    said = raw.get("detail") or raw.get("alarmData")
    configuration = said.get("configuration") if isinstance(said, dict) else None
    if isinstance(configuration, dict):
        yield from _of_several(configuration.get("metrics"), "metricStat", "metric", "period")


def _of_several(found: Any, statistic: str, metric: str, period: str) -> Iterator[dict[str, Any]]:
    for one in found if isinstance(found, list) else ():
        measured = one.get(statistic) if isinstance(one, dict) else None
        if isinstance(measured, dict) and isinstance(measured.get(metric), dict):
            yield _metric(measured[metric], measured.get(period))


def _metric(said: dict[str, Any], period: Any) -> dict[str, Any]:
    """One metric, whose names are written with a capital by SNS and without one elsewhere."""
    found = {**_dimensions(said.get("Dimensions") or said.get("dimensions"))}
    namespace = said.get("Namespace") or said.get("namespace")
    if namespace != NAMESPACE:
        found.pop("StreamName", None)
    found["metric"] = str(said.get("MetricName") or said.get("metricName") or said.get("name", ""))
    known = isinstance(period, int | float) and 0 < period <= _LONGEST_PERIOD_S
    found["period"] = period if known else 0
    return found


def _dimensions(said: Any) -> dict[str, Any]:
    if isinstance(said, dict):  # EventBridge, and the function itself
        return {str(name): str(value) for name, value in said.items()}
    found = {}
    for one in said if isinstance(said, list) else ():
        if isinstance(one, dict):
            lower = {str(name).lower(): value for name, value in one.items()}
            found[str(lower.get("name"))] = str(lower.get("value"))
    return found


def _measured(reason: str) -> float | None:
    """The latest datapoint that a reason gives; AWS writes the latest first."""
    listed = _DATAPOINTS.search(reason)
    number = _NUMBER.search(listed.group(1)) if listed else None
    return float(number.group()) if number else None

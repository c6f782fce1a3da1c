"""The settings of one stream that is scaled for its team, with every default filled in. Pure.

A function in Lambda reads them from a table, so only the standard library is used here.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from clew.scaling.model import ScalingError
from clew.scaling.plan import Goal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.scaling.policy import Rule
    from clew.scaling.seen import Wish
    from clew.scaling.timetable import Profile

MODES = ("provisioned", "on-demand")
METHODS = ("auto", "operations", "update-shard-count")

#: What one refusal counts: AWS's SDKs try a record three times, and soon (AWS SDKs and Tools
#: Reference Guide, "Retry behavior").
REFUSED_COUNTS = 1 / 3

#: CreateStream: "[a-zA-Z0-9_.-]+", 1 to 128 characters.
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_MOST_SHARDS = 10_000
_RETENTION_H = (24, 8760)  # IncreaseStreamRetentionPeriod


@dataclass(frozen=True, slots=True)
class Minimum:
    """Never under ``minimum`` shards from ``start`` to ``end``, on the given days (0 is Monday)."""

    start: str
    end: str
    minimum: int
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class ManagedStream:
    """What is wanted of one stream.

    ``desired`` pins the number of shards; without it the load says, between the minimum and the
    maximum. More shards come when the stream is ``alarm_at`` full (or refuses records): as many as
    hold the peak of ``up_over_s`` at ``target``. Fewer when all of ``down_over_s`` was below
    ``down_below``, at most once in ``down_every_s`` (1.5 times the retention, if it is None).
    """

    name: str
    min_shards: int
    max_shards: int
    desired: int | None = None
    target: float = 0.75
    alarm_at: float = 0.8
    up_over_s: float = 300
    down_below: float = 0.5
    down_over_s: float = 86_400
    down_every_s: float | None = None
    schedule: tuple[Minimum, ...] = ()
    predictive: bool = False
    cool_down_s: float = 120
    retention_h: float = 24
    #: What a closed shard is taken to cost, as a part of an open one: AWS does not say.
    closed_shard_rate: float = 0.0
    isolate_hot_keys: bool = False
    #: Alarms on each shard, too; needs shard-level metrics, which CloudWatch bills.
    shard_alarms: bool = False
    mode: str = "provisioned"
    method: str = "auto"
    notify_topic: str = ""
    notify_webhook: str = ""
    iterator_age_alarm_s: float | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    env: str = ""

    def __post_init__(self) -> None:
        """Refuse settings that make no sense."""
        for wrong, why in _mistakes(self):
            if wrong:
                raise ScalingError(f"The settings of the stream {self.name!r}: {why}.")
        for one in self.schedule:  # its own checks
            _scheduled(one)

    @property
    def between_downs_s(self) -> float:
        """How long after getting fewer shards it may not get fewer again."""
        if self.down_every_s is None:
            return 1.5 * self.retention_h * 3600
        return self.down_every_s

    def rule(self, profile: Profile | None = None) -> Rule:
        """When it should have how many shards; ``profile`` is what the predictive rule goes by."""
        from clew.scaling.policy import Fixed, ScaleDown, TargetTracking
        from clew.scaling.timetable import Predictive

        if self.desired is not None:
            return Fixed(self.desired)
        rule: Rule = TargetTracking(
            self.target, self.up_over_s, self.alarm_at, refused_counts=REFUSED_COUNTS
        )
        for one in self.schedule:
            rule = rule | _scheduled(one)  # type: ignore[operator]
        if self.predictive and profile is not None:
            rule = rule | Predictive(profile, self.target)  # type: ignore[operator]
        down = ScaleDown(
            self.down_below,
            self.down_over_s,
            self.between_downs_s,
            self.target,
            closed_rate=self.closed_shard_rate,
            retention_h=self.retention_h,
        )
        return rule | down  # type: ignore[operator, no-any-return]

    def goal(self, wish: Wish) -> Goal:
        """What the planner is to reach: the wish, within the minimum and the maximum."""
        low, high = self.bounds
        return Goal(
            self.target,
            low,
            high,
            at_least=wish.at_least,
            at_most=wish.at_most,
            isolate_hot_keys=self.isolate_hot_keys,
        )

    @property
    def bounds(self) -> tuple[int, int]:
        """The fewest and the most shards that it may have."""
        if self.desired is not None:
            return self.desired, self.desired
        return self.min_shards, self.max_shards

    def to_json(self) -> str:
        """One line that :meth:`from_json` makes the same of."""
        values = {**asdict(self), "tags": dict(self.tags)}
        return json.dumps(values, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> ManagedStream:
        """The settings in a line.

        Names that are not known here are left out: a newer command line may have written them.

        Raises:
            ScalingError: It is no such line, or its settings make no sense.
        """
        try:
            given: dict[str, Any] = json.loads(text)
            known = {one.name for one in fields(cls)}
            values = {name: value for name, value in given.items() if name in known}
            values["schedule"] = tuple(
                Minimum(**{**one, "days": tuple(one["days"])}) for one in given.get("schedule", ())
            )
            return cls(**values)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ScalingError(
                f"These are no settings of a stream ({error}); put them again with"
                " `clew streams apply`."
            ) from error


def _scheduled(one: Minimum) -> Rule:
    from clew.scaling.timetable import Scheduled

    return Scheduled(one.start, one.end, one.minimum, one.days, one.timezone)


def _mistakes(of: ManagedStream) -> list[tuple[bool, str]]:
    """Each thing that may be wrong, and what to say then; the first that is counts."""
    low, high = of.min_shards, of.max_shards
    return [
        (not _NAME.fullmatch(of.name), "a stream's name has letters, digits and _.- only"),
        (not _whole(low, high), "the minimum and the maximum are whole numbers of shards"),
        (low < 1, f"the minimum of {low} shards is less than 1"),
        (low > high, f"the minimum of {low} shards is more than the maximum of {high}"),
        (high > _MOST_SHARDS, f"the maximum of {high} shards is more than {_MOST_SHARDS}"),
        (
            of.desired is not None and not low <= of.desired <= high,
            f"{of.desired} desired shards are not between the minimum of {low} and the maximum of"
            f" {high}",
        ),
        (not 0 < of.target <= 1, f"a target of {of.target} is not above 0 and up to 1"),
        (not 0 < of.alarm_at <= 1, f"an alarm at {of.alarm_at} is not above 0 and up to 1"),
        (
            not 0 < of.down_below < of.alarm_at,
            f"it would get fewer shards below {of.down_below}, and more from {of.alarm_at}: put"
            " the first number below the second",
        ),
        (of.up_over_s < 60, f"{of.up_over_s:g} s to scale up over are less than a minute"),
        (of.down_over_s < 60, f"{of.down_over_s:g} s to scale down over are less than a minute"),
        (
            of.down_every_s is not None and of.down_every_s < 0,
            "the time between two scalings down is negative",
        ),
        (of.cool_down_s < 0, "the cool-down is negative"),
        (
            not _RETENTION_H[0] <= of.retention_h <= _RETENTION_H[1],
            f"a retention of {of.retention_h:g} h is not between 24 and 8760",
        ),
        (
            not 0 <= of.closed_shard_rate <= 1,
            f"a closed shard cannot cost {of.closed_shard_rate} of an open one (0 to 1)",
        ),
        (of.mode not in MODES, f"the mode {of.mode!r} is none of {', '.join(MODES)}"),
        (of.method not in METHODS, f"the method {of.method!r} is none of {', '.join(METHODS)}"),
        (
            any(not low <= one.minimum <= high for one in of.schedule),
            f"a minimum in its schedule is not between {low} and {high}",
        ),
        (
            any(not set(one.days) <= set(range(7)) for one in of.schedule),
            "a day in its schedule is not between 0 (Monday) and 6",
        ),
        (
            of.iterator_age_alarm_s is not None and of.iterator_age_alarm_s <= 0,
            "an alarm on an iterator age has to be above 0 s",
        ),
    ]


def _whole(*values: object) -> bool:
    return all(isinstance(value, int) and not isinstance(value, bool) for value in values)

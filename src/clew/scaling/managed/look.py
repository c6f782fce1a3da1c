"""Everything that a decision needs to know of a stream, and the decision."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from clew.scaling.limits import Limits
from clew.scaling.managed.decide import Decision, decide, hottest_of, loaded_map, seen_of
from clew.scaling.managed.metrics import history, measure
from clew.scaling.managed.observe import Listed, describe, list_shards, when_active
from clew.scaling.managed.sample import sample_keys
from clew.scaling.model import ScalingError, ShardMap
from clew.scaling.prices import Prices
from clew.scaling.situation import Situation

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.scaling.managed.alarm_event import AlarmEvent
    from clew.scaling.managed.lock import Held
    from clew.scaling.managed.observe import StreamState
    from clew.scaling.managed.settings import ManagedStream
    from clew.scaling.managed.tools import Tools
    from clew.scaling.timetable import Profile

#: Shards' own metrics are read for this long: three of them for each shard.
_SHARDS_S = 900.0
_LEAST_S = 900.0
_LEARN_DAYS, _LEARNT_FOR_S = 14, 3600
#: What each stream is usually asked for, and when it was learnt; for the life of the process.
_profiles: dict[str, tuple[float, Profile | None]] = {}


@dataclass(frozen=True, slots=True)
class Found:
    """A stream as it is, and what to do with it."""

    state: StreamState
    listed: Listed
    shards: ShardMap
    decision: Decision

    @property
    def on_demand(self) -> bool:
        """Whether AWS scales it."""
        return self.state.mode == "on-demand"


def look(
    tools: Tools,
    settings: ManagedStream,
    alarm: AlarmEvent | None,
    held: Held,
    *,
    patient: bool = True,
    keep: Callable[[], None] | None = None,
) -> Found:
    """Look at a stream and decide. An alarm needs minutes to be answered, a schedule days.

    Without ``patient``, a stream that somebody changes just now is not waited for; with it,
    ``keep`` is called now and then while it is.

    Raises:
        TimeUpError: Somebody else is changing the stream, for longer than there is time.
        ScalingError: There is no such stream.
    """
    state = describe(tools, settings.name)
    if state.mode == "on-demand":
        listed = list_shards(tools, settings.name)
        return Found(state, listed, listed.shard_map(), Decision(None, ""))
    if not state.active and not patient:
        why = "Somebody else is changing the stream: it is looked at again by the next run."
        return Found(state, Listed((), 0), ShardMap.even(1), Decision(None, why))
    if not state.active:
        state = when_active(tools, settings.name, keep)
    listed = list_shards(tools, settings.name)
    shards = listed.shard_map()
    limits = Limits()
    last_s = max(settings.up_over_s * 2, _LEAST_S)
    measured = measure(
        tools,
        settings.name,
        last_s=last_s if alarm is not None else max(settings.down_over_s, last_s),
        created_s=state.created_s,
    )
    if settings.shard_alarms:
        some = measure(
            tools,
            settings.name,
            last_s=_SHARDS_S,
            created_s=state.created_s,
            shards=listed.ids,
        )
        measured = replace(measured, shards=some.shards)
    now = tools.clock()
    measured = measured.told(alarm, now)
    seen = seen_of(
        measured,
        limits,
        len(shards),
        now,
        alarm="" if alarm is None else alarm.name,
        last_up_s=held.last_up_s,
        last_down_s=held.last_down_s,
    )
    given: dict[str, Any] = {
        "alarm": alarm,
        "profile": _profile(tools, settings, limits) if settings.predictive else None,
    }
    situation = _situation(tools, settings, state)
    decision = decide(settings, seen, shards, measured, situation, **given)
    if decision.plan is not None and decision.up:
        situation = replace(situation, account_shards_left=_shards_left(tools, limits))
        decision = decide(settings, seen, shards, measured, situation, **given)
    if decision.uneven and state.active:
        loaded = loaded_map(
            shards, measured, limits, settings.up_over_s, len(shards) * settings.target
        )
        hot = hottest_of(loaded, limits, settings.target)
        if (sample := sample_keys(tools, settings.name, hot)).weights:
            decision = decide(settings, seen, shards, measured, situation, sample=sample, **given)
    return Found(state, listed, shards, decision)


def _situation(tools: Tools, settings: ManagedStream, state: StreamState) -> Situation:
    called = tools.store.update_calls(settings.name, tools.clock())
    limits = Limits()
    return Situation(
        limits=limits,
        prices=Prices(closed_shard_rate=settings.closed_shard_rate),
        retention_h=state.retention_h,
        update_calls_left=max(limits.update_calls_per_24h - called, 0),
    )


def _shards_left(tools: Tools, limits: Limits) -> int:
    """What is left of the account's quota. It may not be asked often, and then it is not known."""
    from botocore.exceptions import ClientError

    try:
        said = tools.kinesis.describe_limits()  # once a second, for a whole account
    except ClientError:
        return limits.account_shards
    return max(int(said["ShardLimit"]) - int(said["OpenShardCount"]), 0)


def _profile(tools: Tools, settings: ManagedStream, limits: Limits) -> Profile | None:
    from clew.scaling.timetable import Profile

    at_s, known = _profiles.get(settings.name, (float("-inf"), None))
    if tools.clock() - at_s < _LEARNT_FOR_S:
        return known
    start_s, asked = history(tools, settings.name, days=_LEARN_DAYS, limits=limits)
    try:
        learnt = Profile.learnt(asked, start_s, step_s=300)
    except ScalingError:  # less than a day is known
        learnt = None
    _profiles[settings.name] = (tools.clock(), learnt)
    return learnt

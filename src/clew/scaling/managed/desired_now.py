"""What a managed stream is like now: shards, load, alarms, what was done last. Reads only."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from clew.errors import ClewError
from clew.scaling.limits import Limits
from clew.scaling.managed import alarms
from clew.scaling.managed.decide import loaded_map
from clew.scaling.managed.desired_state import asking
from clew.scaling.managed.lock import GRACE_S, Held
from clew.scaling.managed.look import look
from clew.scaling.managed.metrics import measure
from clew.scaling.managed.observe import describe, list_shards
from clew.scaling.managed.store import lock_key
from clew.scaling.model import Load, ScalingError
from clew.scaling.words import duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clew.scaling.managed.metrics import Measured
    from clew.scaling.managed.observe import StreamState
    from clew.scaling.managed.settings import ManagedStream
    from clew.scaling.managed.tools import Tools
    from clew.scaling.model import ShardMap
    from clew.scaling.plan import Operation

_LAST_S = 900.0
_NEVER = float("-inf")
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Locked:
    """What the lock of a stream says."""

    owner: str = ""  # empty: nobody has it
    until_s: float = _NEVER
    cool_until_s: float = _NEVER
    last_up_s: float = _NEVER
    last_down_s: float = _NEVER

    def held(self, stream: str) -> Held:
        """As if it were held, for a decision that is only shown."""
        times = self.last_up_s, self.last_down_s, self.cool_until_s
        return Held(stream, "", 0, *times)


@dataclass(frozen=True, slots=True)
class Now:
    """A stream as it is."""

    settings: ManagedStream
    state: StreamState
    shards: ShardMap  # with the peak of the last minutes as the load of each
    closed: int
    measured: Measured
    by_shard: bool  # whether the load of each shard is known, or taken to be even
    alarms: Sequence[dict[str, Any]]
    locked: Locked
    under_way: dict[str, Any] | None  # the plan that is being carried out
    done: Sequence[dict[str, Any]]  # the last records of the audit, the latest first

    @property
    def utilisation(self) -> float:
        """Of the whole stream, in its fullest minute of the last ones: asked over what fits."""
        return self.asked.shards(Limits()) / max(len(self.shards), 1)

    @property
    def asked(self) -> Load:
        """What was asked of it in that minute."""
        pairs = zip(self.measured.written[-5:], self.measured.refused[-5:], strict=True)
        return max((one + more for one, more in pairs), key=_shards_worth, default=Load())

    @property
    def refused(self) -> float:
        """How many records were refused in the last five minutes."""
        return sum(load.records_per_s * 60 for load in self.measured.refused[-5:])

    @property
    def ringing(self) -> list[str]:
        """The alarms that are in alarm, without what all their names begin with."""
        start = alarms.prefix(self.settings.name)
        names = [one["AlarmName"] for one in self.alarms if one.get("StateValue") == "ALARM"]
        return sorted(name.removeprefix(start) for name in names)


def _shards_worth(load: Load) -> float:
    return load.shards(Limits())


def look_at(tools: Tools, settings: ManagedStream, *, records: int = 3) -> Now:
    """One stream.

    Raises:
        ScalingError: There is no such stream.
    """
    name = settings.name
    state = describe(tools, name)
    listed = list_shards(tools, name)
    measured = measure(tools, name, last_s=_LAST_S, created_s=state.created_s)
    by_shard = bool({"IncomingBytes", "ALL"} & state.shard_metrics)
    if by_shard:
        some = measure(tools, name, last_s=_LAST_S, created_s=state.created_s, shards=listed.ids)
        measured = replace(measured, shards=some.shards)
    lock, plan, done = _remembered(tools, name, records)
    shards = loaded_map(listed.shard_map(), measured, Limits(), 300, float("inf"))
    return Now(
        settings=settings,
        state=state,
        shards=shards,
        closed=listed.closed,
        measured=measured,
        by_shard=by_shard,
        alarms=alarms.existing(tools, name),
        locked=lock,
        under_way=plan,
        done=done,
    )


def _remembered(
    tools: Tools, name: str, records: int
) -> tuple[Locked, dict[str, Any] | None, list[dict[str, Any]]]:
    """What the table has of a stream; nothing where there is no table."""
    try:
        found = locked(tools, name), tools.store.plan(name), tools.store.audit(name, limit=records)
    except ScalingError as error:
        if isinstance(error.__cause__, ClientError):
            return Locked(), None, []
        raise
    return found


def look_at_all(tools: Tools, streams: Sequence[ManagedStream]) -> list[Now | str]:
    """Several at once; in the place of one that cannot be looked at, why."""

    def one(settings: ManagedStream) -> Now | str:
        try:
            with asking("kinesis"):
                return look_at(tools, settings)
        except ClewError as error:
            return str(error)

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return list(threads.map(one, streams))


def locked(tools: Tools, stream: str) -> Locked:
    """Who has a stream in hand, and until when it is to be left alone."""
    item = tools.store.call("get_item", Key=lock_key(stream), ConsistentRead=True).get("Item", {})

    def at(name: str) -> float:
        return float(item[name]["N"]) if name in item else _NEVER

    owner = item.get("owner", {}).get("S", "")
    if at("until") < tools.clock() - GRACE_S:
        owner = ""  # it has let it expire
    return Locked(owner, at("until"), at("cool_until"), at("last_up"), at("last_down"))


@dataclass(frozen=True, slots=True)
class Judged:
    """What would be done with a stream now, and what stands in the way."""

    settings: ManagedStream
    shards: int
    plan: str  # in words; empty where it would be left as it is
    why: str
    operations: tuple[Operation, ...]
    hot_keys: tuple[str, ...]
    but: tuple[str, ...]


def judge(tools: Tools, settings: ManagedStream) -> Judged:
    """Decide as the functions would, and do nothing.

    Raises:
        ScalingError: There is no such stream.
    """
    lock = locked(tools, settings.name)
    but = list(_but(tools, settings, lock))
    found = look(tools, settings, None, lock.held(settings.name))
    plan, why = found.decision.plan, found.decision.why
    if found.on_demand or settings.mode == "on-demand":
        plan, why = None, "It is in on-demand mode: AWS changes its shards."
    return Judged(
        settings=settings,
        shards=len(found.shards),
        plan=plan.explain() if plan else "",
        why=why,
        operations=plan.operations if plan else (),
        hot_keys=found.decision.hot_keys,
        but=tuple(but),
    )


def _but(tools: Tools, settings: ManagedStream, lock: Locked) -> Iterator[str]:
    now = tools.clock()
    if under_way := tools.store.plan(settings.name):
        yield f"A plan is under way, and is finished first: {under_way['words']}"
    if lock.owner:
        yield f"An action has it in hand ({lock.owner}): everything else waits."
    elif lock.cool_until_s > now:
        left = duration(lock.cool_until_s - now)
        yield f"The last action is too recent: it is left alone for {left} more."
    down = settings.between_downs_s - (now - lock.last_down_s)
    if down > 0:
        yield f"It got fewer shards lately, and cannot again for {duration(down)}."

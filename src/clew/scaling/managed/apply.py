"""Carries out a plan: one change of the shards at a time, each from what the stream shows then.

Nothing is remembered but the boundaries to reach. Whatever happened between two changes (the
function was killed, or somebody split a shard by hand), the next change follows from the shards
that there are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import uniform
from typing import TYPE_CHECKING

from clew.scaling.managed.observe import list_shards, when_active
from clew.scaling.managed.tools import BUSY, code_of
from clew.scaling.model import ScalingError
from clew.scaling.plan import remaining
from clew.scaling.uniform import even_cuts_near, steps

if TYPE_CHECKING:
    from clew.scaling.managed.lock import Held, Lock
    from clew.scaling.managed.tools import Tools
    from clew.scaling.model import ShardMap
    from clew.scaling.plan import Operation, Plan
    from clew.scaling.situation import Situation

#: Errors after which the shards are looked at again: they are not those that the call meant.
_CHANGED = frozenset({"InvalidArgumentException", "ResourceNotFoundException"})
#: How often in a row the service may refuse before the rest is left for later.
_REFUSALS = 10
_LONGEST_WAIT_S = 10.0


@dataclass(slots=True)
class Progress:
    """What was done, for the audit; it grows while a plan is carried out."""

    splits: int = 0
    merges: int = 0
    calls: int = 0
    note: str = ""

    @property
    def changes(self) -> int:
        """How many changes were made."""
        return self.splits + self.merges + self.calls


class StuckError(ScalingError):
    """The service refuses to go on, or somebody else changes the shards back."""


def carry_out(
    tools: Tools,
    lock: Lock,
    held: Held,
    plan: Plan,
    *,
    situation: Situation,
    progress: Progress,
) -> ShardMap:
    """Change the stream until it has the plan's boundaries, and return the shards it has then.

    Raises:
        LostError: Another one holds the stream now.
        TimeUpError: The invocation's time is nearly over; the rest is still to be done.
        StuckError: It does not get any further.
        ScalingError: There is no such stream any more.
    """
    run = _Run(tools, lock, held, plan, situation=situation, progress=progress)
    if plan.calls and run.by_calls():
        return list_shards(tools, held.stream).shard_map()
    return run.by_operations()


class _Run:
    """One attempt at a plan."""

    def __init__(
        self,
        tools: Tools,
        lock: Lock,
        held: Held,
        plan: Plan,
        *,
        situation: Situation,
        progress: Progress,
    ) -> None:
        self._tools, self._lock, self._held = tools, lock, held
        self._plan, self._situation, self._progress = plan, situation, progress
        self._stream = held.stream
        self._refusals = 0

    def by_calls(self) -> bool:
        """By UpdateShardCount; whether that did it, or own operations have to do the rest."""
        tools, target = self._tools, self._plan.calls[-1]
        limits = self._situation.limits
        while True:
            tools.check_time()
            self._wait()
            now = len(list_shards(tools, self._stream).opened)
            if now == target:
                return True
            called = tools.store.update_calls(self._stream, tools.clock())
            counts = steps(now, target, limits)
            if not counts or called >= limits.update_calls_per_24h:
                self._progress.note = (
                    f"UpdateShardCount has been called {called} times in 24 hours: the rest is done"
                    " by own splits and merges."
                )
                return False
            self._lock.renew(self._held)
            tools.store.note_update_call(self._stream, tools.clock())
            error = self._called(
                tools.kinesis.update_shard_count,
                TargetShardCount=counts[0],
                ScalingType="UNIFORM_SCALING",
            )
            if not error:
                self._progress.calls += 1
            elif error in {"LimitExceededException", "InvalidArgumentException"}:
                self._progress.note = (
                    f"UpdateShardCount refused ({error}): the rest is done by own splits and"
                    " merges."
                )
                return False

    def by_operations(self) -> ShardMap:
        """By SplitShard and MergeShards."""
        most: int | None = None
        done = 0
        while True:
            self._tools.check_time()
            self._wait()
            shards = list_shards(self._tools, self._stream).shard_map()
            plan = self._plan
            if plan.calls:  # the shards that UpdateShardCount has made may be rounded otherwise
                plan = replace(plan, cuts=even_cuts_near(plan.after, shards.cuts))
            left = remaining(plan, shards, self._situation).operations
            if not left:
                return shards
            most = 2 * len(left) + 10 if most is None else most
            if done >= most:
                raise StuckError(
                    f"The shards of {self._stream} are changed by somebody else as well: after"
                    f" {done} changes {len(left)} were left. It is left as it is."
                )
            self._lock.renew(self._held)
            if not self._change(left[0], shards):
                done += 1

    def _wait(self) -> None:
        """Until the last change is done, with the lock in hand."""
        when_active(self._tools, self._stream, lambda: self._lock.renew(self._held))

    def _change(self, one: Operation, shards: ShardMap) -> str:
        """One split or merge; the code of the error, or ""."""
        kinesis = self._tools.kinesis
        if one.kind == "split":
            shard = next(each.id for each in shards.shards if each.start <= one.at < each.end)
            error = self._called(
                kinesis.split_shard, ShardToSplit=shard, NewStartingHashKey=str(one.at)
            )
            self._progress.splits += not error
        else:
            left = next(each.id for each in shards.shards if each.end == one.at)
            right = next(each.id for each in shards.shards if each.start == one.at)
            error = self._called(
                kinesis.merge_shards, ShardToMerge=left, AdjacentShardToMerge=right
            )
            self._progress.merges += not error
        return error

    def _called(self, call: object, **arguments: object) -> str:
        """Make a call that changes the stream; the code of an error that may pass, or ""."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            call(StreamName=self._stream, **arguments)  # type: ignore[operator]
        except ClientError as error:
            code = code_of(error)
            if code not in BUSY and code not in _CHANGED:
                raise
        except BotoCoreError as error:  # no answer: whether it was done, the shards will show
            code = type(error).__name__
        else:
            self._refusals = 0
            return ""
        self._refusals += 1
        if self._refusals > _REFUSALS:
            raise StuckError(
                f"Kinesis refuses to change {self._stream} ({code}, {self._refusals} times in a"
                " row): the rest is tried again in a few minutes."
            )
        wait_s = min(0.05 * 2**self._refusals, _LONGEST_WAIT_S)
        self._tools.wait(uniform(wait_s / 2, wait_s))  # noqa: S311 - jitter
        return code

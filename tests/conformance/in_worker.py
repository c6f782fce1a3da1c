"""Runs a case in clew's worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clew.streams.worker import (
    FunctionTarget,
    MappingSettings,
    SqliteLeases,
    Worker,
    WorkerOptions,
)
from clew.streams.worker.clock import Clock, Instant
from clew.streams.worker.targets import Answer

from .contract import difference
from .function import CaseFunction
from .stage import Stage, wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.localcloud.session import LoopbackSession

    from .contract import Case, Seen

_TIMEOUT_S = 20.0
_OPTIONS = WorkerOptions(
    poll_interval_s=0.02,
    reads_per_second=100,
    bytes_per_second=1e9,
    buffer_bytes=16_000_000,
    backoff_first_s=0.02,
    backoff_most_s=0.1,
    shard_sync_s=0.2,
    lease_s=2.0,
)


class _Clock(Clock):
    """A clock that can be put forward."""

    ahead_s = 0.0

    def now(self) -> Instant:
        now = super().now()
        return Instant(now.steady, now.wall + self.ahead_s)


class _Target(FunctionTarget):
    """A function that is throttled at first."""

    throttled = 0

    def invoke(self, event: Mapping[str, Any]) -> Answer:
        if self.throttled:
            self.throttled -= 1
            return Answer(error="TooManyRequestsException", invoked=False)
        return super().invoke(event)


def run_in_worker(session: LoopbackSession, case: Case) -> Seen:
    """Play the case, until all its records are done with or it does what it should."""
    stage = Stage(session, case)
    seen = stage.seen
    function = CaseFunction(seen)
    target = _Target(function, name="function", concurrency=10)
    target.throttled = case.throttled
    clock = _Clock()
    latest = case.properties.get("StartingPosition") == "LATEST"
    # At LATEST the records before the mapping are never done with.
    stage.put(case.records)
    awaited = set() if latest else stage.last_sequences()
    reads: list[str] = []
    session.events.register(
        "after-call.*.GetRecords", lambda **_rest: reads.append("read"), unique_id=stage.name
    )
    worker = Worker(
        MappingSettings.from_properties(stage.properties),
        target=target,
        leases=SqliteLeases(":memory:"),
        session=session,
        mapping=stage.name,
        options=_OPTIONS,
        clock=clock,
    )
    worker.start()
    try:
        if case.later:
            began = function.failed.is_set if case.split else lambda: bool(reads)
            wait_for(began, _TIMEOUT_S)
            before = stage.last_sequences()
            stage.put_later()
            awaited |= stage.last_sequences() - (before if latest else set())
        if case.ahead_s:
            wait_for(lambda: bool(seen.events), _TIMEOUT_S)
            clock.ahead_s = case.ahead_s

        def done() -> bool:
            stage.hear()
            told = len(case.told or ()) <= len(seen.told)
            if case.endless:
                return told and not difference(seen)
            return told and _handled(worker) >= len(awaited)

        wait_for(done, _TIMEOUT_S)
    finally:
        worker.stop()
        stage.strike()
    return seen


def _handled(worker: Worker) -> int:
    """Records that are done with in one way or another."""
    status = worker.status()
    return status.records + status.discarded + status.filtered

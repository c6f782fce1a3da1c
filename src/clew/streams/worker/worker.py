"""One worker: it holds leases on shards, and runs a consumer for each that it holds."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid
from typing import TYPE_CHECKING

from clew.streams.worker import events
from clew.streams.worker.balance import plan
from clew.streams.worker.clock import Clock
from clew.streams.worker.consumer import ShardConsumer
from clew.streams.worker.destinations import Destination
from clew.streams.worker.errors import LeaseLostError, LeaseStoreError, WorkerError
from clew.streams.worker.events import WorkerEvent, ignore
from clew.streams.worker.lane import Surroundings
from clew.streams.worker.machine import Rules
from clew.streams.worker.options import WorkerOptions
from clew.streams.worker.records import shape_of
from clew.streams.worker.shards import first_leases, later_leases, remade
from clew.streams.worker.sources import ReadError, StreamGoneError, open_source
from clew.streams.worker.status import Tally, WorkerStatus

if TYPE_CHECKING:
    import boto3

    from clew.streams.worker.events import Observe
    from clew.streams.worker.leases import Lease, LeaseStore
    from clew.streams.worker.settings import MappingSettings
    from clew.streams.worker.shards import Shard
    from clew.streams.worker.targets import Target

_log = logging.getLogger(__name__)

# A shard that this worker itself put down at LATEST is read from "now" for this long.
_FRESH_S = 5.0
_FORGET_AFTER_S = 3600.0
_STARTING, _RUNNING, _STOPPING, _STOPPED, _FAILED = (
    "starting",
    "running",
    "stopping",
    "stopped",
    "failed",
)


class Worker:
    """Runs one mapping, alone or beside other workers of the same mapping.

    Args:
        settings: What the mapping asks for.
        target: What the batches are given to.
        leases: Where positions are kept and shards shared out. A store serves one worker, which
            closes it.
        session: Its clients read the stream and write to the on-failure destination.
        mapping: The mapping's name. Workers of one name share the work; the default is made of
            the stream and the function. It stands in the names of S3 objects as Lambda's UUID.
        worker_id: This worker's name among them; a random one if not given.
        options: Paces and patience.
        observe: Told of everything that happens, from several threads, one at a time.
        role_arn: The function's role, which stands in Kinesis events.
        clock: What tells the time.
    """

    def __init__(
        self,
        settings: MappingSettings,
        *,
        target: Target,
        leases: LeaseStore,
        session: boto3.Session,
        mapping: str = "",
        worker_id: str = "",
        options: WorkerOptions | None = None,
        observe: Observe = ignore,
        role_arn: str = "",
        clock: Clock | None = None,
    ) -> None:
        source = settings.source
        self.settings = settings
        self.worker_id = worker_id or f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        function = target.function_arn.rpartition(":function:")[2].replace(":", "-")
        self.mapping = mapping or f"{source.name}-{function}"
        self._target = target
        self._store = leases
        self._session = session
        self._options = options or WorkerOptions()
        self._observe = observe
        self._clock = clock or Clock()
        self._role_arn = role_arn
        self._source = open_source(session, source, self._clock)
        self._around: Surroundings | None = None
        self._consumers: dict[str, ShardConsumer] = {}
        self._lock = threading.RLock()
        self._telling = threading.RLock()  # an observer may ask for the status
        self._tally = Tally()
        self._state = _STARTING
        self._reason = ""
        self._wake = threading.Event()
        self._over = threading.Event()
        self._left = False
        self._thread = threading.Thread(target=self._run, name="clew-worker", daemon=True)
        # What other workers' leases and beats were when they last changed, and when that was.
        self._seen: dict[str, tuple[object, float]] = {}
        self._shards_at = float("-inf")
        self._kept_at = time.monotonic()
        self._fresh_until: dict[str, float] = {}
        self._absent_since: dict[str, float] = {}

    def start(self) -> None:
        """Check the stream and the target, and begin in threads of its own.

        Raises `WorkerError` if there is no such stream or target, or the leases are of another
        stream. Nothing runs then.
        """
        identity = self._source.identity()
        self._target.check()
        destination = None
        if arn := self.settings.on_failure_destination:
            destination = Destination(
                self._session, arn, self.settings.source, self._target.function_arn, self.mapping
            )
            destination.check()
        self._around = Surroundings(
            settings=self.settings,
            options=self._options,
            rules=Rules.of(self.settings, self._options),
            shape=shape_of(self.settings.source, self._role_arn),
            target=self._target,
            destination=destination,
            clock=self._clock,
            observe=self._tell,
        )
        self._store.open(self.mapping, identity)
        self._state = _RUNNING
        self._tell(
            WorkerEvent(
                events.STARTED,
                fields={
                    "source": self.settings.source_arn,
                    "mapping": self.mapping,
                    "worker": self.worker_id,
                },
            )
        )
        self._thread.start()

    def stop(self, grace_s: float = 10.0) -> None:
        """End: finish the batches that are under way within ``grace_s``, and release the leases.

        A batch that is not finished by then comes again to whoever takes the shard. May be
        called again, and of a worker that failed.
        """
        with self._lock:
            if self._state in (_STARTING, _RUNNING):
                self._state = _STOPPING
        self._wake.set()
        with self._lock:
            consumers = list(self._consumers.values())
        for consumer in consumers:
            consumer.stop()
        deadline = time.monotonic() + grace_s
        for consumer in consumers:
            if not consumer.join(max(0.0, deadline - time.monotonic())):
                # It goes on in its thread, but what it writes is refused from here on.
                self._release(consumer.lease)
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(max(1.0, deadline - time.monotonic()))
        self._finish()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; whether it came. Raises `WorkerError` if the worker failed."""
        ended = self._over.wait(timeout_s)
        if self._state == _FAILED:
            raise WorkerError(self._reason)
        return ended

    def status(self) -> WorkerStatus:
        """How far it is."""
        with self._lock:
            shards = {name: each.status() for name, each in sorted(self._consumers.items())}
        with self._telling:
            quiet_s = time.monotonic() - self._kept_at
            return self._tally.status(self._state, self.worker_id, shards, quiet_s, self._reason)

    def _run(self) -> None:
        """The thread that keeps the leases."""
        pause = self._options.lease_s / 4
        while self._state == _RUNNING:
            self._wake.clear()
            try:
                self._keep_leases()
                self._kept_at = time.monotonic()
            except LeaseStoreError as error:
                self._tell(WorkerEvent(events.STORE_FAILED, fields={"error": str(error)}))
            except StreamGoneError as error:
                self._fail(f"T{str(error)[1:]}; nothing can be read from it.")
            except ReadError as error:
                self._tell(WorkerEvent(events.READ_FAILED, fields={"error": str(error)}))
            except WorkerError as error:
                self._fail(str(error))
            except Exception as error:  # noqa: BLE001  (a dead thread would hold up every shard)
                self._fail(f"The worker failed: {type(error).__name__}: {error}.")
            self._wake.wait(pause)

    def _keep_leases(self) -> None:
        """Show that this worker lives, and take, give and follow shards."""
        self._store.beat(self.worker_id)
        self._renew()
        leases = self._store.leases()
        now = time.monotonic()
        if now - self._shards_at >= self._options.shard_sync_s or not leases:
            self._follow_shards(leases)
            leases = self._store.leases()
            self._shards_at = now
        workers, expired = self._living(leases, now)
        mine = plan(leases, self.worker_id, workers, expired)
        for lease in mine.take:
            self._take(lease)
        if mine.ask:
            self._store.ask(mine.ask, self.worker_id)

    def _renew(self) -> None:
        with self._lock:
            consumers = list(self._consumers.values())
        for consumer in consumers:
            asked_at = time.monotonic()
            try:
                consumer.renewed(self._store.renew(consumer.lease), asked_at)
            except LeaseLostError:
                consumer.lose()
                continue
            if consumer.lease.wanted_by:
                consumer.stop()

    def _follow_shards(self, leases: list[Lease]) -> None:
        """Note shards that are new, and such as are not the ones they were."""
        shards = self._source.shards()
        if not leases:
            began = first_leases(shards, self.settings, self._clock.now().wall)
            self._store.add(began, first=True)
            fresh_until = time.monotonic() + _FRESH_S
            self._fresh_until = {lease.shard_id: fresh_until for lease in began}
            return
        for old, fresh in remade(shards, leases):
            if self._store.remake(old, fresh):
                self._tell(WorkerEvent(events.SHARD_REMADE, old.shard_id))
        self._store.add(later_leases(shards, leases))
        self._forget_finished(shards, leases)

    def _forget_finished(self, shards: list[Shard], leases: list[Lease]) -> None:
        """Remove the leases of shards that are done, and that the stream has long forgotten.

        Long, because a shard whose lease is gone and that is listed after all is read again.
        """
        now = time.monotonic()
        listed = {shard.shard_id for shard in shards}
        absent = {
            lease.shard_id: self._absent_since.get(lease.shard_id, now)
            for lease in leases
            if lease.finished and lease.shard_id not in listed
        }
        for lease in leases:
            if now - absent.get(lease.shard_id, now) > _FORGET_AFTER_S:
                self._store.remove(lease)
        self._absent_since = absent

    def _living(self, leases: list[Lease], now: float) -> tuple[set[str], set[str]]:
        """The workers that live, and the shards whose owner does not.

        Told by counters that go on or stand still, on this process's own steady clock: no two
        machines have to agree on the time.
        """
        workers = {
            name
            for name, beat in self._store.workers()
            if self._moves(f"worker {name}", beat, now) or name == self.worker_id
        }
        expired = {
            lease.shard_id
            for lease in leases
            if lease.owner
            and not self._moves(f"lease {lease.shard_id}", (lease.token, lease.beat), now)
        }
        return workers, expired

    def _moves(self, what: str, count: object, now: float) -> bool:
        before, since = self._seen.get(what, (None, now))
        if before != count:
            self._seen[what] = (count, now)
            return True
        return now - since < self._options.lease_s

    def _take(self, lease: Lease) -> None:
        around = self._around
        if around is None or lease.shard_id in self._consumers:
            return
        taken = self._store.take(lease, self.worker_id)
        if taken is None:
            return
        fresh = time.monotonic() < self._fresh_until.get(lease.shard_id, 0.0)
        consumer = ShardConsumer(
            taken,
            self._store,
            self._source,
            around,
            fresh=fresh,
            on_failure=self._fail,
            on_end=self._ended,
        )
        fields = {"token": taken.token, "position": consumer.status().position}
        self._tell(WorkerEvent(events.SHARD_TAKEN, lease.shard_id, fields))
        with self._lock:
            if running := self._state == _RUNNING:
                self._consumers[lease.shard_id] = consumer
                consumer.start()
        if not running:
            self._release(taken)

    def _ended(self, consumer: ShardConsumer) -> None:
        """A consumer has ended by itself: write that down, and look for what there is to do."""
        kind = events.SHARD_RELEASED
        try:
            if consumer.lost:
                kind = events.SHARD_LOST
            elif consumer.finished:
                self._store.checkpoint(consumer.lease, consumer.final_checkpoint(), finished=True)
                kind = events.SHARD_FINISHED
                self._shards_at = float("-inf")  # its children are to be seen at once
            else:
                self._store.release(consumer.lease)
        except LeaseLostError:
            kind = events.SHARD_LOST
        except LeaseStoreError as error:
            # The lease runs out, and whoever takes it finds the shard at its end.
            self._tell(WorkerEvent(events.STORE_FAILED, consumer.shard_id, {"error": str(error)}))
        with self._lock:
            self._consumers.pop(consumer.shard_id, None)
        self._tell(WorkerEvent(kind, consumer.shard_id, {"token": consumer.lease.token}))
        self._wake.set()

    def _release(self, lease: Lease) -> None:
        try:
            self._store.release(lease)
        except LeaseStoreError as error:
            self._tell(WorkerEvent(events.STORE_FAILED, lease.shard_id, {"error": str(error)}))

    def _fail(self, reason: str) -> None:
        """The mapping cannot go on: end everything, without waiting for it here."""
        with self._lock:
            if self._state != _RUNNING:
                return
            self._state, self._reason = _FAILED, reason
            consumers = list(self._consumers.values())
        for consumer in consumers:
            consumer.stop()
        self._wake.set()
        self._tell(WorkerEvent(events.STOPPED, fields={"reason": reason}))
        self._over.set()

    def _finish(self) -> None:
        """Leave the others and close the store, once."""
        with self._lock:
            if self._left:
                return
            self._left = True
            if self._state != _FAILED:
                self._state = _STOPPED
        try:
            self._store.leave(self.worker_id)
            self._store.close()
        except LeaseStoreError:
            pass  # the others see that it does not beat any more
        if self._state == _STOPPED:
            self._tell(WorkerEvent(events.STOPPED, fields={"reason": ""}))
        self._over.set()

    def _tell(self, event: WorkerEvent) -> None:
        with self._telling:
            self._tally.add(event)
            try:
                self._observe(event)
            except Exception:  # noqa: BLE001  (records do not wait for whoever watches)
                _log.exception("what watches the worker failed")

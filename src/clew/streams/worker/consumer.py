"""One shard that is held: a reader, its lanes, and how far they are."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from clew.streams.worker import checkpoint, events
from clew.streams.worker.errors import LeaseLostError, LeaseStoreError
from clew.streams.worker.events import WorkerEvent
from clew.streams.worker.lane import LaneRunner
from clew.streams.worker.reader import ShardReader
from clew.streams.worker.records import lane_of
from clew.streams.worker.status import ShardStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.streams.worker.lane import Surroundings
    from clew.streams.worker.leases import Lease, LeaseStore
    from clew.streams.worker.records import StreamRecord
    from clew.streams.worker.sources import StreamSource

_STORE_PAUSE_S = 0.2


class ShardConsumer:
    """Works on one shard under one lease, until the shard is done, released or lost."""

    def __init__(
        self,
        lease: Lease,
        store: LeaseStore,
        source: StreamSource,
        around: Surroundings,
        *,
        fresh: bool,
        on_failure: Callable[[str], None],
        on_end: Callable[[ShardConsumer], None],
    ) -> None:
        self.lease = lease
        #: Set when the shard has been read and handled to its end.
        self.finished = False
        #: Set when somebody else holds the shard.
        self.lost = False
        self._store = store
        self._around = around
        self._on_failure = on_failure
        self._on_end = on_end
        self._held_until = time.monotonic() + around.options.lease_s
        self._stopping = threading.Event()
        self._room = threading.Condition()
        self._held_bytes = 0
        self._saving = threading.Lock()
        self._saved = lease.checkpoint
        self._records = self._filtered = self._behind_ms = self._age_ms = 0
        self._error = ""
        restored = checkpoint.read(lease.checkpoint, around.settings.parallelization_factor)
        self._lanes = [LaneRunner(lane, self, around) for lane in restored.lanes]
        self._running = len(self._lanes)
        self._reads = source.reads()
        self._reader = ShardReader(
            self._reads,
            lease.shard_id,
            start=lease.start,
            fresh=fresh,
            position=restored.position,
            arrived=restored.arrived,
            sink=self,
            options=around.options,
            stopping=self._stopping,
            observe=self.note,
        )
        self._threads = [
            threading.Thread(
                target=self._guarded, args=(run,), name=f"clew-{lease.shard_id}-{name}", daemon=True
            )
            for name, run in [
                ("reader", self._reader.run),
                *((f"lane-{at}", lane.run) for at, lane in enumerate(self._lanes)),
            ]
        ]

    @property
    def shard_id(self) -> str:
        """The shard's id."""
        return self.lease.shard_id

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Read no more, and end after the batches that are under way."""
        self._stopping.set()
        self._reads.cancel()
        for lane in self._lanes:
            lane.stop()
        with self._room:
            self._room.notify_all()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; whether it came."""
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def renewed(self, lease: Lease, asked_at: float) -> None:
        """The lease was renewed by a request that was made at ``asked_at``, steady clock."""
        self.lease = lease
        self._held_until = asked_at + self._around.options.lease_s

    def lose(self) -> None:
        """Somebody else holds the shard: end, and write nothing down."""
        self.lost = True
        self.stop()

    def status(self) -> ShardStatus:
        """How far it is."""
        position = min(
            (lane.lane.position for lane in self._lanes),
            key=lambda position: int(position) if position else -1,
        )
        return ShardStatus(
            self.shard_id,
            self.lease.token,
            position,
            self._records,
            self._behind_ms,
            self._age_ms,
            self._error,
        )

    # For the reader.

    def take(self, records: list[dict[str, Any]], behind_ms: int) -> None:
        """Take records, in order; waits while too many are held."""
        self._behind_ms = max(0, behind_ms)
        if not records:
            return
        shape = self._around.shape
        read = [shape.read(raw) for raw in records]
        read_to = read[-1].sequence
        held = 0
        for lane, mine in zip(self._lanes, self._shared_out(self._wanted(read)), strict=True):
            held += lane.take(mine, read_to)
        with self._room:
            self._held_bytes += held
            self._room.wait_for(
                lambda: (
                    self._stopping.is_set() or self._held_bytes <= self._around.options.buffer_bytes
                )
            )
        if not held and not self._stopping.is_set():
            self._save_unless_lost()  # all filtered out: no lane will do it

    def end(self) -> None:
        """The shard gives no more."""
        for lane in self._lanes:
            lane.end()

    def fail(self, reason: str) -> None:
        """The mapping cannot go on."""
        self._on_failure(reason)

    # For the lanes.

    def check_held(self) -> None:
        """Raises `LeaseLostError` if the shard may be somebody else's by now."""
        if self.lost or time.monotonic() >= self._held_until:
            self.lost = True
            raise LeaseLostError(f"The lease of {self.shard_id} ran out.")

    def save(self) -> None:
        """Write down how far the lanes are, and try until it is done. Raises `LeaseLostError`."""
        with self._saving:
            while True:
                text = checkpoint.write([lane.lane for lane in self._lanes])
                if text == self._saved:
                    return
                self.check_held()
                try:
                    self._store.checkpoint(self.lease, text)
                except LeaseStoreError as error:
                    self.note(
                        WorkerEvent(events.STORE_FAILED, self.shard_id, {"error": str(error)})
                    )
                    time.sleep(_STORE_PAUSE_S)
                else:
                    self._saved = text
                    return

    def note(self, event: WorkerEvent) -> None:
        """Something happened to the shard."""
        if event.kind == events.BATCH:
            self._error = ""
        elif said := event.fields.get("error") or event.fields.get("reason"):
            self._error = str(said)
        self._around.observe(event)

    def handled(self, records: int, size: int, newest: float) -> None:
        """So many records are done with."""
        self._age_ms = max(0, int((self._around.clock.now().wall - newest) * 1000))
        with self._room:
            self._records += records
            self._held_bytes -= size
            self._room.notify_all()

    def ended(self, lane: LaneRunner, *, lost: bool) -> None:
        """The lane does nothing any more."""
        del lane
        if lost:
            self.lose()
        with self._room:
            self._running -= 1
            last = not self._running
        if last:
            self._stopping.set()
            with self._room:
                self._room.notify_all()
            self.finished = not self.lost and all(each.lane.finished for each in self._lanes)
            self._on_end(self)

    def final_checkpoint(self) -> str:
        """What stands in the lease of a shard that is done."""
        return checkpoint.write([lane.lane for lane in self._lanes])

    def _wanted(self, records: list[StreamRecord]) -> list[StreamRecord]:
        filters = self._around.settings.filters
        if not filters:
            return records
        shape, shard_id = self._around.shape, self.shard_id
        kept = [record for record in records if filters.matches(shape.matchable(record, shard_id))]
        if dropped := len(records) - len(kept):
            self.note(WorkerEvent(events.FILTERED, shard_id, {"records": dropped}))
        return kept

    def _shared_out(self, records: list[StreamRecord]) -> list[tuple[StreamRecord, ...]]:
        lanes = len(self._lanes)
        if lanes == 1:
            return [tuple(records)]
        shares: list[list[StreamRecord]] = [[] for _ in range(lanes)]
        for record in records:
            shares[lane_of(record, lanes)].append(record)
        return [tuple(share) for share in shares]

    def _save_unless_lost(self) -> None:
        try:
            self.save()
        except LeaseLostError:
            self.lose()

    def _guarded(self, run: Callable[[], None]) -> None:
        """A thread that dies would leave its shard standing still, unseen."""
        try:
            run()
        except Exception as error:  # noqa: BLE001
            self._on_failure(f"{self.shard_id} cannot be read on: {type(error).__name__}: {error}.")

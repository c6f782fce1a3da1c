"""Reads one shard from where it was left to its end, within the stream's limits."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from clew.streams.worker import events
from clew.streams.worker.events import WorkerEvent
from clew.streams.worker.settings import AT_TIMESTAMP, LATEST, TRIM_HORIZON
from clew.streams.worker.sources import (
    IteratorExpiredError,
    ReadError,
    ShardGoneError,
    StreamGoneError,
    ThrottledError,
    TrimmedError,
    WrongPositionError,
)

if TYPE_CHECKING:
    import threading

    from clew.streams.worker.events import Observe
    from clew.streams.worker.leases import Start
    from clew.streams.worker.options import WorkerOptions
    from clew.streams.worker.sources import Page, ShardReads

_FIRST_LIMIT = 1_000
_LEAST_LIMIT = 100
_MOST_BACKOFF_S = 10.0


class Sink(Protocol):
    """What takes the pages of a shard."""

    def take(self, records: list[dict[str, Any]], behind_ms: int) -> None:
        """Take records, in order; waits while too many are held."""

    def end(self) -> None:
        """The shard gives no more."""

    def fail(self, reason: str) -> None:
        """The mapping cannot go on."""


class Pace:
    """When a shard may be read again: so many reads and so many bytes a second.

    Reads that were saved up may be made at once, five at most, as the service counts them by the
    second. Bytes are counted afterwards: a large page is paid for by a pause.
    """

    def __init__(self, options: WorkerOptions) -> None:
        self._reads_per_second = options.reads_per_second
        self._bytes_per_second = options.bytes_per_second
        self._reads = self._most = max(1.0, options.reads_per_second)
        self._at = time.monotonic()
        self._bytes_free_at = 0.0

    def delay(self) -> float:
        """Seconds until the next read is allowed."""
        now = time.monotonic()
        self._reads = min(self._most, self._reads + (now - self._at) * self._reads_per_second)
        self._at = now
        for_reads = max(0.0, (1.0 - self._reads) / self._reads_per_second)
        return max(for_reads, self._bytes_free_at - now)

    def spent(self, size: int) -> None:
        """A read was made, which gave ``size`` bytes."""
        self._reads -= 1.0
        now = time.monotonic()
        self._bytes_free_at = max(self._bytes_free_at, now) + size / self._bytes_per_second


class ShardReader:
    """Reads a shard into a sink until it ends, the sink fails, or it is told to stop."""

    def __init__(
        self,
        source: ShardReads,
        shard_id: str,
        *,
        start: Start,
        fresh: bool,
        position: str | None,
        arrived: float,
        sink: Sink,
        options: WorkerOptions,
        stopping: threading.Event,
        observe: Observe,
    ) -> None:
        self._source = source
        self._shard_id = shard_id
        self._start = start
        self._fresh = fresh
        self._last = position
        self._arrived = arrived
        # Read again at the position itself, to see that it is still there.
        self._resuming = position is not None
        self._sink = sink
        self._options = options
        self._stopping = stopping
        self._observe = observe
        self._pace = Pace(options)
        self._limit = min(_FIRST_LIMIT, source.most_records)
        self._failures = 0
        self._skip_until = 0.0
        self._iterator: str | None = None

    def run(self) -> None:
        """Read. Returns when there is no more to do."""
        try:
            self._read()
        finally:
            self._source.close()

    def _read(self) -> None:
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                if self._iterator is None:
                    self._iterator = self._make_iterator()
                page = self._source.page(self._iterator, self._limit)
            except ReadError as error:
                if self._stopping.is_set() or not self._go_on_after(error):
                    return
                continue
            self._failures = 0
            self._pace.spent(page.size)
            self._give(page)
            if page.iterator is None:
                self._sink.end()
                return
            self._iterator = page.iterator
            if self._source.pushed:
                continue
            more = page.behind_ms > 0 or len(page.records) >= self._limit
            idle = 0.0 if more else began + self._options.poll_interval_s - time.monotonic()
            self._adapt(page)
            self._sleep(max(idle, self._pace.delay()))

    def _sleep(self, seconds: float) -> None:
        if seconds > 0:
            self._stopping.wait(seconds)

    def _adapt(self, page: Page) -> None:
        """Ask for as many records as fill the buffer."""
        if page.records:
            each = max(1, page.size // len(page.records))
            fitting = self._options.buffer_bytes // each
            self._limit = min(max(fitting, _LEAST_LIMIT), self._source.most_records)

    def _give(self, page: Page) -> None:
        records = page.records
        if records and self._resuming:
            records = self._resumed(records)
        if records and self._skip_until:
            records = self._skipped(records)
        if records:
            self._last = _sequence(records[-1])
        self._sink.take(records, page.behind_ms)

    def _resumed(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The records after the position, having seen whether that is still in the stream."""
        self._resuming = False
        last = int(self._last or 0)
        first = int(_sequence(records[0]))
        if first > last and not self._lost(
            _arrival(records[0]), "the position is not in it any more"
        ):
            return []
        return [raw for raw in records if int(_sequence(raw)) > last]

    def _skipped(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The records since the mapping began, of a stream that cannot be read from a time."""
        kept = [raw for raw in records if _arrival(raw) >= self._skip_until]
        if kept:
            self._skip_until = 0.0
        return kept

    def _make_iterator(self) -> str:
        if self._last is not None:
            kind = "AT_SEQUENCE_NUMBER" if self._resuming else "AFTER_SEQUENCE_NUMBER"
            return self._source.iterator(self._shard_id, kind, sequence=self._last)
        position, at = self._start.position, self._start.at
        if position == LATEST and not self._fresh:
            # "Latest" was when the mapping began, not now: what came in between is to be read.
            if self._source.reads_from_a_time:
                position = AT_TIMESTAMP
            else:
                # DynamoDB stamps changes with whole seconds.
                position, self._skip_until = TRIM_HORIZON, float(int(at))
        self._fresh = False
        return self._source.iterator(self._shard_id, position, at=at)

    def _go_on_after(self, error: ReadError) -> bool:
        """Deal with a failed read; whether to read on."""
        match error:
            case IteratorExpiredError():
                self._iterator = None
                return True
            case TrimmedError():
                self._iterator = None
                self._last, self._resuming = None, False
                self._start = self._start.__class__(TRIM_HORIZON)
                return self._lost(None, "what was next is not in it any more")
            case ShardGoneError():
                self._gone()
                return False
            case StreamGoneError():
                self._sink.fail(f"T{str(error)[1:]}; nothing can be read from it.")
                return False
            case WrongPositionError() if self._iterator is None and self._last is not None:
                self._sink.fail(
                    f"The checkpoint of {self._shard_id} ({self._last}) is not of this stream; "
                    "use another mapping name, or delete the mapping's leases."
                )
                return False
        kind = events.THROTTLED if isinstance(error, ThrottledError) else events.READ_FAILED
        self._observe(WorkerEvent(kind, self._shard_id, {"error": str(error)}))
        self._failures += 1
        most = min(self._options.backoff_first_s * 2.0 ** min(self._failures, 10), _MOST_BACKOFF_S)
        self._sleep(most * random.uniform(0.5, 1.0))  # noqa: S311 - spreads readers, no secret
        return True

    def _gone(self) -> None:
        """The stream has forgotten the shard: a closed one whose records are all trimmed."""
        reason = "the stream does not have the shard any more; what was not read of it is lost"
        fields = {"reason": reason, "after": self._last}
        self._observe(WorkerEvent(events.LOST, self._shard_id, fields))
        self._sink.end()

    def _lost(self, oldest: float | None, reason: str) -> bool:
        """Say what the stream dropped before it was read; whether to go on."""
        fields: dict[str, Any] = {
            "reason": reason,
            "after": self._last,
            "since": _time(self._arrived) if self._arrived else None,
            "until": _time(oldest) if oldest else None,
        }
        self._observe(WorkerEvent(events.LOST, self._shard_id, fields))
        if self._options.continue_after_loss:
            return True
        self._sink.fail(
            f"Records of {self._shard_id} that came after {fields['since'] or 'its start'} were "
            "trimmed before they were read; allow the loss to go on with what there is."
        )
        return False


def _sequence(raw: dict[str, Any]) -> str:
    sequence: str = (
        raw["SequenceNumber"] if "SequenceNumber" in raw else raw["dynamodb"]["SequenceNumber"]
    )
    return sequence


def _arrival(raw: dict[str, Any]) -> float:
    stamp = raw.get("ApproximateArrivalTimestamp") or raw["dynamodb"]["ApproximateCreationDateTime"]
    return stamp.timestamp() if isinstance(stamp, datetime) else float(stamp)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")

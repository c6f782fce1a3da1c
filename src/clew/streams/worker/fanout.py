"""Enhanced fan-out: a registered consumer is pushed the records of a shard.

"SubscribeToShard" in the Kinesis API reference: a subscription lasts five minutes, an event
comes at least every five seconds, and the last one of a closed shard names its children.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from clew.streams.worker.settings import AT_TIMESTAMP
from clew.streams.worker.sources import IteratorExpiredError, Page, ReadError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

_SUBSCRIPTION = "subscription"


class FanOutReads:
    """The pages of one shard, as a consumer is pushed them."""

    most_records = 10_000
    reads_from_a_time = True
    pushed = True

    def __init__(
        self,
        client: Any,
        consumer_arn: str,
        reading: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._client = client
        self._consumer_arn = consumer_arn
        self._reading = reading
        self._lock = threading.Lock()
        self._stream: Any = None
        self._events: Iterator[dict[str, Any]] = iter(())
        self._cancelled = False

    def iterator(self, shard_id: str, position: str, at: float = 0.0, sequence: str = "") -> str:
        """Subscribe, in the place of an iterator."""
        start: dict[str, Any] = {"Type": position}
        if sequence:
            start["SequenceNumber"] = sequence
        if position == AT_TIMESTAMP:
            start["Timestamp"] = datetime.fromtimestamp(at, UTC)
        with self._reading():
            answer = self._client.subscribe_to_shard(
                ConsumerARN=self._consumer_arn, ShardId=shard_id, StartingPosition=start
            )
        with self._lock:
            self._stream = answer["EventStream"]
            self._events = iter(self._stream)
            if self._cancelled:
                self._shut_down()
        return _SUBSCRIPTION

    def page(self, iterator: str, limit: int) -> Page:  # noqa: ARG002 - the service decides
        """Wait for the next records."""
        event = None
        try:
            with self._reading():
                event = next(self._events, None)
        except (OSError, ValueError, AttributeError) as error:  # what a cut connection gives
            raise ReadError(f"the subscription was cut: {error}") from error
        finally:
            pushed = (event or {}).get("SubscribeToShardEvent")
            if pushed is None or "ChildShards" in pushed:
                self._close()
        if pushed is None:
            raise IteratorExpiredError("the subscription is over")
        return Page(
            pushed["Records"],
            None if "ChildShards" in pushed else iterator,
            pushed.get("MillisBehindLatest", -1),
            sum(len(record["Data"]) for record in pushed["Records"]),
        )

    def cancel(self) -> None:
        """End the subscription, which may be waiting in another thread."""
        with self._lock:
            self._cancelled = True
            self._shut_down()

    def close(self) -> None:
        """Nothing more is read; from the thread that reads."""
        self._close()

    def _shut_down(self) -> None:
        # Closing would wait for the read under way. Without this it ends by itself, at the next
        # event, within five seconds.
        shut_down = getattr(getattr(self._stream, "_raw_stream", None), "shutdown", None)
        if shut_down is not None:
            with suppress(OSError, ValueError, RuntimeError):
                shut_down()

    def _close(self) -> None:
        with self._lock:
            stream, self._stream = self._stream, None
        if stream is not None:
            with suppress(OSError, ValueError):
                stream.close()

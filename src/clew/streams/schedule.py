"""Which record may run next where several run at once: the oldest one whose key is free.

Pure but for its lock. Oldest first, so that a stream, which goes on from its first record that is
left over, has the least to deliver again; a key with many records never falls behind either.
"""

from __future__ import annotations

from _thread import allocate_lock
from collections import deque
from heapq import heapify, heappop, heappush

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from clew.capture import Record


class Turn:
    """A record in hand, and those of its key that come behind it."""

    __slots__ = ("behind", "record")

    def __init__(self, record: Record, behind: deque[tuple[int, Record]]) -> None:
        self.record = record
        self.behind = behind

    @property
    def more(self) -> bool:
        """Whether records of its key come behind it."""
        return bool(self.behind)


class Schedule:
    """The records of a batch by key. A key is in one lane at a time."""

    __slots__ = ("_closed", "_lock", "_ready", "keys")

    def __init__(self, records: Sequence[Record], key: Callable[[Record], Hashable]) -> None:
        queues: dict[Hashable, deque[tuple[int, Record]]] = {}
        for index, record in enumerate(records):
            queues.setdefault(key(record), deque()).append((index, record))
        #: How many keys there are; more lanes than that have nothing to do.
        self.keys = len(queues)
        # An index is there once, so that what stands behind it is never compared.
        self._ready = [(queue[0][0], queue) for queue in queues.values()]
        heapify(self._ready)
        self._lock = allocate_lock()
        self._closed = False

    def take(self, done: Turn | None = None, *, goes_on: bool = True) -> Turn | None:
        """The next record for a lane that is done with another; None where there is none for it.

        ``goes_on`` says whether the key of the one that is done may go on. A lane that gets None
        may end: each key that is in hand is another lane's, and comes back to that.
        """
        with self._lock:
            if done is not None and goes_on and done.behind:
                heappush(self._ready, (done.behind[0][0], done.behind))
            if self._closed or not self._ready:
                return None
            _, queue = heappop(self._ready)
            return Turn(queue.popleft()[1], queue)

    def close(self) -> None:
        """No more records are given out."""
        with self._lock:
            self._closed = True

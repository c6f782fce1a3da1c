"""The limits of one Kinesis shard.

"Amazon Kinesis Data Streams Developer Guide", "Quotas and limits": a shard takes up to 1 MB/s
(partition keys included) and 1,000 records/s; it gives up to 2 MB/s, in up to 5 calls/s of up to
10 MB each, and after a large one it gives nothing until the rate is 2 MB/s again.
"""

from __future__ import annotations

import math

WRITE_BYTES_PER_S = 1_048_576
WRITE_RECORDS_PER_S = 1_000
READ_BYTES_PER_S = 2_097_152
READ_CALLS_PER_S = 5
READ_BYTES_PER_CALL = 10_485_760


class ShardLimits:
    """What one shard has taken and given lately.

    Writes are counted by the second of the clock, reads by the second that has just passed.
    Times are in seconds and never go back.
    """

    __slots__ = ("_reads", "_write_bytes", "_write_records", "_write_second")

    def __init__(self) -> None:
        self._write_second = -1
        self._write_bytes = 0
        self._write_records = 0
        self._reads: list[tuple[float, int]] = []

    def admits_write(self, size: int, now: float) -> bool:
        """Whether a record of ``size`` bytes fits into this second; it is counted if so."""
        second = math.floor(now)
        if second != self._write_second:
            self._write_second, self._write_bytes, self._write_records = second, 0, 0
        if self._write_records >= WRITE_RECORDS_PER_S:
            return False
        # One record may, with its key, be larger than the second's share, and then comes alone.
        if self._write_bytes and self._write_bytes + size > WRITE_BYTES_PER_S:
            return False
        self._write_bytes += size
        self._write_records += 1
        return True

    def admits_read(self, now: float) -> bool:
        """Whether a call may read now; tell what it :meth:`gave` if so."""
        self._reads = [(at, size) for at, size in self._reads if now - at < _counts_for_s(size)]
        calls = sum(now - at < 1.0 for at, _ in self._reads)
        return calls < READ_CALLS_PER_S and sum(size for _, size in self._reads) < READ_BYTES_PER_S

    def gave(self, size: int, now: float) -> None:
        """Count a call that read ``size`` bytes."""
        self._reads.append((now, size))


def _counts_for_s(size: int) -> float:
    return max(1.0, size / READ_BYTES_PER_S)

"""When to stop, so that there is still time to say what became of each record."""

from __future__ import annotations

from time import perf_counter as clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Why records are left over for which there was no time.
UP = "the function's time is nearly up"
#: Seconds that the report takes, and the end of the invocation after it.
REPORT_S = 0.25
#: No more than this share of an invocation's time is kept back, or there would be no progress.
MOST = 0.5


class Deadline:
    """The moment by which the last record has to be done.

    ``stop_at`` is in seconds of ``time.perf_counter``; infinite where the context does not say
    how much time there is. ``write_by`` is when the last dead letter has to be written.
    """

    __slots__ = ("longest_s", "stop_at", "write_by")

    def __init__(self, remaining_s: float | None, write_s: float = 0.0) -> None:
        """``remaining_s`` is left now; ``write_s`` is what the slowest dead letter took."""
        if remaining_s is None:
            self.stop_at = self.longest_s = self.write_by = float("inf")
            return
        margin_s = min(REPORT_S + 2 * write_s, remaining_s * MOST)
        end = clock() + remaining_s
        self.stop_at = end - margin_s
        self.write_by = end - min(REPORT_S, margin_s)
        #: What a record may be expected to take, at most: one slow record stops no batch.
        self.longest_s = remaining_s * MOST

    def left_s(self) -> float:
        """Seconds until then; below 0 after it."""
        return self.stop_at - clock()

    def has_room(self, expected_s: float) -> bool:
        """Whether a record that takes ``expected_s`` would be done by then."""
        return clock() + min(expected_s, self.longest_s) < self.stop_at


def remaining_s(context: Any) -> float | None:
    """What the Lambda context says is left, in seconds; None where it says nothing."""
    try:
        milliseconds = context.get_remaining_time_in_millis()
    except Exception:  # noqa: BLE001  (no context, or a stand-in)
        return None
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return None
    return max(float(milliseconds), 0.0) / 1000

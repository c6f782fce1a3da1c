"""Say where a function is shortly before Lambda stops it: after that, nobody can.

One thread for the whole process waits for the earliest moment that an invocation may reach; an
invocation only puts itself down and takes itself off. Its moment is nearly always later than the
one that is waited for, so the thread is not woken for it. Between invocations Lambda freezes the
process, and the thread may find its moment long past when it goes on: it then looks who is there
now, and asks Lambda's own clock.
"""

from __future__ import annotations

import os
from _thread import allocate_lock, get_ident, start_new_thread
from time import monotonic

from clew.log.internal import failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _thread import LockType
    from typing import Any

    from clew.capture import Delivery

#: Milliseconds before the end, if ``CLEW_TIMEOUT_MARGIN`` does not say. Handlers of batches stop
#: earlier of their own accord.
MARGIN_MS = 200
#: Of a short time, no more than this share.
MOST = 0.2
#: Seconds that the end of an invocation waits for lines that are just being written.
_PATIENCE_S = 1.0
_NEVER = float("inf")


class Margin:
    """``CLEW_TIMEOUT_MARGIN``, as it was when a function was last decorated."""

    __slots__ = ("seconds",)

    def __init__(self) -> None:
        self.read()

    def read(self) -> None:
        """Look what the environment says; 0 switches it off."""
        wanted = os.environ.get("CLEW_TIMEOUT_MARGIN", "").strip()
        number = wanted.isdecimal() and wanted.isascii() and len(wanted) <= 6
        self.seconds = (int(wanted) if number else MARGIN_MS) / 1000


margin = Margin()


class Watch:
    """One invocation that is watched, from its beginning to `end`."""

    __slots__ = ("at", "context", "delivery", "done", "margin_s", "thread", "writing")

    def __init__(self, delivery: Delivery, context: Any, at: float, margin_s: float) -> None:
        self.delivery = delivery
        self.context = context
        #: When it is to say where it is, on the monotonic clock.
        self.at = at
        self.margin_s = margin_s
        self.thread = get_ident()
        self.done = False
        #: Held while its lines are written; None before.
        self.writing: LockType | None = None

    def end(self) -> None:
        """The handler is done. Lines that are just being written are waited for."""
        self.done = True
        _watcher.watches.discard(self)
        if self.writing is not None:
            self.writing.acquire(timeout=_PATIENCE_S)

    def due(self) -> None:
        """Say where it is, or put itself down again if there is more time than it seemed."""
        left_s = _left_s(self.context)
        if left_s is None or self.done:
            return
        if left_s > self.margin_s * 2:  # the machine stood still, and its clock did not
            self.at = monotonic() + left_s - self.margin_s
            _watcher.watches.add(self)
            return
        writing = allocate_lock()
        writing.acquire()
        self.writing = writing
        try:
            if not self.done:  # asked after `writing` is set, as `end` does it the other way
                from clew.log.timeout import write_timeout

                write_timeout(self.delivery, self.thread, left_s)
        finally:
            writing.release()


class Watcher:
    """The thread that waits, started with the first invocation that is watched."""

    __slots__ = ("_bell", "_latest", "_starting", "_wakes_at", "watches")

    def __init__(self) -> None:
        self.watches: set[Watch] = set()
        self._starting = allocate_lock()
        self._bell = allocate_lock()
        #: When the thread wakes by itself; `_NEVER` too while it looks who is there.
        self._wakes_at = _NEVER
        #: The moment of the invocation that came last.
        self._latest = 0.0

    def add(self, watch: Watch) -> None:
        """Watch an invocation."""
        self.watches.add(watch)
        self._latest = watch.at
        if watch.at < self._wakes_at:
            if self._starting.acquire(blocking=False):  # once
                self._bell.acquire()
                start_new_thread(self._run, ())
            else:
                self._ring()

    def _ring(self) -> None:
        try:
            self._bell.release()
        except RuntimeError:  # it rang already
            return

    def _run(self) -> None:
        while True:
            try:
                self._wakes_at = _NEVER  # who comes while we look rings the bell
                wakes_at = self._look()
                self._wakes_at = wakes_at
                wait_s = -1 if wakes_at == _NEVER else min(max(wakes_at - monotonic(), 0), 3600)
                self._bell.acquire(timeout=wait_s)
            except Exception:  # noqa: BLE001  (the next invocation is watched all the same)
                failed("watching the time of an invocation")

    def _look(self) -> float:
        """Let those speak whose moment has come; the moment of the next one."""
        for watch in list(self.watches):
            if watch.at <= monotonic():
                self.watches.discard(watch)
                watch.due()
        moments = [watch.at for watch in list(self.watches)]
        if moments:
            return min(moments)
        # Nobody is there now. Who comes next, of a function whose time is always the same, will
        # speak later than the last one would have, and need not wake us before.
        return self._latest if self._latest > monotonic() else _NEVER


_watcher = Watcher()


def watch(delivery: Delivery, context: Any) -> Watch | None:
    """Watch an invocation whose context says how much time it has; None for others."""
    margin_s = margin.seconds
    if not margin_s:
        return None
    left_s = _left_s(context)
    if left_s is None or left_s <= 0:
        return None
    margin_s = min(margin_s, left_s * MOST)
    watched = Watch(delivery, context, monotonic() + left_s - margin_s, margin_s)
    _watcher.add(watched)
    return watched


def _left_s(context: Any) -> float | None:
    """What the Lambda context says is left, in seconds; None where it says nothing."""
    try:
        left_ms = context.get_remaining_time_in_millis()
    except Exception:  # noqa: BLE001  (no context, or a stand-in)
        return None
    return left_ms / 1000 if type(left_ms) is int or type(left_ms) is float else None

"""Whole lines to stdout, from any thread, without waiting long for whoever reads them.

Where stdout is a pipe or a socket, as in Lambda, a reader that stands still would hold up whoever
logs. It does so once, for a second. Lines are then kept, up to a megabyte, and written as soon as
they are taken again; those that there was no room for are counted, and the count is logged.
"""

from __future__ import annotations

import os
import sys
import time
from _thread import RLock
from collections import deque
from io import BufferedWriter, FileIO, TextIOWrapper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: A reader that stands still holds a caller up for so long (seconds).
PATIENCE_S = 1.0
#: Bytes of lines that are kept for such a reader.
MAX_HELD = 1_000_000
#: pipe(7), "PIPE_BUF": so much goes into a pipe that takes anything, whole and without waiting.
PIECE = 4096
#: inode(7): the kind of a file in its mode, and those that may make a writer wait.
_KIND, _PIPE, _SOCKET = 0o170000, 0o010000, 0o140000
#: What Python has under its stdout; the latter where that is not buffered.
_PYTHONS_OWN = (BufferedWriter, FileIO)
#: fcntl(2) and ioctl(2) of Linux: the capacity of a pipe, and the bytes that wait in it.
_F_GETPIPE_SZ, _FIONREAD = 1032, 0x541B


def write(line: str) -> None:
    """Write one whole line, which is ASCII, to what stdout is now. Raises where it is closed."""
    stream = sys.stdout
    known, pipe = _last[0]
    if stream is not known:
        if stream is None:
            return
        with _looking:  # one `Pipe` for all threads
            known, pipe = _last[0]
            if stream is not known:
                pipe = _pipe_of(stream)
                _last[0] = (stream, pipe)
    if pipe is None:
        stream.write(line)
        stream.flush()
    else:
        pipe.write(line)


class Pipe:
    """A stdout that may make a writer wait."""

    __slots__ = (
        "_budget",
        "_busy",
        "_dropped",
        "_fd",
        "_flush",
        "_held",
        "_lock",
        "_poll",
        "_size",
        "_stuck",
    )

    def __init__(self, fd: int, flush: Callable[[], object]) -> None:
        self._fd = fd
        self._flush = flush
        self._lock = RLock()
        #: So many bytes more are taken for sure, as long as nobody else writes as many.
        _, self._budget = _room(fd)
        self._busy = False
        #: What could not be written yet; the first may be the rest of a line.
        self._held: deque[bytes] = deque()
        self._size = 0
        self._dropped = 0
        self._stuck = False
        self._poll: Callable[[float], Any] | None = None

    def write(self, line: str) -> None:
        """Write a line, or keep it. Does not raise where nobody reads any more."""
        data = line.encode("ascii", "backslashreplace")
        size = len(data)
        with self._lock:
            if size <= self._budget:
                self._budget -= size
                try:
                    self._flush()  # what was printed before comes before
                    data = data[os.write(self._fd, data) :]
                    if not data:
                        return
                except BlockingIOError:  # somebody made it non-blocking
                    pass
                except BrokenPipeError:
                    return
            self._write(data)

    def _write(self, data: bytes) -> None:
        """Write a line after what is held, as far as it is taken; the rest is held."""
        self._budget = -1
        if self._size + len(data) > MAX_HELD and self._held:
            self._dropped += 1
        else:
            self._held.append(data)
            self._size += len(data)
        if self._busy:  # this very thread: a signal handler or a finaliser that logs
            return
        self._busy = True
        try:
            self._let_go()
        except BrokenPipeError:
            self._held.clear()
            self._size = 0
        finally:
            self._busy = False

    def _let_go(self) -> None:
        """Write what is held, as far as it is taken within the time that there is patience for."""
        until = time.monotonic() + (0 if self._stuck else PATIENCE_S)
        while self._held:
            data = self._held[0]
            done = 0
            if self._ready(max(until - time.monotonic(), 0) * 1000):
                done = self._put(data[: _room(self._fd)[0]])
            if not done and data:
                self._stuck = True
                return
            self._size -= done
            if done < len(data):
                self._held[0] = data[done:]
            else:
                self._held.popleft()
            if not self._held and self._dropped:
                self._report()
        self._stuck = False
        _, self._budget = _room(self._fd)

    def _put(self, data: bytes) -> int:
        """Write what is taken of ``data`` now, after what was printed before; how much it was."""
        try:
            self._flush()
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0

    def _ready(self, wait_ms: float) -> bool:
        """Whether something is taken, at the latest after so long; or nobody reads any more."""
        if self._poll is None:
            from select import POLLOUT, poll

            made = poll()
            made.register(self._fd, POLLOUT)
            self._poll = made.poll
        return bool(self._poll(wait_ms))

    def _report(self) -> None:
        """Say how many lines are missing; the line is held, since a write is under way."""
        from clew.log.internal import warn

        dropped, self._dropped = self._dropped, 0
        warn("log lines are missing here: stdout did not take them in time", dropped=dropped)


def _room(fd: int) -> tuple[int, int]:
    """How many bytes a pipe takes for sure: in one write, and in any number of them.

    Where it cannot be told, `PIECE` and 0.
    """
    try:
        from fcntl import fcntl, ioctl

        capacity = fcntl(fd, _F_GETPIPE_SZ)
        waiting = int.from_bytes(ioctl(fd, _FIONREAD, b"\0\0\0\0"), sys.byteorder)
    except (ImportError, OSError):  # a socket, or another system than Linux
        return PIECE, 0
    # Small writes share pages: more than half of every two is full. The first and the last may be
    # nearly empty.
    budget = max((capacity - 2 * PIECE) // 2 - waiting, 0)
    return (max(budget, PIECE) if waiting else capacity), budget


#: The last stdout that was looked at: a tuple in one place, so that two threads never mix two.
_last: list[tuple[Any, Pipe | None]] = [(None, None)]
_looking = RLock()


def _forget() -> None:
    """In a fork's child: what is held, and the lock that another thread may hold, stay behind."""
    _last[0] = (None, None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def _pipe_of(stream: Any) -> Pipe | None:
    """What ``stream`` writes to, if it is Python's own stdout and may make a writer wait."""
    while type(stream).__name__ == "Unbuffered":  # Lambda's, which flushes every write
        stream = stream.stream
    try:
        if type(stream) is not TextIOWrapper or type(stream.buffer) not in _PYTHONS_OWN:
            return None  # somebody's own, to be written to as it wishes
        fd = stream.fileno()
        kind = os.fstat(fd).st_mode & _KIND
        if kind not in (_PIPE, _SOCKET) or stream.encoding.lower() not in ("utf-8", "ascii"):
            return None
    except (AttributeError, OSError, ValueError):
        return None
    return Pipe(fd, stream.flush)

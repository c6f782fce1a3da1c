"""The lines that a process has written to a pipe, all of them at once and none too late."""

from __future__ import annotations

import os
import select
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK = 1 << 16  # bytes, the size of a pipe on Linux


class WrittenLines:
    """Hands over each line that comes out of a pipe.

    A thread of its own follows the pipe (:meth:`follow`), so that the writer never waits. Whoever
    knows that something was written before now calls :meth:`catch_up`, and has it handed over.

    Args:
        fd: The pipe's read end. A copy of it is read, and nobody else may read.
        hand_over: Called with each line, without its line break, in order.
    """

    def __init__(self, fd: int, hand_over: Callable[[str], object]) -> None:
        self._fd = os.dup(fd)
        self._hand_over = hand_over
        self._lock = threading.Lock()
        self._started = b""  # a line whose end has not come yet
        self._ended = False

    def follow(self) -> None:
        """Hand lines over as they come, until nobody can write any more."""
        written = select.poll()
        written.register(self._fd, select.POLLIN)
        while not self._ended:
            written.poll()
            self.catch_up()

    def catch_up(self) -> None:
        """Hand over all that was written before this call."""
        with self._lock:
            while not self._ended and self._readable():
                self._take(os.read(self._fd, _CHUNK))

    def _readable(self) -> bool:
        written = select.poll()
        written.register(self._fd, select.POLLIN)
        return bool(written.poll(0))

    def _take(self, data: bytes) -> None:
        if not data:
            self._ended = True
            os.close(self._fd)
        *lines, self._started = (self._started + data).split(b"\n")
        if self._ended and self._started:
            lines, self._started = [self._started], b""
        for line in lines:
            self._hand_over(line.decode("utf-8", "replace"))

"""Every line that a function writes is in the log when its invocation is over.

A function's process writes lines to a pipe, and then its answer to another one. The emulator has
a thread that reads the lines, and after the answer it waits a few milliseconds for that thread:
too short on a busy machine, where lines turn up with the next invocation or never, and 50 ms too
long for a function that writes nothing. Here what is in the pipe is read when the answer is there,
since then nothing can be missing from it.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
from typing import TYPE_CHECKING, Any

from ministack.core import lambda_runtime

from clew.localcloud.seam.emulator_parts import around

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

_CHUNK = 65_536
_LAST_WORDS_S = 0.25
_PIPE = "clew_pipe"


def install() -> None:
    """Put clew's reading of a worker's lines in the place of the emulator's."""
    around(lambda_runtime.Worker, "_read_stderr", _read_lines)
    around(lambda_runtime.Worker, "_drain_stderr_bounded", _lines_so_far)


class _Pipe:
    """The reading end of one process's lines. Read by a thread, and by who takes the lines."""

    def __init__(self, process: subprocess.Popen[str], put: Callable[[str], None]) -> None:
        self.process = process
        # A descriptor of its own: the emulator closes the other whenever it likes.
        self._descriptor = os.dup(process.stderr.fileno() if process.stderr else -1)
        os.set_blocking(self._descriptor, False)
        self._put = put
        self._rest = b""
        self._lock = threading.Lock()
        self._open = True

    def read(self) -> bool:
        """Put every line that is there; False at the end of the pipe."""
        with self._lock, contextlib.suppress(BlockingIOError):
            while self._open:
                chunk = os.read(self._descriptor, _CHUNK)
                *lines, self._rest = (self._rest + chunk).split(b"\n")
                if not chunk:
                    lines = [self._rest] if self._rest else []
                    self._open = False
                    os.close(self._descriptor)
                for line in lines:
                    self._put(line.decode("utf-8", "replace"))
        return self._open

    def wait(self) -> None:
        """Return when there is something to read, or a while later."""
        watch = select.poll()
        watch.register(self._descriptor, select.POLLIN)
        watch.poll(1_000)


def _read_lines(_original: Callable[..., None], worker: Any) -> None:
    """The thread of one process."""
    pipe = _Pipe(worker._proc, worker._stderr_queue.put)
    setattr(worker, _PIPE, pipe)
    while pipe.read():
        pipe.wait()


def _lines_so_far(original: Callable[..., str], worker: Any, **how: Any) -> str:
    pipe = getattr(worker, _PIPE, None)
    if pipe is None or worker._proc not in {pipe.process, None}:
        return original(worker, **how)
    if worker._proc is None:  # it has been ended, and its pipe ends with it
        worker._stderr_thread.join(_LAST_WORDS_S)
    else:
        pipe.read()
    lines: str = worker._drain_stderr()
    return lines

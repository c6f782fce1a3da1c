"""What a function logged is in its log when its invocation has been answered.

The emulator waits for the lines of an invocation until none has come for 5 milliseconds. On a busy
machine that is too short: the last lines then appear in the log of the next invocation, or never.
A function writes its lines before it answers, so here everything that is in the pipe is taken, and
nothing is waited for.
"""

from __future__ import annotations

import functools
import weakref
from typing import TYPE_CHECKING, Any

from ministack.core.lambda_runtime import Worker

from clew.localcloud.seam.written_lines import WrittenLines

if TYPE_CHECKING:
    from collections.abc import Callable

# By the queue that they go to: a worker whose process is started again gets a new one.
_lines: weakref.WeakKeyDictionary[Any, WrittenLines] = weakref.WeakKeyDictionary()


def install() -> None:
    """Read the pipes of functions this way.

    Raises:
        SystemExit: The emulator is not the version that clew is written for.
    """
    _around_method("_read_stderr", _read)
    _around_method("_drain_stderr", _drain)
    _around_method("_drain_stderr_bounded", _drain_bounded)


def _around_method(name: str, outer: Callable[..., Any]) -> None:
    original = getattr(Worker, name, None)
    if not callable(original):
        message = f"{Worker.__name__} has no method {name}: this is another version of ministack."
        raise SystemExit(message)

    @functools.wraps(original)
    def method(worker: Any, *args: Any, **kwargs: Any) -> Any:
        return outer(original, worker, *args, **kwargs)

    setattr(Worker, name, method)


def _read(original: Callable[..., None], worker: Any) -> None:
    """In a thread of its own: what the worker's process writes goes to the worker's queue."""
    process, queue = worker._proc, worker._stderr_queue
    if process is None or process.stderr is None:
        original(worker)
        return
    lines = _lines[queue] = WrittenLines(process.stderr.fileno(), queue.put)
    lines.follow()


def _drain(original: Callable[..., str], worker: Any) -> str:
    lines = _lines.get(worker._stderr_queue)
    if lines is not None:
        lines.catch_up()
    text: str = original(worker)
    return text


def _drain_bounded(original: Callable[..., str], worker: Any, *args: Any, **kwargs: Any) -> str:
    known = worker._stderr_queue in _lines
    text: str = worker._drain_stderr() if known else original(worker, *args, **kwargs)
    return text

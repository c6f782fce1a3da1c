"""Keeps one emulator from outliving the process that started it.

Run by path, never imported: ``python -I _guard.py FD RUN_DIR COMMAND...``. It starts COMMAND in a
session of its own and then waits for whichever comes first:

* FD, the read end of a pipe whose write end only the starter holds, reaches end of file. The
  kernel closes that end however the starter ends, SIGKILL included. (FD -1: nobody to watch.)
* SIGTERM, SIGINT or SIGHUP.
* COMMAND ends by itself.

Whatever it was, every process of COMMAND's session group is killed, and RUN_DIR is removed. The
log inside RUN_DIR stays if COMMAND ended by itself or if the starter wrote ``KEEP_LOG`` to the
pipe, since then somebody was told to read it.

Standard library only, and nothing of clew: it must start in milliseconds.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

KEEP_LOG = b"k"
WORK_DIRECTORY = "work"
_POLL_S = 0.1
_PR_SET_PDEATHSIG = 1  # prctl(2), Linux


class _Asked(Exception):  # noqa: N818 - it is not an error
    """Somebody asked the guard to end."""


def _ask(_signum: int, _frame: FrameType | None) -> None:
    raise _Asked


def _die_with_the_guard() -> Callable[[], None] | None:
    """What the child does before exec, so that not even SIGKILL on the guard leaves it behind."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _wait(fd: int, child: subprocess.Popen[bytes]) -> bool:
    """Whether the log is to be kept. Returns at end of file, or when the child has ended."""
    keep_log = False
    while child.poll() is None:
        watched = [fd] if fd >= 0 else []
        readable, _, _ = select.select(watched, [], [], _POLL_S)
        if not readable:
            continue
        said = os.read(fd, 16)
        if not said:
            return keep_log
        keep_log = keep_log or KEEP_LOG in said
    return True


def main(arguments: Sequence[str]) -> int:
    """Run the command under guard; the exit status is the command's own, or 0 if it was ended."""
    fd, run_dir, command = int(arguments[0]), Path(arguments[1]), list(arguments[2:])
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, _ask)
    child = subprocess.Popen(  # noqa: S603 - our own command line
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_die_with_the_guard(),  # noqa: PLW1509 - the guard has one thread
    )
    keep_log = False
    with contextlib.suppress(_Asked):
        keep_log = _wait(fd, child)
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    ended_by_itself = child.poll()
    # Nothing in an emulator is worth saving, so there is no reason to ask politely first.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    shutil.rmtree(run_dir / WORK_DIRECTORY, ignore_errors=True)
    if not keep_log:
        shutil.rmtree(run_dir, ignore_errors=True)
    return ended_by_itself or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

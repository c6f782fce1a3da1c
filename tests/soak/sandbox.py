"""What Lambda does around a function: a process for each invocation at once, its time, its memory.

A `Sandboxes` is a target of the worker. Unlike a function in the worker's own process its
processes can be killed, and are, when the time is up or too much memory is taken.
"""

from __future__ import annotations

import json
import mmap
import multiprocessing
import queue
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clew.streams.worker.outcome import Partial, Succeeded, read_answer
from clew.streams.worker.targets import Answer

from .stream_function import MEMORY, Spec, serve

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from clew.streams.worker.settings import MappingSettings

_LOOK_S = 0.01
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["__main__", "soak.stream_function"])
_starting = threading.Lock()


@dataclass
class Sandbox:
    """One process, and the way to it."""

    process: BaseProcess
    commands: Connection

    def memory(self) -> int:
        """Bytes in memory; 0 where it has ended."""
        try:
            statm = Path(f"/proc/{self.process.pid}/statm").read_text()
        except OSError:
            return 0
        return int(statm.split()[1]) * mmap.PAGESIZE

    def end(self) -> None:
        """Kill it, if it still runs."""
        self.process.kill()
        self.process.join()
        self.commands.close()
        self.process.close()


class Sandboxes:
    """The processes of one function, and what came of each invocation."""

    function_arn = "arn:aws:lambda:us-east-1:000000000000:function:soak"

    def __init__(self, spec: Spec, settings: MappingSettings, timeout_s: float) -> None:
        self._spec = spec
        self._settings = settings
        self._timeout_s = timeout_s
        self._free: queue.SimpleQueue[Sandbox] = queue.SimpleQueue()
        self._all: list[Sandbox] = []
        self._lock = threading.Lock()
        #: By how it ended; "" of those that answered.
        self.ends: Counter[str] = Counter()
        #: How often each record was given to the function, by sequence number.
        self.deliveries: Counter[str] = Counter()
        #: The requests after which the source went on behind a record.
        self.acknowledged: dict[str, list[str]] = {}
        #: The requests that were not cut off.
        self.answered: set[str] = set()

    def check(self) -> None:
        """There is always one."""

    def invoke(self, event: Mapping[str, Any]) -> Answer:
        """Give it an event in a process of its own."""
        request_id = str(uuid.uuid4())
        try:
            value, error = self._run(self._take(), event, request_id)
        except (EOFError, OSError):
            value, error = None, "process did not begin"
        sequences = [record["kinesis"]["sequenceNumber"] for record in event["Records"]]
        outcome = read_answer(value, sequences, self._settings) if not error else None
        with self._lock:
            self.deliveries.update(sequences)
            self.ends[error.partition(":")[0]] += 1
            if not error:
                self.answered.add(request_id)
            done = (
                sequences[: outcome.index]
                if isinstance(outcome, Partial)
                else sequences
                if isinstance(outcome, Succeeded)
                else []
            )
            for sequence in done:
                self.acknowledged.setdefault(sequence, []).append(request_id)
        return Answer(value, error=error, request_id=request_id)

    def _run(self, sandbox: Sandbox, event: Mapping[str, Any], request_id: str) -> tuple[Any, str]:
        """What the function answered, or why it did not."""
        ends_at = time.monotonic() + self._timeout_s
        error = ""
        try:
            command = json.dumps([event, request_id, self._timeout_s]).encode()
            sandbox.commands.send_bytes(command)
            while not sandbox.commands.poll(_LOOK_S):
                if time.monotonic() > ends_at:
                    error = "timed out"
                elif sandbox.memory() > MEMORY * 0.8:
                    error = "out of memory"
                if error:
                    self._drop(sandbox)
                    return None, error
            answer = json.loads(sandbox.commands.recv_bytes())
        except (EOFError, OSError):
            self._drop(sandbox)
            return None, "process ended"
        self._free.put(sandbox)
        if "error" in answer:
            return None, f"raised: {answer['error']}"
        return answer["value"], ""

    def _take(self) -> Sandbox:
        """One that is free, or a new one."""
        try:
            return self._free.get_nowait()
        except queue.Empty:
            pass
        with _starting:
            ours, theirs = _PROCESSES.Pipe()
            log = str(Path(self._spec.directory) / f"log-{uuid.uuid4().hex}")
            process = _PROCESSES.Process(target=serve, args=(self._spec, log, theirs), daemon=True)
            process.start()
            theirs.close()
            sandbox = Sandbox(process, ours)
            self._all.append(sandbox)
        ours.recv_bytes()  # it is ready: what an invocation has is its own time
        return sandbox

    def _drop(self, sandbox: Sandbox) -> None:
        with _starting:
            self._all.remove(sandbox)
            sandbox.end()

    def close(self) -> None:
        """End all of them."""
        with _starting:
            for sandbox in self._all:
                sandbox.end()
            self._all.clear()

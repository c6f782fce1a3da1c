"""The function of a soak of the stream processor, in a process that may end at any moment.

What a call does to its record is chance, the same for the same record and attempt: it succeeds,
raises, ends the process in one of several ways, hangs, or takes all memory that there is.
"""

from __future__ import annotations

import asyncio
import json
import mmap
import os
import random
import resource
import signal
import sqlite3
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3  # noqa: F401  (the server of the processes loads it once for all of them)

import clew
from clew.streams import clients

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

#: What a call may do, and the share of the calls that do it; the others succeed.
RATES = {
    "raises": 0.01,
    "SystemExit": 0.0002,
    "BaseException": 0.0002,
    "hangs, then fails": 0.0002,
    "hangs, then is done": 0.0002,
    "MemoryError": 0.0008,
    "killed for its memory": 0.0002,
    "SIGKILL before the effect": 0.0004,
    "SIGKILL after the effect": 0.0003,
}
#: So many times as often where there is a table of what was done: those runs are short.
WITH_TABLE = 4
#: The share of the records that fail whatever attempt it is, where the policy gives up.
POISON = 0.005
#: How long a call hangs, where the function's timeout does not end it (seconds).
HANG_S = 3.5
#: How long what a killed process had in hand stays its own: longer than any call takes (seconds).
LEASE_S = 8.0
#: Bytes of address space beside what the process has at its start (each thread reserves more than
#: a hundred megabytes, for its stack and its part of the heap), and of memory in all.
ADDRESS_SPACE = 3 << 30
MEMORY = 320 << 20
_CHUNK = 32 << 20


class Ends(BaseException):
    """No `Exception`: it is to come out of everything."""


class Broken(Exception):
    """What a call raises."""


@dataclass(frozen=True)
class Spec:
    """How the function is decorated, and where it writes down what it does."""

    policy: str
    how: str
    queue_url: str
    table: str
    seed: int
    records: int
    endpoint_url: str
    directory: str


@dataclass
class Context:
    """The Lambda context."""

    aws_request_id: str
    end: float
    function_name: str = "soak"
    function_version: str = "1"

    def get_remaining_time_in_millis(self) -> int:
        """As Lambda counts."""
        return max(int((self.end - time.monotonic()) * 1000), 0)


def chance(spec: Spec, number: int, attempt: int) -> str:
    """What an attempt of a record does, or "" where it succeeds."""
    if spec.policy != "halt" and random.Random(f"{spec.seed}:{number}").random() < POISON:
        return "raises"
    left = random.Random(f"{spec.seed}:{number}:{attempt}").random()
    for what, rate in RATES.items():
        left -= rate * (WITH_TABLE if spec.table else 1)
        if left < 0:
            return what
    return ""


class Effects:
    """What the function has done, in files that outlive the process."""

    def __init__(self, spec: Spec) -> None:
        directory = Path(spec.directory)
        self._journal = os.open(directory / "journal", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._attempts = mmap.mmap(os.open(directory / "attempts", os.O_RDWR), spec.records)
        self._database = str(directory / "effects.db") if spec.table else ""
        self._of_thread = threading.local()

    def attempt(self, number: int) -> int:
        """Count one attempt of a record."""
        self._attempts[number] = min(self._attempts[number] + 1, 255)
        return self._attempts[number]

    def write(self, *words: object) -> None:
        """One line of the journal, whole."""
        os.write(self._journal, " ".join(map(str, words)).encode() + b"\n")

    def have(self, number: int, key: str, request_id: str) -> None:
        """Have the effect; with a table of those that were done, once for each key."""
        if not self._database:
            self.write("effect", number, request_id)
            return
        if not hasattr(self._of_thread, "database"):
            self._of_thread.database = open_effects(self._database)
        had = self._of_thread.database.execute(
            "INSERT OR IGNORE INTO effects (key, number) VALUES (?, ?)", (key, number)
        )
        self.write("effect" if had.rowcount else "again", number, request_id)


def open_effects(path: str) -> sqlite3.Connection:
    """The effects of a function that writes each of them on the condition that it is new."""
    database = sqlite3.connect(path, timeout=30, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=OFF")
    database.execute("CREATE TABLE IF NOT EXISTS effects (key TEXT PRIMARY KEY, number INTEGER)")
    return database


class Calls:
    """The user's function: what chance has it do, and its effect."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._effects = Effects(spec)

    def each(self, record: clew.KinesisRecord) -> None:
        """The function."""
        number, what = self._begin(record)
        if what.startswith("hangs"):
            time.sleep(HANG_S)
        self._finish(record, number, what)

    async def each_async(self, record: clew.KinesisRecord) -> None:
        """The function, as a coroutine."""
        number, what = self._begin(record)
        if what.startswith("hangs"):
            await asyncio.sleep(HANG_S)
        self._finish(record, number, what)

    def _begin(self, record: clew.KinesisRecord) -> tuple[int, str]:
        number = int(record.payload["n"])
        what = chance(self._spec, number, self._effects.attempt(number))
        if what:
            self._effects.write("chance", number, what)
            _strike(what)
        return number, what

    def _finish(self, record: clew.KinesisRecord, number: int, what: str) -> None:
        if what == "hangs, then fails":
            raise Broken("it took too long")
        invocation = record.correlation.invocation
        assert invocation is not None
        self._effects.have(number, record.idempotency_key, invocation.request_id)
        if what == "SIGKILL after the effect":
            os.kill(os.getpid(), signal.SIGKILL)


def make(spec: Spec) -> Callable[[Any, Any], Any]:
    """The decorated function."""
    dead = clew.dead_letter(spec.queue_url)
    policy = {
        "retry": clew.retry(times=2, within="400ms", backoff="5ms", then=dead),
        "skip": clew.skip(),
        "halt": clew.halt(),
    }[spec.policy]
    store = clew.idempotency(spec.table, lease=LEASE_S) if spec.table else None
    lanes = {"one at a time": None, "lanes=1": 1}.get(spec.how, 8)
    calls = Calls(spec)
    function = calls.each_async if spec.how.startswith("async") else calls.each
    return clew.kinesis_handler(on_failure=policy, lanes=lanes, idempotency=store)(function)


def _strike(what: str) -> None:
    """Do what ends a call before its effect, if that is what it is."""
    if what == "raises":
        raise Broken("as chance has it")
    if what == "SystemExit":
        raise SystemExit(3)
    if what == "BaseException":
        raise Ends("as chance has it")
    if what == "SIGKILL before the effect":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "MemoryError":
        _take_all_addresses()
    if what == "killed for its memory":
        _take_all_memory()


def _take_all_addresses() -> None:
    """Until there are none, for this thread and for all others; without touching the memory."""
    taken: list[bytearray] = []
    size = _CHUNK
    while True:
        try:
            taken.append(bytearray(size))
        except MemoryError:
            size //= 2
            if size < 64 << 10:
                time.sleep(0.005)  # let others find none
                raise


def _take_all_memory() -> None:
    """Until the process is killed for it."""
    taken: list[bytes] = []
    while len(taken) * _CHUNK < MEMORY:
        taken.append(b"x" * _CHUNK)
    time.sleep(60)


def serve(spec: Spec, log: str, commands: Connection) -> None:
    """One process: invoke the function for each event that comes, until something ends it."""
    os.dup2(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT), 1)
    sys.stdout = os.fdopen(1, "w", buffering=1)
    os.dup2(1, 2)
    os.environ.update(
        AWS_ENDPOINT_URL=spec.endpoint_url,
        AWS_DEFAULT_REGION="us-east-1",
        AWS_ACCESS_KEY_ID="local",
        AWS_SECRET_ACCESS_KEY="local",
    )
    clients.forget()
    handler = make(spec)
    # Python remembers an encoding that could not be loaded, for want of memory say, as one that
    # there is not; without this one, no name of a host is resolved in that process ever again.
    "localhost".encode("idna")
    for service in ("sqs", "dynamodb"):  # in Lambda's initialisation, which has a time of its own
        clients.client(service)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * mmap.PAGESIZE
    resource.setrlimit(resource.RLIMIT_AS, (used + ADDRESS_SPACE,) * 2)
    commands.send_bytes(b"ready")
    while True:
        try:
            event, request_id, timeout_s = json.loads(commands.recv_bytes())
        except EOFError:
            os._exit(0)
        try:
            answer = {"value": handler(event, Context(request_id, time.monotonic() + timeout_s))}
        except Exception as error:  # noqa: BLE001  (as the runtime does)
            answer = {"error": f"{type(error).__name__}: {error}"[:500]}
        except BaseException as error:  # noqa: BLE001  (as the runtime does)
            sys.stdout.write(f"ended by {type(error).__name__}\n")
            os._exit(1)
        commands.send_bytes(json.dumps(answer).encode())

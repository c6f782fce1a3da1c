"""One worker of a soak, as a process that is killed: ``python worker_process.py SPEC``.

It writes down every batch as it begins and as it ends, its handler fails now and then, its lease
store too, and its clock jumps.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time
from base64 import b64decode
from typing import TYPE_CHECKING, Any

from clew.localcloud.session import LoopbackSession
from clew.streams.worker import (
    FunctionTarget,
    MappingSettings,
    SqliteLeases,
    Worker,
    WorkerOptions,
)
from clew.streams.worker.errors import LeaseStoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.streams.worker import WorkerEvent

_TRUE_TIME = time.time
_DAY_S = 86_400.0


class Flaky(SqliteLeases):
    """A store that fails now and then: before it did something, or after."""

    chance = 0.0
    dice = random.Random()

    def checkpoint(self, *arguments: Any, **options: Any) -> None:
        self._maybe(lambda: super(Flaky, self).checkpoint(*arguments, **options))

    def renew(self, *arguments: Any) -> Any:
        return self._maybe(lambda: super(Flaky, self).renew(*arguments))

    def leases(self) -> Any:
        return self._maybe(super().leases)

    def _maybe(self, do: Callable[[], Any]) -> Any:
        chance = self.dice.random()
        if chance < self.chance / 2:
            raise LeaseStoreError("injected before")
        done = do()
        if chance < self.chance:
            raise LeaseStoreError("injected after")
        return done


class Journal:
    """What this process did, as lines in a file that all of them append to."""

    def __init__(self, path: str, worker_id: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._worker = worker_id
        self._tokens: dict[str, int] = {}

    def observe(self, event: WorkerEvent) -> None:
        if event.kind == "shard taken":
            self._tokens[event.shard_id] = event.fields["token"]
        elif event.kind not in ("batch", "batch failed"):
            self.write({"event": event.kind, "shard": event.shard_id, **event.fields})

    def batch(self, what: str, records: list[dict[str, Any]]) -> None:
        shard = records[0]["eventID"].partition(":")[0]
        data = [b64decode(record["kinesis"]["data"]).decode() for record in records]
        token = self._tokens[shard]
        self.write({"batch": what, "shard": shard, "token": token, "records": data})

    def write(self, line: dict[str, Any]) -> None:
        os.write(self._file, json.dumps(line | {"worker": self._worker}).encode() + b"\n")


def main() -> None:
    spec = json.loads(sys.argv[1])
    dice = random.Random(spec["seed"])
    journal = Journal(spec["journal"], spec["worker"])
    jump = [0.0]
    time.time = lambda: _TRUE_TIME() + jump[0]

    def handler(event: dict[str, Any], _context: object) -> None:
        records = event["Records"]
        journal.batch("begun", records)
        jump[0] = dice.choice([0.0, -_DAY_S, _DAY_S, 0.5])
        time.sleep(spec["handle_s"])
        if dice.random() < spec["handler_failures"]:
            raise ValueError("injected")
        journal.batch("done", records)

    Flaky.chance = spec["store_failures"]
    Flaky.dice = random.Random(spec["seed"] + 1)
    worker = Worker(
        MappingSettings(
            spec["arn"],
            "TRIM_HORIZON",
            batch_size=spec["batch_size"],
            bisect_on_error=True,
            maximum_record_age_s=3600,  # which no record reaches, whatever the clock says
        ),
        target=FunctionTarget(handler, name="soak", concurrency=16),
        leases=Flaky(spec["leases"]),
        session=LoopbackSession(spec["endpoint_url"], "us-east-1"),
        worker_id=spec["worker"],
        options=WorkerOptions(
            poll_interval_s=0.05,
            reads_per_second=50,
            bytes_per_second=1e9,
            backoff_first_s=0.02,
            backoff_most_s=0.5,
            lease_s=spec["lease_s"],
            shard_sync_s=0.5,
        ),
        observe=journal.observe,
    )
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    worker.start()
    while not ended.is_set() and not worker.wait(0.1):
        pass
    worker.stop(grace_s=10)


if __name__ == "__main__":
    main()

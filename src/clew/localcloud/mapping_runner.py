"""Runs the stream mappings of one local cloud: ``python -m clew.localcloud.mapping_runner PORT``.

The emulator starts it, and it ends when the emulator does not answer any more. It asks which
mappings there are, runs a worker for each, and tells how they are doing.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import threading
import time
from typing import TYPE_CHECKING, Any

from clew.localcloud.control import ask
from clew.localcloud.environment import LOOPBACK
from clew.localcloud.errors import LocalCloudError
from clew.localcloud.mapping_report import MappingReport
from clew.localcloud.session import LoopbackSession
from clew.streams.worker import (
    LambdaTarget,
    MappingSettings,
    SqliteLeases,
    Worker,
    WorkerError,
    WorkerOptions,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_WANTED = "/_clew/mappings/wanted"
_REPORTS = "/_clew/mappings"
_LEASES = "mapping-leases.db"
_TRY_AGAIN_S = 1.0
_REPORT_EVERY_S = 0.2
_STOP_GRACE_S = 5.0

# A read waits for records at the emulator, so there is no need to wait between two. A worker that
# comes after one that died waits for its leases.
_READ_WAITS_S = 1.0
_OPTIONS = WorkerOptions(
    poll_interval_s=0.0,
    reads_per_second=100.0,
    bytes_per_second=1e9,
    lease_s=3.0,
    shard_sync_s=2.0,
)
# With the limits of AWS, its pace as well.
_LIMITED = WorkerOptions(lease_s=3.0, shard_sync_s=2.0)


class RunningMapping:
    """One mapping with its worker, if that could be started."""

    def __init__(self, definition: Mapping[str, Any], endpoint_url: str, options: WorkerOptions):
        self.definition = definition
        self.report = MappingReport()
        self._endpoint_url = endpoint_url
        self._options = options
        self._worker: Worker | None = None
        self._reason = ""
        self._next_try = 0.0
        self._iterators = 0
        self._begun = False

    def run(self) -> None:
        """Start the worker if it does not run, and it is time to try."""
        if self._worker is not None and self._worker.status().state == "failed":
            self._reason = self._worker.status().reason
            self.stop()
        if self._worker is not None or time.monotonic() < self._next_try:
            return
        self._next_try = time.monotonic() + _TRY_AGAIN_S
        try:
            self._worker = self._started()
            self._reason = ""
        except (WorkerError, OSError) as error:
            self._reason = str(error)

    def stop(self) -> None:
        """End the worker; where it was is kept for the next one."""
        if self._worker is not None:
            self._worker.stop(_STOP_GRACE_S)
            self._worker = None

    def facts(self) -> dict[str, Any]:
        """How it is doing, as JSON values."""
        if self._worker is None:
            return self.report.facts("failed", self._reason, {})
        status = self._worker.status()
        self._begun = self._begun or 0 < len(status.shards) <= self._iterators
        state = "starting" if status.state == "running" and not self._begun else status.state
        return self.report.facts(state, status.reason or self._reason, status.shards)

    def _started(self) -> Worker:
        given = self.definition
        session = LoopbackSession(self._endpoint_url, given["region"], given["account"])
        # From then on a shard is read, and what is put can be missed no more.
        for begins in ("GetShardIterator", "SubscribeToShard"):
            session.events.register(f"after-call.*.{begins}", self._began_to_read)
        self._iterators = 0
        how = f"{_READ_WAITS_S} {given['account']} {given['region']}"
        for source in ("kinesis", "dynamodb-streams"):
            session.events.register(f"before-send.{source}.GetRecords", _waiting(how))
        worker = Worker(
            MappingSettings.from_properties(given["settings"]),
            target=LambdaTarget(session, given["function"], qualifier=given["qualifier"]),
            leases=SqliteLeases(_LEASES),
            session=session,
            mapping=given["uuid"],
            options=self._options,
            observe=self.report.add,
            role_arn=given["role"],
        )
        try:
            worker.start()
        except BaseException:
            worker.stop(0)
            raise
        return worker

    def _began_to_read(self, http_response: Any, **_rest: Any) -> None:
        self._iterators += http_response.status_code == http.HTTPStatus.OK


def _waiting(how: str) -> Callable[..., None]:
    def ask_for_it(request: Any, **_rest: Any) -> None:
        request.headers["X-Clew-Wait"] = how

    return ask_for_it


class Runner:
    """The mappings of one local cloud."""

    def __init__(self, port: int, options: WorkerOptions) -> None:
        self._port = port
        self._options = options
        self._running: dict[str, RunningMapping] = {}
        self._lock = threading.Lock()
        self._told: dict[str, dict[str, Any]] = {}

    def keep(self, wanted: list[dict[str, Any]]) -> None:
        """Run these mappings and no others."""
        definitions = {each["uuid"]: each for each in wanted}
        with self._lock:
            for uuid, mapping in list(self._running.items()):
                if definitions.get(uuid) != mapping.definition:
                    mapping.stop()
                    del self._running[uuid]
            for uuid, definition in definitions.items():
                if uuid not in self._running:
                    url = f"http://{LOOPBACK}:{self._port}"
                    self._running[uuid] = RunningMapping(definition, url, self._options)
                    self._running[uuid].run()

    def look_after(self) -> None:
        """Start again what failed, and tell what is new."""
        with self._lock:
            for mapping in self._running.values():
                mapping.run()
            facts = {uuid: mapping.facts() for uuid, mapping in self._running.items()}
        if new := {uuid: each for uuid, each in facts.items() if self._told.get(uuid) != each}:
            ask(self._port, "POST", _REPORTS, new)
        self._told = facts

    def look_after_forever(self) -> None:
        """For a thread of its own."""
        with contextlib.suppress(LocalCloudError):
            while True:
                self.look_after()
                time.sleep(_REPORT_EVERY_S)


def _follow(port: int, runner: Runner) -> None:
    """Keep to what is wanted, until the emulator is gone."""
    connection = http.client.HTTPConnection(LOOPBACK, port)
    seen = None
    while True:
        connection.request("POST", _WANTED, json.dumps({"seen": seen}))
        answer = json.loads(connection.getresponse().read())
        if answer["seen"] != seen:
            seen = answer["seen"]
            runner.keep(answer["mappings"])


def main() -> None:
    """Run until the emulator ends."""
    parser = argparse.ArgumentParser(prog="python -m clew.localcloud.mapping_runner")
    parser.add_argument("port", type=int)
    parser.add_argument("--enforce-limits", action="store_true")
    given = parser.parse_args()
    runner = Runner(given.port, _LIMITED if given.enforce_limits else _OPTIONS)
    threading.Thread(target=runner.look_after_forever, daemon=True).start()
    try:
        _follow(given.port, runner)
    except (OSError, http.client.HTTPException, ValueError):
        # Nothing is worth finishing: the functions and the streams are gone as well.
        os._exit(0)


if __name__ == "__main__":
    main()

"""Tells a supervisor whether a worker lives, and Prometheus how it does, over HTTP on loopback."""

from __future__ import annotations

import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from clew.streams.worker.errors import WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client.core import Metric

    from clew.streams.worker.options import WorkerOptions
    from clew.streams.worker.status import WorkerStatus

    Status = Callable[[], WorkerStatus]

_LOOPBACK = "127.0.0.1"


class HealthServer:
    """Answers ``/healthz`` and ``/metrics`` until it is stopped.

    Raises `WorkerError` if the port is taken. Port 0 is a free one.
    """

    def __init__(self, port: int, status: Status, options: WorkerOptions) -> None:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_WorkerCollector(status))
        # Without renewing, a lease is lost after this long: the worker does nothing any more.
        most_quiet_s = options.lease_s

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/metrics":
                    self._answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(registry))
                elif self.path == "/healthz":
                    said = status()
                    well = said.state == "running" and said.quiet_s <= most_quiet_s
                    code = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
                    self._answer(code, "application/json", _health(said, well=well))
                else:
                    self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"/healthz or /metrics\n")

            def _answer(self, code: HTTPStatus, kind: str, body: bytes) -> None:
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                """A probe every few seconds is no news."""

        try:
            self._server = ThreadingHTTPServer((_LOOPBACK, port), Handler)
        except (OSError, OverflowError) as error:
            raise WorkerError(
                f"The health port {port} on {_LOOPBACK} cannot be used ({error}); choose another."
            ) from error
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="clew-health", daemon=True).start()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()


def _health(status: WorkerStatus, *, well: bool) -> bytes:
    said = {
        "healthy": well,
        "state": status.state,
        "shards": len(status.shards),
        "quietS": round(status.quiet_s, 1),
        "reason": status.reason,
    }
    return json.dumps(said).encode() + b"\n"


class _WorkerCollector(Collector):
    """The status, as Prometheus has it."""

    def __init__(self, status: Status) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        """The metrics at this moment."""
        status = self._status()
        for name, help_text, value in (
            ("records", "Records that the function took with success.", status.records),
            ("batches", "Batches that the function took with success.", status.batches),
            ("batch_failures", "Invocations that failed.", status.failures),
            ("records_discarded", "Records that were given up.", status.discarded),
            ("records_filtered", "Records that no filter let through.", status.filtered),
        ):
            yield CounterMetricFamily(f"clew_worker_{name}", help_text, value=value)
        up = GaugeMetricFamily("clew_worker_running", "1 while the worker runs.")
        up.add_metric([], float(status.state == "running"))
        yield up
        for name, help_text, read in (
            ("behind_seconds", "How far the last read was behind the newest record.", "behind_ms"),
            ("iterator_age_seconds", "How old the newest handled record was.", "iterator_age_ms"),
        ):
            gauge = GaugeMetricFamily(f"clew_worker_shard_{name}", help_text, labels=["shard"])
            for shard in status.shards.values():
                gauge.add_metric([shard.shard_id], getattr(shard, read) / 1000)
            yield gauge

"""Lambda's Runtime API, as AWS's own runtime interface client asks for it.

Lambda developer guide, "Using the Lambda runtime API": ``GET …/invocation/next`` waits for an
event, ``POST …/invocation/ID/response`` and ``…/error`` say what came of it.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from types import TracebackType

VERSION = "/2018-06-01/runtime"
FUNCTION_ARN = "arn:aws:lambda:us-east-2:123456789012:function:my-function"


class Outcome(NamedTuple):
    """What the client posted: ``kind`` is the last part of the path (``response``, ``error``)."""

    kind: str
    request_id: str
    body: Any


class RuntimeApi:
    """One function's Runtime API on a free loopback port, for the length of a ``with`` block."""

    def __init__(self) -> None:
        #: (request id, headers, body) of what the client is to be given; None ends it.
        self.events: queue.Queue[tuple[dict[str, str], bytes] | None] = queue.Queue()
        self.outcomes: queue.Queue[Outcome] = queue.Queue()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> RuntimeApi:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.events.put(None)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    @property
    def address(self) -> str:
        """As ``AWS_LAMBDA_RUNTIME_API`` has it."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def invoke(self, event: Any, request_id: str, trace_header: str = "") -> Outcome:
        """Give the client an event and wait for what comes of it."""
        self.begin(event, request_id, trace_header)
        return self.outcomes.get(timeout=20)

    def begin(
        self, event: Any, request_id: str, trace_header: str = "", timeout_s: float = 30
    ) -> None:
        """Give the client an event, and the function so many seconds for it."""
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + timeout_s) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": FUNCTION_ARN,
        }
        if trace_header:
            headers["Lambda-Runtime-Trace-Id"] = trace_header
        self.events.put((headers, json.dumps(event).encode()))


def _handler_for(api: RuntimeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            assert self.path == f"{VERSION}/invocation/next", self.path
            given = api.events.get()
            if given is None:
                self.close_connection = True
                return
            headers, body = given
            self._answer(200, body, headers)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            _, _, path = self.path.partition(f"{VERSION}/")
            *_, request_id, kind = path.split("/")
            api.outcomes.put(Outcome(kind, request_id, json.loads(body)))
            self._answer(202, b'{"status":"OK"}', {})

        def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Silent."""

    return Handler

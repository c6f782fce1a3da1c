"""HTTP servers on loopback that take what sinks send, and answer as they are told."""

from __future__ import annotations

import contextlib
import gzip
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Request(NamedTuple):
    """One request, its body unpacked."""

    path: str
    headers: dict[str, str]
    body: bytes
    #: As it came.
    raw: bytes


class Answer(NamedTuple):
    """What to answer."""

    status: int = 200
    body: bytes = b"{}"
    headers: tuple[tuple[str, str], ...] = ()


#: Answers that are none: the connection is reset; nothing comes, until the test is over.
RESET, SILENCE = "reset", "silence"


class Server:
    """A server that keeps what came, and answers what ``respond`` says."""

    def __init__(self, respond: Callable[[Request], Any]) -> None:
        self.requests: list[Request] = []
        self.errors: list[BaseException] = []
        self.over = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                outer._post(self, respond)

            def log_message(self, *arguments: Any) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def _post(self, handler: Any, respond: Callable[[Request], Any]) -> None:
        raw = body = handler.rfile.read(int(handler.headers["content-length"]))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(raw)
        request = Request(handler.path, headers, body, raw)
        self.requests.append(request)
        try:
            answer = respond(request)
        except Exception as error:  # noqa: BLE001 - shown when the server is closed
            self.errors.append(error)
            answer = Answer(500, repr(error).encode())
        if answer == RESET:
            # Without lingering, close sends RST.
            linger = struct.pack("ii", 1, 0)
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            handler.close_connection = True
            handler.connection.close()
            return
        if answer == SILENCE:
            self.over.wait(30)
            handler.close_connection = True
            return
        handler.send_response(answer.status)
        for name, value in answer.headers:
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(answer.body)))
        handler.send_header("content-type", "application/json")
        handler.end_headers()
        handler.wfile.write(answer.body)

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextlib.contextmanager
def serving(respond: Callable[[Request], Any]) -> Iterator[Server]:
    """A server for a while; what ``respond`` raised is raised at the end."""
    server = Server(respond)
    try:
        yield server
    finally:
        server.close()
    if server.errors:
        raise server.errors[0]


def in_turn(*answers: Any) -> Callable[[Request], Any]:
    """Each of these answers once, and then the last one."""
    left = list(answers)

    def respond(_request: Request) -> Any:
        return left.pop(0) if len(left) > 1 else left[0]

    return respond

"""A small real HTTP server on loopback, and another name for it."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        headers = [(name.lower(), value) for name, value in self.headers.items()]
        received = {
            "method": self.command,
            "path": self.path,
            "headers": dict(headers),
            "names": [name for name, _ in headers],
            "body": body.decode("latin-1"),
        }
        self.server.received.append(received)  # type: ignore[attr-defined]
        if url.path == "/hang-up":
            self.close_connection = True
            return
        status = int(query.get("status", ["200"])[0])
        self.send_response(status)
        if "to" in query:
            self.send_header("location", query["to"][0])
        answer = json.dumps(received).encode() if self.command in ("GET", "POST") else b""
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_HEAD = _answer

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


class Server:
    """Answers a GET or a POST with what it was, as JSON; ``/?status=302&to=URL`` redirects.

    It listens on 127.0.0.1 and calls itself ``localhost`` where ``elsewhere`` is asked for.
    """

    def __init__(self, http: ThreadingHTTPServer) -> None:
        self.port = http.server_port
        self.received: list[dict[str, Any]] = http.received  # type: ignore[attr-defined]

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[Server]:
        """One, until the end of the block."""
        http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        http.received = []  # type: ignore[attr-defined]
        http.daemon_threads = True
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield cls(http)
        finally:
            http.shutdown()
            thread.join()
            http.server_close()

    def url(self, path: str = "/orders?page=2", host: str = "127.0.0.1") -> str:
        """A URL of this server."""
        return f"http://{host}:{self.port}{path}"

    def elsewhere(self, path: str = "/elsewhere") -> str:
        """A URL of this server under another host's name."""
        return self.url(path, "localhost")

    def redirect(self, to: str, status: int = 302) -> str:
        """A URL that redirects to another."""
        return self.url(f"/?status={status}&to={to}")

"""JSON lines over TCP and TLS, against sockets of this process."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from clew.shipping.answers import BusyError, UnusableError
from clew.shipping.batches import Parcel
from clew.shipping.deliver import deliver
from clew.shipping.errors import ShippingError
from clew.shipping.settings import read_address
from clew.shipping.sinks import open_sink

from .making import GROUP, ID, clew_line, lines

if TYPE_CHECKING:
    from collections.abc import Iterator

PEM = Path(__file__).with_name("localhost.pem")
LINES = lines(clew_line("hello", order=7), "a print", f"END RequestId: {ID}")


class Listener:
    """Takes connections, and keeps what came on each until its end."""

    def __init__(self, *, tls: bool, resets: int) -> None:
        self.got: list[bytes] = []
        self._resets = resets
        self._secure: ssl.SSLContext | None = None
        if tls:
            self._secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._secure.load_cert_chain(PEM)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with contextlib.suppress(OSError):
                self._take(connection)

    def _take(self, connection: socket.socket) -> None:
        if self._resets:
            self._resets -= 1
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
            return
        if self._secure is not None:
            connection = self._secure.wrap_socket(connection, server_side=True)
        with connection:
            data = b""
            connection.settimeout(10)
            while b"END" not in data and (more := connection.recv(65_536)):
                data += more
            self.got.append(data)

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(10)


@contextlib.contextmanager
def listening(*, tls: bool = False, resets: int = 0) -> Iterator[Listener]:
    listener = Listener(tls=tls, resets=resets)
    try:
        yield listener
    finally:
        listener.close()


def shipped(address: str, **given: Any) -> Any:
    return deliver(LINES, open_sink(read_address(address, **given)), sleep=lambda _: None)


def check(data: bytes) -> None:
    first, second, third = (json.loads(row) for row in data.splitlines())
    assert data.endswith(b"\n")
    # Of a line that is JSON, its own members, and what clew knows beside them.
    assert (first["message"], first["order"], first["x-correlation-id"]) == ("hello", 7, "order-1")
    assert (first["logGroup"], first["function"], first["token"]) == (GROUP, "orders", "secret")
    assert first["type"] == "lambda"
    assert (second["message"], second["@timestamp"]) == ("a print", "2026-01-02T03:04:05.001Z")
    assert third["kind"] == "end"


def test_lines_go_over_tcp() -> None:
    with listening() as listener:
        report = shipped(f"tcp://127.0.0.1:{listener.port}?type=lambda", token="secret")
    assert report.sent == 3
    check(listener.got[0])


def test_lines_go_over_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(tls=True) as listener:
        address = f"tls://127.0.0.1:{listener.port}?type=lambda"
        with pytest.raises(UnusableError, match="is not trusted"):
            open_sink(read_address(address)).send([Parcel(LINES[0], b"{}\n")], 5.0)
        monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
        assert shipped(address, token="secret").sent == 3
    check(listener.got[-1])


def test_a_connection_that_breaks_off_is_made_again() -> None:
    with listening(resets=3) as listener:
        report = shipped(f"tcp://127.0.0.1:{listener.port}?type=lambda", token="secret")
    assert report.sent == 3
    assert report.requests == 4
    check(listener.got[0])


def test_nobody_there() -> None:
    with listening() as listener:
        pass
    sink = open_sink(read_address(f"tcp://127.0.0.1:{listener.port}"))
    with pytest.raises(BusyError, match="did not take the lines: ConnectionRefusedError"):
        sink.send([Parcel(LINES[0], b"{}\n")], 5.0)
    with pytest.raises(ShippingError, match="does not say which port"):
        open_sink(read_address("tcp://127.0.0.1"))

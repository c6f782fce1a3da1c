"""JSON lines over TCP, with or without TLS: Logstash's ``json_lines`` codec, Logz.io, Vector.

Nothing in this protocol says that a line was taken. That the other side closed the connection is
seen, and counts as not taken; what it lost after that is not seen.
"""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

from clew.shipping.answers import TAKEN, BusyError, Outcome, UnusableError
from clew.shipping.documents import document, to_json
from clew.shipping.errors import ShippingError

if TYPE_CHECKING:
    from clew.shipping.batches import Parcel
    from clew.shipping.lines import Line
    from clew.shipping.settings import Address

#: How long the other side may take to end the connection, after it was told that no more comes.
_LINGER_S = 1.0
#: What a line says better than its envelope. Where it is from, the envelope says.
_ITS_OWN = ("timestamp", "level", "message")


class TcpSink:
    """A server that takes JSON lines.

    Args:
        name: What to call it.
        host: Its name or address.
        port: Its port.
        secure: How to speak TLS; None for plain TCP.
        fields: Members that every line gets: Logz.io knows the sender by ``token``.
    """

    max_lines = 2_000
    max_bytes = 2 << 20

    def __init__(
        self,
        name: str,
        host: str,
        port: int,
        secure: ssl.SSLContext | None,
        fields: dict[str, str],
    ) -> None:
        self.name = name
        self._where = (host, port)
        self._secure = secure
        self._fields = fields

    def pack(self, line: Line) -> bytes:
        """One line of JSON: the members of a line that is JSON stand at the top, as they were."""
        found: dict[str, Any] = document(line)
        members = line.members
        if members is not None and not line.kind:
            own = {name: members[name] for name in _ITS_OWN if name in members}
            found = {**members, **found, **own}
        return to_json({"@timestamp": found["timestamp"], **found, **self._fields}) + b"\n"

    def send(self, parcels: list[Parcel], timeout_s: float) -> Outcome:
        """Send the lines on a connection of their own, and see it end."""
        until = time.monotonic() + timeout_s
        try:
            with socket.create_connection(self._where, timeout_s) as plain:
                connection = plain
                if self._secure is not None:
                    connection = self._secure.wrap_socket(plain, server_hostname=self._where[0])
                with connection:
                    for parcel in parcels:
                        connection.settimeout(max(until - time.monotonic(), 0.01))
                        connection.sendall(parcel.data)
                    self._end(connection, until)
        except ssl.SSLCertVerificationError as error:
            raise UnusableError(f"{self.name} is not trusted: {error.verify_message}.") from None
        except OSError as error:
            raise BusyError(f"{self.name} did not take the lines: {_kind(error)}") from None
        return TAKEN

    def _end(self, connection: socket.socket, until: float) -> None:
        """Say that no more comes, and look whether the other side had broken off before."""
        linger_s = min(_LINGER_S, max(until - time.monotonic(), 0.01))
        connection.settimeout(linger_s)
        if not isinstance(connection, ssl.SSLSocket):
            connection.shutdown(socket.SHUT_WR)
        try:
            while connection.recv(4096):
                pass
        except TimeoutError:
            return  # it keeps the connection open, as it may

    def close(self) -> None:
        """Nothing is kept."""


def _kind(error: OSError) -> str:
    return f"{type(error).__name__}: {error.strerror or 'no answer'}"


def open_sink(address: Address) -> TcpSink:
    """``tcp://HOST:PORT`` or ``tls://HOST:PORT``; options are members that every line gets."""
    if address.port is None:
        raise ShippingError(f"{address.shown} does not say which port; write tcp://host:5044.")
    secure = ssl.create_default_context() if address.kind == "tls" else None
    fields = dict(address.options)
    if address.token:
        fields["token"] = address.token
    return TcpSink(address.shown, address.host, address.port, secure, fields)

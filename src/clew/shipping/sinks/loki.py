"""Grafana Loki: its push API in JSON (Loki documentation, "Loki HTTP API", "Ingest logs").

Labels are few, as Loki wants them: the log group, the function, the level. What else is known of a
line goes with it as structured metadata; ``?metadata=off`` leaves that out, for Loki before 3.0.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from clew.shipping.answers import TAKEN, Outcome, check
from clew.shipping.documents import to_json
from clew.shipping.sinks.http import Poster

if TYPE_CHECKING:
    from clew.shipping.batches import Parcel
    from clew.shipping.lines import Line
    from clew.shipping.settings import Address

PATH = "/loki/api/v1/push"
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII).fullmatch
_LEVELS = {"WARNING": "warn", "CRITICAL": "critical", "FATAL": "critical"}


class LokiSink:
    """A Loki, or Grafana Cloud."""

    max_lines = 5_000
    max_bytes = 3 << 20  # "grpc_server_max_recv_msg_size" is 4 MB unless set otherwise

    def __init__(self, poster: Poster, labels: dict[str, str], *, metadata: bool = True) -> None:
        self._poster = poster
        self._labels = labels
        self._metadata = metadata
        self.name = poster.name

    def pack(self, line: Line) -> bytes:
        """A value: nanoseconds as text, the line, and what else is known of it."""
        value: list[object] = [str(line.at_ms * 1_000_000), line.message]
        if self._metadata:
            value.append(metadata_of(line))
        return to_json(value)

    def send(self, parcels: list[Parcel], timeout_s: float) -> Outcome:
        """Send one request. Of 400 Loki says what was wrong, and keeps what was not."""
        body = body_of(parcels, self._labels)
        check(*self._poster.post(body, "application/json", timeout_s), self.name)
        return TAKEN

    def close(self) -> None:
        """Let go of connections."""
        self._poster.close()


def metadata_of(line: Line) -> dict[str, str]:
    """Structured metadata: names and values are texts, and what is empty is left out."""
    found = {
        "event_id": line.event_id,
        "request_id": line.request_id,
        "log_stream": line.origin.stream,
        "function_version": line.origin.version,
        "kind": line.kind,
        **{_snake(name): str(value) for name, value in line.facts.items()},
    }
    members = line.members or {}
    for name in ("x-correlation-id", "traceId", "spanId"):
        value = members.get(name)
        if isinstance(value, str):
            found[_snake(name)] = value
    return {name: value for name, value in found.items() if value}


def body_of(parcels: list[Parcel], labels: dict[str, str]) -> bytes:
    """The streams of a push, each with its own labels."""
    streams: dict[tuple[str, str, str], list[bytes]] = {}
    for parcel in parcels:
        line = parcel.line
        key = (line.origin.log_group, line.origin.function, level_of(line))
        streams.setdefault(key, []).append(parcel.data)
    pushed = []
    for (group, function, level), values in streams.items():
        own = {
            "log_group": group,
            "service_name": function or group or "unknown",
            "level": level,
            **labels,
        }
        stream = to_json({name: value for name, value in own.items() if value})
        pushed.append(b'{"stream":' + stream + b',"values":[' + b",".join(values) + b"]}")
    return b'{"streams":[' + b",".join(pushed) + b"]}"


def level_of(line: Line) -> str:
    """A level as Grafana colours it."""
    return _LEVELS.get(line.level, line.level.lower())


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^a-zA-Z0-9]+", "_", name).lower()


def open_sink(address: Address) -> LokiSink:
    """``loki+https://HOST``; other options than ``metadata`` are labels of all lines."""
    address.needs_http()
    options = dict(address.options)
    metadata = options.pop("metadata", "on") != "off"
    path = "" if address.path.endswith(PATH) else PATH
    labels = {name: value for name, value in options.items() if _LABEL(name)}
    return LokiSink(Poster(address, path), labels, metadata=metadata)

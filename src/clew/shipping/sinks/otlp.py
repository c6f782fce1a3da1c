"""OpenTelemetry's OTLP over HTTP, in its JSON form (OTLP specification, "JSON Protobuf Encoding").

64-bit numbers are texts, trace and span ids are in hex. Resources are functions, or log groups.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from clew.shipping.answers import TAKEN, Outcome, check
from clew.shipping.documents import to_json
from clew.shipping.sinks.http import Poster

if TYPE_CHECKING:
    from clew.shipping.batches import Parcel
    from clew.shipping.lines import Line, Origin
    from clew.shipping.settings import Address

PATH = "/v1/logs"
#: OpenTelemetry's data model of logs, "Severity fields".
SEVERITIES = {
    "TRACE": 1, "DEBUG": 5, "INFO": 9, "NOTICE": 10, "WARN": 13, "WARNING": 13,
    "ERROR": 17, "CRITICAL": 21, "FATAL": 21,
}  # fmt: skip
_TRACE = re.compile(r"(?!0{32})[0-9a-f]{32}", re.ASCII).fullmatch
_SPAN = re.compile(r"(?!0{16})[0-9a-f]{16}", re.ASCII).fullmatch
_MAX_INT = 1 << 63
_DEPTH = 8


class OtlpSink:
    """An OpenTelemetry collector, or a service that speaks its protocol."""

    max_lines = 2_000
    max_bytes = 3 << 20  # a collector takes 20 MB; many services 4 MB

    def __init__(self, poster: Poster) -> None:
        self._poster = poster
        self.name = poster.name

    def pack(self, line: Line) -> bytes:
        """A log record."""
        return to_json(record_of(line))

    def send(self, parcels: list[Parcel], timeout_s: float) -> Outcome:
        """Send one request."""
        answer = self._poster.post(body_of(parcels), "application/json", timeout_s)
        check(*answer, self.name)
        return read_answer(answer[2], len(parcels), self.name)

    def close(self) -> None:
        """Let go of connections."""
        self._poster.close()


def record_of(line: Line) -> dict[str, Any]:
    """A ``LogRecord``. Its body is the message of a line that is JSON, else the whole line."""
    members = dict(line.members or {})
    message = members.pop("message", None)
    attributes: dict[str, Any] = {
        "aws.log.event.id": line.event_id,
        "aws.log.stream.names": [line.origin.stream],
        "faas.invocation_id": line.request_id,
        "clew.kind": line.kind,
        **{f"clew.{name}": value for name, value in line.facts.items()},
    }
    found: dict[str, Any] = {
        "timeUnixNano": str(line.at_ms * 1_000_000),
        "observedTimeUnixNano": str(line.at_ms * 1_000_000),
    }
    if line.level:
        found["severityText"] = line.level
        if line.level in SEVERITIES:
            found["severityNumber"] = SEVERITIES[line.level]
    plain = line.members is None or line.kind or not isinstance(message, str)
    found["body"] = {"stringValue": line.message if plain else message}
    if not plain:
        trace, span = members.pop("traceId", None), members.pop("spanId", None)
        if isinstance(trace, str) and _TRACE(trace):
            found["traceId"] = trace
            if isinstance(span, str) and _SPAN(span):
                found["spanId"] = span
        for name in ("timestamp", "level", "requestId"):
            members.pop(name, None)
        attributes |= {name: value for name, value in members.items() if name not in attributes}
    found["attributes"] = _pairs(attributes)
    return found


def _pairs(values: dict[str, Any], depth: int = 0) -> list[dict[str, Any]]:
    return [
        {"key": name, "value": any_value(value, depth)}
        for name, value in values.items()
        if name and value not in ("", None)
    ]


def any_value(value: Any, depth: int = 0) -> dict[str, Any]:  # noqa: PLR0911 - a kind each
    """An ``AnyValue``; what is nested beyond reason is text."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int) and -_MAX_INT <= value < _MAX_INT:
        return {"intValue": str(value)}
    if isinstance(value, float) and value - value == 0:  # finite
        return {"doubleValue": value}
    if depth < _DEPTH:
        if isinstance(value, list):
            return {"arrayValue": {"values": [any_value(one, depth + 1) for one in value]}}
        if isinstance(value, dict):
            return {"kvlistValue": {"values": _pairs(value, depth + 1)}}
    if isinstance(value, str):
        return {"stringValue": value}
    return {} if value is None else {"stringValue": _as_text(value)}


def _as_text(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        return str(type(value).__name__)


def body_of(parcels: list[Parcel]) -> bytes:
    """An ``ExportLogsServiceRequest``: the records of each function together."""
    resources: dict[tuple[str, ...], tuple[Origin, list[bytes]]] = {}
    for parcel in parcels:
        origin = parcel.line.origin
        key = (origin.owner, origin.log_group, origin.function, origin.version)
        resources.setdefault(key, (origin, []))[1].append(parcel.data)
    logs = []
    for origin, records in resources.values():
        resource = to_json({"attributes": _pairs(resource_of(origin))})
        logs.append(
            b'{"resource":' + resource + b',"scopeLogs":[{"scope":{"name":"clew"},"logRecords":['
            + b",".join(records) + b"]}]}"
        )  # fmt: skip
    return b'{"resourceLogs":[' + b",".join(logs) + b"]}"


def resource_of(origin: Origin) -> dict[str, Any]:
    """OpenTelemetry's names for where a line is from (semantic conventions, FaaS and AWS)."""
    found: dict[str, Any] = {
        "service.name": origin.function or origin.log_group or "unknown",
        "cloud.provider": "aws",
        "cloud.account.id": origin.owner,
        "aws.log.group.names": [origin.log_group],
    }
    if origin.function:
        found |= {
            "cloud.platform": "aws_lambda",
            "faas.name": origin.function,
            "faas.version": origin.version,
        }
    return found


def read_answer(body: bytes, count: int, name: str) -> Outcome:
    """What of ``count`` records an ``ExportLogsServiceResponse`` says was refused.

    It says how many and not which; then all of them count as refused, so that none is lost. "The
    client MUST NOT retry the request" (OTLP specification, "Partial Success").
    """
    try:
        found = json.loads(body) if body.strip() else {}
        partial = found.get("partialSuccess") or {}
        rejected = int(partial.get("rejectedLogRecords") or 0)
        why = str(partial.get("errorMessage") or "")[:300]
    except (ValueError, AttributeError, TypeError, RecursionError):
        return TAKEN  # a 200 of another form is a 200
    if rejected <= 0:
        return TAKEN
    reason = f"{name} refused {min(rejected, count)} of the {count} records of a request: {why}"
    return Outcome(refused=dict.fromkeys(range(count), reason))


def open_sink(address: Address) -> OtlpSink:
    """``otlp+https://HOST:4318``."""
    address.needs_http()
    path = "" if address.path.endswith(PATH) else PATH
    return OtlpSink(Poster(address, path))

"""The published protocols of sinks, checked strictly.

Loki: "Loki HTTP API"; OTLP: the messages of opentelemetry-proto (logs/v1, common/v1, resource/v1)
in the JSON form of the OTLP specification; OpenSearch: "Bulk".
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from .server import Request


def _object(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}

LOKI = _object(
    ("streams",),
    streams={
        "type": "array",
        "items": _object(
            ("stream", "values"),
            stream={
                "type": "object",
                "propertyNames": {"pattern": "^[a-zA-Z_][a-zA-Z0-9_]*$"},
                "additionalProperties": {"type": "string", "minLength": 1},
                "minProperties": 1,
                "maxProperties": 15,
            },
            values={
                "type": "array",
                "items": {
                    "type": "array",
                    "minItems": 2,
                    "maxItems": 3,
                    "prefixItems": [
                        {"type": "string", "pattern": "^[0-9]{1,19}$"},
                        {"type": "string"},
                        _TEXTS,
                    ],
                },
            },
        ),
    },
)

_INT64 = {"type": "string", "pattern": "^-?[0-9]{1,19}$"}
_FIXED64 = {"type": "string", "pattern": "^[0-9]{1,20}$"}
_PAIRS = {"type": "array", "items": {"$ref": "#/$defs/KeyValue"}}
_PROTO = {
    "AnyValue": {
        **_object(
            stringValue={"type": "string"},
            boolValue={"type": "boolean"},
            intValue=_INT64,
            doubleValue={"type": "number"},
            arrayValue=_object(values={"type": "array", "items": {"$ref": "#/$defs/AnyValue"}}),
            kvlistValue=_object(values=_PAIRS),
            bytesValue={"type": "string"},
        ),
        "maxProperties": 1,
    },
    "KeyValue": _object(
        ("key", "value"), key={"type": "string", "minLength": 1}, value={"$ref": "#/$defs/AnyValue"}
    ),
    "LogRecord": _object(
        ("timeUnixNano", "body"),
        timeUnixNano=_FIXED64,
        observedTimeUnixNano=_FIXED64,
        severityNumber={"type": "integer", "minimum": 1, "maximum": 24},
        severityText={"type": "string"},
        body={"$ref": "#/$defs/AnyValue"},
        attributes=_PAIRS,
        droppedAttributesCount={"type": "integer"},
        flags={"type": "integer"},
        traceId={"type": "string", "pattern": "^(?!0{32})[0-9a-fA-F]{32}$"},
        spanId={"type": "string", "pattern": "^(?!0{16})[0-9a-fA-F]{16}$"},
        eventName={"type": "string"},
    ),
}
OTLP = {
    **_object(
        ("resourceLogs",),
        resourceLogs={
            "type": "array",
            "items": _object(
                ("resource", "scopeLogs"),
                resource=_object(attributes=_PAIRS),
                scopeLogs={
                    "type": "array",
                    "items": _object(
                        ("scope", "logRecords"),
                        scope=_object(("name",), name={"type": "string"}),
                        logRecords={"type": "array", "items": {"$ref": "#/$defs/LogRecord"}},
                    ),
                },
            ),
        },
    ),
    "$defs": _PROTO,
}

_check_loki = jsonschema.Draft202012Validator(LOKI).validate
_check_otlp = jsonschema.Draft202012Validator(OTLP).validate
_INDEX = re.compile(r"[a-z0-9][a-z0-9._-]{0,254}").fullmatch


def loki(request: Request) -> list[tuple[dict[str, str], int, str, dict[str, str]]]:
    """The lines of a push: labels, nanoseconds, text, structured metadata."""
    assert request.path == "/loki/api/v1/push"
    assert request.headers["content-type"] == "application/json"
    found = json.loads(request.body)
    _check_loki(found)
    labels = [json.dumps(one["stream"], sort_keys=True) for one in found["streams"]]
    assert len(labels) == len(set(labels)), "a stream stands twice in a push"
    return [
        (stream["stream"], int(value[0]), value[1], value[2] if len(value) > 2 else {})
        for stream in found["streams"]
        for value in stream["values"]
    ]


def otlp(request: Request) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The records of an export: attributes of the resource, and the record."""
    assert request.path == "/v1/logs"
    assert request.headers["content-type"] == "application/json"
    found = json.loads(request.body)
    _check_otlp(found)
    records = []
    for one in found["resourceLogs"]:
        resource = plain({"kvlistValue": {"values": one["resource"]["attributes"]}})
        for scope in one["scopeLogs"]:
            records += [(resource, record) for record in scope["logRecords"]]
    return records


def plain(value: dict[str, Any]) -> Any:
    """An ``AnyValue`` as a value of Python's."""
    for name, held in value.items():
        if name == "kvlistValue":
            keys = [pair["key"] for pair in held["values"]]
            assert len(keys) == len(set(keys)), "an attribute stands twice"
            return {pair["key"]: plain(pair["value"]) for pair in held["values"]}
        if name == "arrayValue":
            return [plain(one) for one in held["values"]]
        return int(held) if name == "intValue" else held
    return None


def bulk(request: Request) -> list[tuple[str, str, str, dict[str, Any]]]:
    """The documents of a bulk request: action, index, id, document."""
    assert request.path.partition("?")[0] == "/_bulk"
    assert request.headers["content-type"] in ("application/x-ndjson", "application/json")
    assert request.body.endswith(b"\n")
    rows = [json.loads(row) for row in request.body.splitlines()]
    assert len(rows) % 2 == 0
    found = []
    for head, document in zip(rows[::2], rows[1::2], strict=True):
        ((action, meta),) = head.items()
        assert action in ("index", "create")
        assert _INDEX(meta["_index"]), meta
        assert len(meta.get("_id", "").encode()) <= 512
        assert isinstance(document, dict)
        found.append((action, meta["_index"], meta.get("_id", ""), document))
    return found

"""What any line becomes for any sink: JSON, whatever is in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.shipping.batches import Parcel
from clew.shipping.documents import document, timestamp, to_json
from clew.shipping.sinks import loki, otlp, store
from clew.shipping.sinks.firehose import FirehoseSink
from clew.shipping.sinks.loki import LokiSink
from clew.shipping.sinks.opensearch import OpenSearchSink
from clew.shipping.sinks.otlp import OtlpSink
from clew.shipping.sinks.s3 import S3Sink
from clew.shipping.sinks.store import StoreSink
from clew.shipping.sinks.tcp import TcpSink

from . import protocols
from .making import ID, clew_line, lines
from .server import Request

if TYPE_CHECKING:
    from clew.shipping.sinks import Sink


class Nowhere:
    """In the place of a client: nothing is sent."""

    name = "nowhere"


NOWHERE: Any = Nowhere()
SINKS: list[Sink] = [
    StoreSink(NOWHERE),
    LokiSink(NOWHERE, {}),
    OtlpSink(NOWHERE),
    OpenSearchSink(NOWHERE, "opensearch", "logs"),
    TcpSink("tcp", "127.0.0.1", 1, None, {"token": "t"}),
    FirehoseSink(NOWHERE, "stream"),
    S3Sink(NOWHERE, "bucket", ""),
]


def strict(text: bytes) -> Any:
    """JSON as everybody reads it, without NaN."""

    def no_constant(name: str) -> None:
        raise AssertionError(name)

    return json.loads(text.decode("utf-8"), parse_constant=no_constant)


_VALUES: Any = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=12,
)
_NAMES = st.sampled_from(
    ["message", "level", "timestamp", "traceId", "spanId", "requestId", "type", "record", "at", ""]
)
_MESSAGES = st.one_of(
    st.text(max_size=60),
    st.dictionaries(st.one_of(_NAMES, st.text(max_size=8)), _VALUES, max_size=6).map(json.dumps),
    st.sampled_from(
        [
            '{"x":NaN,"y":[Infinity,-Infinity]}', '{"a":' * 900 + "1" + "}" * 900, "\ud800",
            '{"\\ud800":"\\udc00"}', '{"n":1e400}', clew_line(big=[[[[[[[[[[1]]]]]]]]]]),
            f"REPORT RequestId: {ID}\tDuration: 1.5 ms\tStatus: timeout",
        ]
    ),
)  # fmt: skip


@given(st.lists(_MESSAGES, min_size=1, max_size=6), st.text(max_size=30), st.text(max_size=30))
def test_any_line_is_json_for_every_sink(messages: list[str], group: str, stream: str) -> None:
    found = lines(*messages, group=group, stream=stream)
    for sink in SINKS:
        parcels = [Parcel(line, sink.pack(line)) for line in found]
        for parcel in parcels:
            for row in parcel.data.splitlines():
                strict(row)
        if isinstance(sink, StoreSink):
            rows = store.body_of(parcels).splitlines()
            assert sum(len(strict(row)["logEvents"]) for row in rows) == len(found)
        elif isinstance(sink, LokiSink):
            body = loki.body_of(parcels, {})
            strict(body)
            head = {"content-type": "application/json"}
            pushed = protocols.loki(Request("/loki/api/v1/push", head, body, b""))
            assert len(pushed) == len(found)
        elif isinstance(sink, OtlpSink):
            body = otlp.body_of(parcels)
            strict(body)
            head = {"content-type": "application/json"}
            assert len(protocols.otlp(Request("/v1/logs", head, body, b""))) == len(found)


def test_a_document_has_what_is_known() -> None:
    (line,) = lines(f"REPORT RequestId: {ID}\tDuration: 1.5 ms\tStatus: timeout")
    assert document(line) == {
        "timestamp": "2026-01-02T03:04:05.000Z",
        "at": line.at_ms,
        "logGroup": "/aws/lambda/orders",
        "stream": line.origin.stream,
        "message": line.message,
        "eventId": "0" * 56,
        "owner": "123456789012",
        "function": "orders",
        "version": "$LATEST",
        "requestId": ID,
        "kind": "report",
        "durationMs": 1.5,
        "status": "timeout",
        "problem": "timeout",
    }


def test_where_a_line_is_from_is_not_for_the_line_to_say() -> None:
    (line,) = lines(clew_line(logGroup="another", eventId="mine", message="its own"))
    found = json.loads(SINKS[4].pack(line))
    assert found["logGroup"] == "/aws/lambda/orders"
    assert found["eventId"] == "0" * 56
    assert found["message"] == "its own"
    assert found["timestamp"] == "2026-01-02T03:04:05.678Z"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"x": float("nan"), "y": [float("inf")]}, b'{"x":"nan","y":["inf"]}'),
        ({"ä": "\ud83d"}, '{"ä":"?"}'.encode()),
        ({1: 2}, b'{"1":2}'),
    ],
)
def test_what_is_no_json_becomes_text(value: Any, written: bytes) -> None:
    assert to_json(value) == written


def test_times() -> None:
    assert timestamp(0) == "1970-01-01T00:00:00.000Z"
    assert timestamp(253_402_300_799_999) == "9999-12-31T23:59:59.999Z"

"""OpenTelemetry's SDK for a test, and events that bring a trace."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

if TYPE_CHECKING:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import ReadableSpan

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "00f067aa0ba902b7"


class Telemetry:
    """A tracer of OpenTelemetry's SDK, and the spans that it finished."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = self.provider.get_tracer("tests")

    def span(self, name: str) -> ReadableSpan:
        """The one finished span of that name."""
        (found,) = (span for span in self._exporter.get_finished_spans() if span.name == name)
        return found

    @property
    def trace_ids(self) -> set[str]:
        """The traces of all finished spans."""
        return {trace_id(span) for span in self._exporter.get_finished_spans()}


def trace_id(span: ReadableSpan | trace.Span) -> str:
    return f"{span_context(span).trace_id:032x}"


def span_id(span: ReadableSpan | trace.Span) -> str:
    return f"{span_context(span).span_id:016x}"


def span_context(span: ReadableSpan | trace.Span) -> trace.SpanContext:
    found = span.get_span_context()
    assert found is not None
    return found


def parent_of(span: ReadableSpan) -> str:
    return f"{span.parent.span_id:016x}" if span.parent is not None else ""


def kinesis_event(traces: list[str]) -> dict[str, Any]:
    """A Kinesis event with a record per trace."""
    records = []
    for number, one in enumerate(traces):
        fields = {"x-correlation-id": one, "traceparent": f"00-{one}-{SPAN}-01"}
        data = json.dumps({"__context": fields, "name": f"record-{number}"})
        records.append(
            {
                "eventSource": "aws:kinesis",
                "eventID": "shardId-000000000000:1",
                "kinesis": {"data": b64encode(data.encode()).decode(), "sequenceNumber": "1"},
            }
        )
    return {"Records": records}


def sqs_event(message: dict[str, Any]) -> dict[str, Any]:
    """What Lambda makes of a message that was received (Lambda guide, "Using … Amazon SQS")."""
    attributes: dict[str, Any] = {}
    for name, one in message["MessageAttributes"].items():
        value = (
            {"binaryValue": b64encode(one["BinaryValue"]).decode()}
            if "BinaryValue" in one
            else {"stringValue": one["StringValue"]}
        )
        attributes[name] = {**value, "dataType": one["DataType"]}
    record = {
        "eventSource": "aws:sqs",
        "messageId": message["MessageId"],
        "body": message["Body"],
        "messageAttributes": attributes,
    }
    return {"Records": [record]}

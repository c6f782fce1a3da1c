"""EventBridge Pipes: the event is a list of records, each of which names the pipe's source."""

from __future__ import annotations

from importlib import import_module

from clew.capture.reading import Reading
from clew.capture.record import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: ``eventSource`` -> the module of the source, and what makes its records. As the source of a
#: pipe, ActiveMQ has another name than as that of an event source mapping.
SOURCES = {
    "aws:kinesis": ("clew.capture.kinesis", "records_of"),
    "aws:sqs": ("clew.capture.sqs", "records_of"),
    "aws:dynamodb": ("clew.capture.dynamodb", "records_of"),
    "aws:kafka": ("clew.capture.kafka", "records_of"),
    "SelfManagedKafka": ("clew.capture.kafka", "records_of"),
    "aws:amq": ("clew.capture.mq", "active_mq"),
    "aws:mq": ("clew.capture.mq", "active_mq"),
    "aws:rmq": ("clew.capture.mq", "rabbit_mq"),
}


def matches_list(event: list[Any]) -> bool:
    """Whether ``event`` is a batch of a pipe, whose input transformer left the records whole."""
    return isinstance(event[0], dict) and event[0].get("eventSource") in SOURCES


def read_list(event: list[Any]) -> Reading:
    """One record per record, of the kind that the pipe's source has; the source keeps its name."""
    name = text(event[0]["eventSource"])
    module, make = SOURCES[name]
    source = import_module(module)
    records = getattr(source, make)(event)
    clean = source.without_contexts(event) if name == "aws:dynamodb" else event
    return Reading("aws:mq" if name == "aws:amq" else name, clean, records=records)

"""Inbound: which source an event came from, and what rode in with it.

One module per event source, which reads its events (``read``). The tables below are the whole
list: sources that name themselves in their records or their event, and sources whose module says
whether an event is its own (``matches``). To add one, write its module and name it there. Only
the modules that an event may belong to are imported.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType

from clew.capture.delivery import Delivery
from clew.capture.reading import Reading
from clew.capture.receive import fallback_id, receive
from clew.capture.record import Arrival, Record, attach
from clew.correlation import current
from clew.invocation import Invocation
from clew.wire import CONTEXT_ALIASES, ID, UNREADABLE, check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from clew.wire import Inbound

    class RecordSource(Protocol):
        """What the module of a source of records has to have."""

        def read(self, event: dict[str, Any]) -> Reading:
            """Read ``event``, which has a list of ``Records``; they may be of any shape."""

        def records_of(self, raws: list[Any]) -> list[Record]:
            """The records that came as ``raws``, of any shape."""

    class ListSource(Protocol):
        """What the module of a source whose events are lists has to have."""

        def matches_list(self, event: list[Any]) -> bool:
            """Whether ``event``, which is not empty, is this source's. May raise."""

        def read_list(self, event: list[Any]) -> Reading:
            """Read ``event``, which matched. May raise on a malformed event."""

    class Source(Protocol):
        """What the module of another source has to have."""

        def matches(self, event: dict[str, Any]) -> bool:
            """Whether ``event`` is this source's. Cheap; may raise on a malformed event."""

        def read(self, event: dict[str, Any]) -> Reading:
            """Read ``event``, which matched. May raise on a malformed event."""


#: The sources whose events are lists of ``Records``, by ``eventSource`` (or ``EventSource``).
RECORD_SOURCES = {
    "aws:kinesis": "clew.capture.kinesis",
    "aws:sqs": "clew.capture.sqs",
    "aws:dynamodb": "clew.capture.dynamodb",
    "aws:sns": "clew.capture.sns",
    "aws:s3": "clew.capture.s3",
}
#: The sources that name themselves once, in the event's own ``eventSource``.
EVENT_SOURCES = {
    "aws:kafka": "clew.capture.kafka",
    "SelfManagedKafka": "clew.capture.kafka",
    "aws:mq": "clew.capture.mq",
    "aws:rmq": "clew.capture.mq",
}
#: The others, by a member that all events of theirs have; asked in this order.
SOURCES = (
    (
        "requestContext",
        (
            "clew.capture.api_gateway",
            "clew.capture.http_api",
            "clew.capture.function_url",
            "clew.capture.alb",
            "clew.capture.websocket",
            "clew.capture.authorizer",
            "clew.capture.destination",
            "clew.capture.appsync",
        ),
    ),
    ("detail-type", ("clew.capture.eventbridge",)),
    ("deliveryStreamArn", ("clew.capture.firehose",)),
    ("awslogs", ("clew.capture.cloudwatch_logs",)),
    ("methodArn", ("clew.capture.authorizer",)),
    ("triggerSource", ("clew.capture.cognito",)),
    ("info", ("clew.capture.appsync",)),
    ("alarmData", ("clew.capture.alarm",)),
)
#: Asked last, as it looks into what a user may have sent. ``clew.capture.direct`` comes before:
#: a context at the top of an event is the latest hop's, whatever the rest is.
LAST = "clew.capture.step_functions"
#: The sources whose events are lists, asked in this order (``matches_list``, ``read_list``).
LIST_SOURCES = ("clew.capture.pipes", "clew.capture.appsync")

__all__ = [
    "Delivery",
    "Reading",
    "Record",
    "capture",
    "open_delivery",
    "read",
    "read_records",
    "unread_records",
]


def capture(event: object, context: object = None) -> Delivery:
    """Read the correlation that came in with a Lambda event.

    ``event`` is any Lambda event; ``context`` is the Lambda context, if there is one. An unknown
    or malformed event gives a fresh correlation. Inside a decorated handler, its own event gives
    what the handler captured already, so that the spans are the same. Never raises.
    """
    here = current().invocation
    if here is not None and here.delivery is not None:
        captured: Delivery = here.delivery
        if event is captured.event or event is here.event:
            return captured
    return open_delivery(event, context)


def open_delivery(
    event: object, context: object, debug_sample_rate: float = 0.0, *, records_of: str = ""
) -> Delivery:
    """`capture`, with the share (0 to 1) of undecided call chains to log at DEBUG.

    ``records_of`` names a source: the event is then a batch of its records, whatever it looks like.
    """
    reading = read_records(event, records_of) if records_of else read(event)
    invocation = Invocation(reading.source, event, context)
    inbound = _check(reading)
    records = reading.records
    edge_id = reading.id or invocation.request_id
    if records:
        attach(records, Arrival(invocation, edge_id, len(records), debug_sample_rate))
    if len(records) == 1:
        correlation = records[0].correlation
    else:
        own_id = inbound.fields.get(ID) or fallback_id(edge_id)
        correlation = receive(inbound, own_id, invocation, debug_sample_rate)
    return Delivery(
        source=reading.source,
        event=reading.event,
        correlation=correlation,
        records=records,
        invocation=invocation,
        problem=reading.problem,
        dropped=inbound.dropped,
    )


def _check(reading: Reading) -> Inbound:
    try:
        return check(reading.pairs)
    except Exception as error:  # noqa: BLE001  (pairs are read while they are checked)
        reading.problem = f"{type(error).__name__}: {error}"
        return check((UNREADABLE,))


def read(event: object) -> Reading:
    """Find the source of ``event`` and read it; `Reading.problem` says what failed."""
    try:
        if isinstance(event, dict):
            return _read_object(event)
        if isinstance(event, list) and event:
            return _read_list(event)
    except Exception as error:  # noqa: BLE001  (an event of any shape may come in)
        return Reading("unknown", event, problem=f"{type(error).__name__}: {error}")
    return Reading("unknown", event)


def read_records(event: object, source: str) -> Reading:
    """`read` for a handler of ``source``'s records: what came in is always handed over.

    Of an event that does not say that it is ``source``'s, each of its ``Records`` is one record;
    of one that has none, the event itself. Their ``raw`` is what came.
    """
    reading = read(event)
    if reading.records:
        return reading
    records = unread_records(event, source)
    if not records:
        return Reading(source, event)
    return Reading("unknown", event, records=records, problem=f"this is no event of {source}")


def unread_records(event: object, source: str) -> list[Record]:
    """Each of the ``Records`` of ``event``, else ``event`` itself, as one of ``source``'s.

    Of a list, as EventBridge Pipes sends them, each item.
    """
    listed = event.get("Records") if isinstance(event, dict) else event or None
    raws = listed if isinstance(listed, list) else [event]
    module: RecordSource = import_module(RECORD_SOURCES.get(source) or EVENT_SOURCES[source])
    return module.records_of(raws)


def _read_object(event: dict[str, Any]) -> Reading:
    if CONTEXT_ALIASES[0] not in event and CONTEXT_ALIASES[1] not in event:
        return _read_alone(event)
    direct: Source = _module("clew.capture.direct")
    if not direct.matches(event):  # it is the user's own
        return _read_alone(event)
    sent = direct.read(event)
    source = _find(sent.event, ())
    if source is None:
        return sent
    # Whoever invokes a function may send it any event, the one that it got itself for example.
    reading = source.read(sent.event)
    reading.pairs = [*reading.pairs, *sent.pairs]
    return reading


def _read_alone(event: dict[str, Any]) -> Reading:
    source = _find(event)
    return source.read(event) if source is not None else Reading("unknown", event)


def _read_list(event: list[Any]) -> Reading:
    for module in LIST_SOURCES:
        source: ListSource = _module(module)
        if source.matches_list(event):
            return source.read_list(event)
    return Reading("unknown", event)


def _find(event: dict[str, Any], last: tuple[str, ...] = (LAST,)) -> RecordSource | Source | None:
    """The module that reads ``event``; ``last`` are asked where no other does."""
    records = event.get("Records")
    if isinstance(records, list) and records and isinstance(records[0], dict):
        module = _named(
            RECORD_SOURCES, records[0].get("eventSource", records[0].get("EventSource"))
        )
        if module is not None:
            return module
    if "eventSource" in event:
        module = _named(EVENT_SOURCES, event["eventSource"])
        if module is not None:
            return module
    for member, modules in (*SOURCES, ("", last)):
        if member in event or not member:
            for name in modules:
                source: Source = sys.modules.get(name) or _module(name)
                if source.matches(event):
                    return source
    return None


def _named(sources: dict[str, str], name: object) -> RecordSource | None:
    module = sources.get(name) if isinstance(name, str) else None
    return _module(module) if module is not None else None


def _module(name: str) -> Any:
    """The module of that name, imported when it is first asked for."""
    return sys.modules.get(name) or import_module(name)


class _Callable(ModuleType):
    """``clew.capture`` is this module as soon as any part of clew has imported it.

    Python then has no function of that name in the package, so that the module is one.
    """

    def __call__(self, event: object, context: object = None) -> Delivery:
        return capture(event, context)


sys.modules[__name__].__class__ = _Callable

"""One invocation of a Lambda function: who it is, what it received, what it sent.

The handlers open one, the carriers and the logger write into it, and at the end it becomes the
wide ``invocation`` line.
"""

from __future__ import annotations

import os
import time
from collections import deque
from itertools import count
from json.encoder import encode_basestring_ascii as quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.capture import Delivery, Record
    from clew.correlation import Correlation
    from clew.forward.together import Together
    from clew.log.done import Done

#: DEBUG lines kept for a failure; the oldest go first.
FLIGHT_RECORDER_LINES = 256

_invocations = count()


class Received:
    """One record (or request) that came in. ``outcome`` is ``pending`` until it was handled."""

    __slots__ = ("attempts", "correlation", "error", "ms", "outcome", "position")

    def __init__(self, correlation: Correlation, position: dict[str, str]) -> None:
        self.correlation = correlation
        self.position = position
        self.outcome = "pending"
        self.attempts = 0
        self.ms = 0.0
        self.error = ""


class Sent:
    """One message that went out. ``outcome`` is ``pending`` until the service answered."""

    __slots__ = (
        "at",
        "carried",
        "correlation",
        "error",
        "operation",
        "outcome",
        "position",
        "service",
        "span_id",
        "status",
        "target",
    )

    def __init__(
        self, service: str, operation: str, target: str, span_id: str, correlation: Correlation
    ) -> None:
        self.service = service
        self.operation = operation
        self.target = target
        self.span_id = span_id
        self.correlation = correlation
        self.at = time.time()
        self.outcome = "pending"
        self.error = ""
        self.status = 0
        self.carried = True
        self.position: dict[str, str] = {}


class Invocation:
    """What is collected while a handler runs. Appending is safe from several threads."""

    __slots__ = (
        "calls",
        "cold_start",
        "delivery",
        "done",
        "event",
        "flight_recorder",
        "function",
        "log_prefix",
        "received",
        "request_id",
        "source",
        "started",
        "started_at",
        "version",
        "xray",
    )

    def __init__(self, source: str, event: Any, context: Any) -> None:
        self.source = source
        self.event = event
        #: What the handler captured of the event; None outside a decorated handler.
        self.delivery: Delivery | None = None
        self.request_id, function, version = _names(context)
        self.function = function or os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
        self.version = version or os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "")
        self.cold_start = next(_invocations) == 0
        self.started_at = time.time()
        self.started = time.perf_counter()
        #: X-Ray's root id and decision, once somebody asked.
        self.xray: tuple[str, str] | None = None
        #: What became of most of a large batch, in columns.
        self.done: Done | None = None
        #: What came in: its records themselves, or one entry for an event that is no batch.
        self.received: list[Received | Record] = []
        #: What went out; the messages of a large call in one piece.
        self.calls: list[Sent | Together] = []
        #: (time, logger name, message, arguments, ``extra``, ``exc_info``, correlation)
        self.flight_recorder: deque[tuple[float, str, Any, Any, Any, Any, Correlation]] = deque(
            maxlen=FLIGHT_RECORDER_LINES
        )
        #: Members that every log line of this invocation carries, as JSON text.
        self.log_prefix = (
            f'"requestId":{quote(self.request_id)},"function":{quote(self.function)},'
            f'"version":{quote(self.version)},"coldStart":{"true" if self.cold_start else "false"}'
        )

    @property
    def sent(self) -> list[Sent]:
        """What went out, each message by itself."""
        calls: list[Any] = self.calls
        for place in range(len(calls) - 1, -1, -1):
            if type(calls[place]) is not Sent:
                calls[place : place + 1] = calls[place]
        return calls


def _names(context: Any) -> tuple[str, str, str]:
    """(request id, function, version) of the Lambda context; each "" where it has none."""
    try:  # nearly always it has them all
        request_id = context.aws_request_id
        function, version = context.function_name, context.function_version
        if type(request_id) is type(function) is type(version) is str:
            return request_id, function, version
    except Exception:  # noqa: BLE001, S110  (a stand-in's attribute may raise anything)
        pass
    return (
        _text(context, "aws_request_id"),
        _text(context, "function_name"),
        _text(context, "function_version"),
    )


def _text(context: Any, name: str) -> str:
    """An attribute of the Lambda context as text; "" where there is none (in tests, say)."""
    try:
        value = getattr(context, name, None)
    except Exception:  # noqa: BLE001  (a stand-in's attribute may raise anything)
        return ""
    return value if isinstance(value, str) else ""

"""Log lines as the runtime itself writes them, so that the story cannot drift from its format."""

from __future__ import annotations

import contextlib
import io
import time
from typing import TYPE_CHECKING, Any

from clew.correlation import Correlation, new_span_id, new_trace_id
from clew.invocation import Invocation, Received, Sent
from clew.log.line import build, describe
from clew.log.wide import write_invocation
from clew.stories.lines import RawLine
from clew.stories.parse import read
from clew.stories.reconstruct import reconstruct

if TYPE_CHECKING:
    from clew.stories.model import Story

#: 2026-01-02T03:04:05Z, and a little, since a float is seldom a whole number of milliseconds.
#: Times in tests are milliseconds after it.
START_S = 1_767_323_045.0001
TRACE = new_trace_id()


class Context:
    """What Lambda tells a handler of its invocation."""

    function_version = "$LATEST"

    def __init__(self, function: str, request_id: str) -> None:
        self.function_name = function
        self.aws_request_id = request_id


class Run:
    """One invocation of a function, as its log has it."""

    def __init__(
        self,
        function: str,
        *,
        at: float = 0,
        source: str = "aws:sns",
        request_id: str = "",
        cold_start: bool = False,
    ) -> None:
        self.request_id = request_id or f"request-{function}-{at:g}"
        self.invocation = Invocation(source, {}, Context(function, self.request_id))
        self.invocation.started_at = START_S + at / 1000
        # The real one is true for the first of a process, whichever test that is.
        prefix, name, _ = self.invocation.log_prefix.partition('"coldStart":')
        self.invocation.log_prefix = f"{prefix}{name}{str(cold_start).lower()}"
        self.group = f"/aws/lambda/{function}"
        self.at = at
        self.lines: list[RawLine] = []

    def receive(
        self,
        request: str = "request-1",
        *,
        answers: Sent | str = "",
        outcome: str = "done",
        attempts: int | None = None,
        ms: float = 5,
        error: str = "",
        position: dict[str, str] | None = None,
        **ids: str,
    ) -> Correlation:
        """Receive one record of ``request`` (its id), sent with ``answers``."""
        parent = answers if isinstance(answers, str) else answers.span_id
        correlation = self.correlation(request, parent=parent, **ids)
        received = Received(correlation, position or {})
        received.outcome, received.error, received.ms = outcome, error, ms
        received.attempts = int(outcome != "pending") if attempts is None else attempts
        self.invocation.received.append(received)
        return correlation

    def correlation(self, request: str = "request-1", parent: str = "", **ids: str) -> Correlation:
        """A correlation that nothing was received under."""
        named = {f"x-correlation-{name}": value for name, value in ids.items()}
        return Correlation(
            {"x-correlation-id": request, **named, "debug-log-enabled": "false"},
            trace_id=TRACE,
            span_id=new_span_id(),
            parent_span_id=parent,
            invocation=self.invocation,
        )

    def log(
        self,
        correlation: Correlation,
        message: str,
        *,
        at: float | None = None,
        level: str = "INFO",
        error: BaseException | None = None,
        flight_recorder: bool = False,
        **fields: Any,
    ) -> None:
        """Log one line under a correlation."""
        at = self.at + 1 if at is None else at
        thrown = describe(type(error), error, error.__traceback__) if error else None
        line = build(
            at=START_S + at / 1000,
            level=level,
            message=message,
            logger="app",
            correlation=correlation,
            fields=fields,
            exception=thrown,
            flight_recorder=flight_recorder,
        )
        self.text(line, at=at)

    def text(self, message: str, *, at: float | None = None) -> None:
        """Write a message of any kind to the function's log."""
        at_ms = int(START_S * 1000 + (self.at if at is None else at))
        self.lines.append(RawLine(at_ms, self.group, "stream", message))

    def send(
        self,
        correlation: Correlation,
        service: str = "sns",
        target: str = "arn:aws:sns:us-east-1:000000000000:orders",
        operation: str = "Publish",
        *,
        at: float | None = None,
        outcome: str = "ok",
        status: int = 0,
        error: str = "",
        carried: bool = True,
        position: dict[str, str] | None = None,
    ) -> Sent:
        """Send a message under a correlation."""
        sent = Sent(service, operation, target, new_span_id(), correlation)
        sent.at = START_S + (self.at + 2 if at is None else at) / 1000
        sent.outcome, sent.status, sent.error, sent.carried = outcome, status, error, carried
        sent.position = position or {}
        self.invocation.sent.append(sent)
        return sent

    def end(
        self,
        error: BaseException | None = None,
        *,
        own: Correlation | None = None,
        took_ms: float = 10,
    ) -> list[RawLine]:
        """Write the invocation line; all lines of the invocation."""
        received = self.invocation.received
        if own is None:
            own = received[0].correlation if len(received) == 1 else self.correlation("a-batch")
        self.invocation.started = time.perf_counter() - took_ms / 1000
        with contextlib.redirect_stdout(io.StringIO()) as written:
            write_invocation(self.invocation, own, error)
        for line in written.getvalue().splitlines():
            self.text(line, at=self.at + took_ms)
        return self.lines


def story_of(*runs: Run | list[RawLine], request: str = "request-1") -> Story:
    """The story of a request from the lines of several invocations."""
    lines: list[RawLine] = []
    for run in runs:
        lines += run.lines if isinstance(run, Run) else run
    return reconstruct(read(lines), request)


def http(run: Run, correlation: Correlation, status: int = 200, **options: Any) -> Sent:
    """A request over HTTP."""
    return run.send(correlation, "http", "http://127.0.0.1:4566/b", "GET", status=status, **options)

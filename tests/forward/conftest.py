"""A correlation in force, and everything that sends hooked for the length of a test."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

import clew
from clew.invocation import Invocation
from clew.log import internal

from .server import Server

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clew.invocation import Sent

FIELDS = {
    "x-correlation-id": "request-1",
    "x-correlation-user-id": "42",
    "debug-log-enabled": "false",
    "user-agent": "browser/1.0",
    "call-chain-length": "2",
}
TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "00f067aa0ba902b7"


@pytest.fixture(autouse=True)
def _a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing said yet, nothing switched off."""
    monkeypatch.setattr(internal, "_said", set())
    for name in [name for name in os.environ if name.startswith("CLEW_FORWARD")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("CLEW_CONTEXT_FIELD", raising=False)


@pytest.fixture
def instrumented() -> Iterator[None]:
    """Everything hooked, as a decorated handler does it."""
    clew.instrument()
    yield
    clew.uninstrument()


@pytest.fixture
def invocation() -> Invocation:
    """The invocation in hand; what is sent lands in its ``sent``."""
    return Invocation("aws:apigateway", {}, None)


@pytest.fixture
def correlation(invocation: Invocation) -> clew.Correlation:
    """The correlation of the invocation in hand, not in force yet."""
    return clew.Correlation(FIELDS, trace_id=TRACE, span_id=SPAN, invocation=invocation)


@pytest.fixture
def in_force(correlation: clew.Correlation, instrumented: None) -> Iterator[clew.Correlation]:
    """The correlation in force, and everything hooked."""
    with clew.use(correlation):
        yield correlation


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A real HTTP server on loopback that says what it received."""
    with Server.running() as running:
        yield running


def only(sent: Iterable[Sent]) -> Sent:
    """The one message that was sent."""
    (one,) = sent
    return one


def fields_of(sent: Sent) -> dict[str, str]:
    """What a message of the correlation of these tests has to carry."""
    return {**FIELDS, "traceparent": f"00-{TRACE}-{sent.span_id}-01"}

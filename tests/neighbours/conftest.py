"""What the tests of the bridges share: a function's log, and nothing left hooked."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from opentelemetry.instrumentation.requests import RequestsInstrumentor

import clew
from clew.log import internal
from forward.server import Server

from .functions import Functions
from .telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(autouse=True)
def _a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing said, logged or hooked before, and nothing after."""
    monkeypatch.setattr(internal, "_said", set())
    root = logging.getLogger()
    before = root.handlers[:]
    yield
    root.handlers[:] = before
    clew.uninstrument()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A real HTTP server on loopback that says what it received."""
    with Server.running() as running:
        yield running


@pytest.fixture
def functions(capsys: pytest.CaptureFixture[str]) -> Functions:
    """Functions of a chain in this process."""
    return Functions(capsys)


@pytest.fixture
def telemetry() -> Telemetry:
    """OpenTelemetry's SDK, with the spans that it finished."""
    return Telemetry()


@pytest.fixture(params=["clew first", "OpenTelemetry first"])
def both_hook_requests(request: pytest.FixtureRequest, telemetry: Telemetry) -> Iterator[None]:
    """requests, instrumented by both, in either order."""
    steps: list[Callable[[], object]] = [
        clew.instrument,
        lambda: RequestsInstrumentor().instrument(tracer_provider=telemetry.provider),
    ]
    undo: list[Callable[[], object]] = [clew.uninstrument, RequestsInstrumentor().uninstrument]
    if request.param == "OpenTelemetry first":
        steps.reverse()
        undo.reverse()
    for step in steps:
        step()
    yield
    for step in reversed(undo):
        step()

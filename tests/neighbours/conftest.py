"""What the tests of the bridges share: a function's log, and nothing left hooked."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

import clew
from clew.log import internal
from forward.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator


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

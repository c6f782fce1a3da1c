"""clew says some things once a process; each test is a process of its own in that."""

from __future__ import annotations

import pytest

from clew.log import internal

SECRET = "an-example-of-32-random-characters"


@pytest.fixture(autouse=True)
def _nothing_said_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(internal, "_said", set())
    monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> str:
    """``CLEW_SECRET`` is set."""
    monkeypatch.setenv("CLEW_SECRET", SECRET)
    return SECRET

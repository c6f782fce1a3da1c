"""What the tests of streams share."""

from __future__ import annotations

import pytest

from clew.log import internal


@pytest.fixture(autouse=True)
def _nothing_said_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """clew says some things once a process; each test is a process of its own in that."""
    monkeypatch.setattr(internal, "_said", set())

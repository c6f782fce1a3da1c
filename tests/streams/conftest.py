"""What the tests of streams share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clew.log import internal
from clew.streams import clients, outbox

from .queues import new_queue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.localcloud import LocalCloud


@pytest.fixture(autouse=True)
def _nothing_said_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """clew says some things once a process; each test is a process of its own in that."""
    monkeypatch.setattr(internal, "_said", set())


@pytest.fixture
def in_cloud(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """boto3 as it is set up inside a function of the local cloud."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.endpoint_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", cloud.region)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    clients.forget()
    outbox._slowest.clear()
    yield
    clients.forget()
    cloud.faults.clear()


@pytest.fixture
def queue(cloud: LocalCloud) -> tuple[str, str]:
    """(URL, ARN) of a queue of its own."""
    return new_queue(cloud)

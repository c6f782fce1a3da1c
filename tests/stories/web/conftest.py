"""A site over a store with two requests in it: one that broke, and one that did not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clew.stories.web.shelf import Shelf
from clew.stories.web.site import Site
from stories.runtime import Run, http

from .asking import Browser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BROKEN = "4f0c1f0e-0d7a-4f3e-9d53-0a3a5b1f6f5e"
WHOLE = "5f0c1f0e-0d7a-4f3e-9d53-0a3a5b1f6f5e"


def broken_request(request: str = BROKEN) -> list[Run]:
    """An API that calls another, publishes to a topic whose reader fails, and to nobody."""
    edge = Run("api-a", source="aws:apigateway", cold_start=True)
    bound = edge.receive(request, ms=120).with_ids({"x-correlation-user-id": "42"})
    edge.log(bound, "calling", uri="http://127.0.0.1/b")
    call = http(edge, bound, at=5)
    publish = edge.send(bound, at=60)
    edge.send(bound, "kinesis", "clicks", "PutRecord", at=70)
    edge.end()
    called = Run("api-b", at=10, source="aws:apigateway")
    called.log(called.receive(request, answers=call, ms=8), "looking", level="DEBUG")
    called.end()
    mail = Run("mail", at=70)
    failing = mail.receive(
        request, answers=publish, outcome="failed", error="ValueError: no card", ms=20
    )
    mail.log(failing, "card declined", level="ERROR", error=ValueError("no card"))
    mail.end(ValueError("no card"))
    return [edge, called, mail]


def whole_request(request: str = WHOLE) -> list[Run]:
    """An API that does it all by itself."""
    edge = Run("api-a", at=500, source="aws:apigateway")
    edge.log(edge.receive(request, ms=3), "nothing to do")
    edge.end()
    return [edge]


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with Shelf(tmp_path / "lines.db", write=True) as shelf:
        for run in [*broken_request(), *whole_request()]:
            shelf.add(run.lines)
        yield shelf


@pytest.fixture
def site(shelf: Shelf) -> Site:
    return Site(shelf, "the store lines.db")


@pytest.fixture
def browser(site: Site) -> Browser:
    return Browser(site)

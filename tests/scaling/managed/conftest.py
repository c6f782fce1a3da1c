"""A stream on a stage, for each test that asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clew.localcloud import LocalCloud


@pytest.fixture
def stage(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Stage]]:
    """``stage(shards, **settings)``: a managed stream, and the functions at work on it."""
    made: list[Stage] = []

    def make(shards: int = 2, **settings: Any) -> Stage:
        made.append(Stage(cloud, shards, **settings).on(monkeypatch))
        return made[-1]

    yield make
    for one in made:
        one.close()

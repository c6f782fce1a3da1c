"""What the tests of the local cloud share."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from clew.localcloud import LocalCloud

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def limited() -> Iterator[LocalCloud]:
    """A cloud whose shards have their limits, and that publishes metrics all the time."""
    with LocalCloud.start(name="limited", enforce_limits=True, metrics_period_s=0.2) as running:
        yield running


@pytest.fixture
def new_stream() -> Callable[..., str]:
    """``new_stream(kinesis, shards=1)``: the name of a stream of its own."""

    def make(kinesis: Any, shards: int = 1) -> str:
        name = f"stream-{next(_numbers)}"
        kinesis.create_stream(StreamName=name, ShardCount=shards)
        return name

    return make

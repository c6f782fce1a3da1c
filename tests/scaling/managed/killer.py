"""Kills whoever calls AWS, right before or right after one of the calls that change something."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

CHANGING = frozenset(
    {
        "DeleteAlarms",
        "DeleteItem",
        "MergeShards",
        "PutItem",
        "PutMetricAlarm",
        "SetAlarmState",
        "SplitShard",
        "UpdateItem",
        "UpdateShardCount",
    }
)


class Killed(BaseException):
    """No `except Exception` sees it, as none sees a SIGKILL."""


def _raise() -> None:
    raise Killed


@contextmanager
def killed_at(
    clients: Iterable[Any], number: int, *, after: bool, kill: Callable[[], None] = _raise
) -> Iterator[list[str]]:
    """Die at the changing call of that number, from 0; the names of the calls come out."""
    seen: list[str] = []

    def count(model: Any, **_: Any) -> None:
        if model.name in CHANGING:
            seen.append(model.name)
            if len(seen) == number + 1 and not after:
                kill()

    def done(model: Any, **_: Any) -> None:
        if after and model.name in CHANGING and len(seen) == number + 1:
            kill()

    listed = list(clients)
    for client in listed:
        client.meta.events.register("before-call", count)
        client.meta.events.register("after-call", done)
    try:
        yield seen
    finally:
        for client in listed:
            client.meta.events.unregister("before-call", count)
            client.meta.events.unregister("after-call", done)

"""Records one after another: opened some at a time before their turn, and taken down after it.

To do one thing for many records and then the next takes far less time than to do all for one after
another, as long as there are not so many of them that they fill the processor's caches.
"""

from __future__ import annotations

from clew.capture.several import open_ahead
from clew.handlers.loops import looping
from clew.log.internal import failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.capture import Record
    from clew.streams.batch import Batch

_TOGETHER = 64


def in_turn(batch: Batch) -> Iterator[Record]:
    """The records of ``batch`` in their order, up to some of which one goes in a circle.

    All those that do are then in ``batch.loops``.
    """
    done, records = batch.invocation.done, [*batch.records]
    for first in range(0, len(records), _TOGETHER):
        some = records[first : first + _TOGETHER]
        told = open_ahead(some)
        if find_loops(batch, some):
            find_loops(batch, records[first + _TOGETHER :])
            return
        yield from some
        if done is not None:
            done.note(some, told)


def find_loops(batch: Batch, records: list[Record]) -> bool:
    """Put those of ``records`` that go in a circle into ``batch.loops``; whether there are any."""
    try:
        found = looping(records, batch.invocation.source) if records else {}
    except Exception:  # noqa: BLE001  (what cannot be told is let pass)
        failed("looking for loops")
        return False
    batch.loops = {**batch.loops, **found}
    return bool(found)

"""What no sink takes: a dead letter, in the form and through the ways of `clew.streams`.

Its payload is a batch as a subscription delivers it, with the refused lines of one stream and
nothing else; so the function that failed on them takes it again from ``clew dlq redrive``.
"""

from __future__ import annotations

import gzip
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from clew.capture.record import Arrival, Record
from clew.correlation import current
from clew.invocation import Invocation
from clew.shipping.answers import RefusedError
from clew.shipping.documents import to_json
from clew.shipping.unpack import MAX_UNPACKED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clew.shipping.lines import Line, Origin
    from clew.streams.outbox import Letter
    from clew.streams.policy import DeadLetter

#: Characters of lines that one letter has, before they are compressed.
MAX_LETTER = 1 << 20
SOURCE = "aws:logs"


class RefusedBatch(Record):
    """Lines that were refused, as the event that delivers them; or a batch that is unreadable."""

    __slots__ = ("_names", "_packed")

    def __init__(self, packed: bytes, names: dict[str, str]) -> None:
        super().__init__({"awslogs": {"data": b64encode(packed).decode()}})
        self._packed = packed
        self._names = names
        self.attempts = 1

    def came_with(self) -> Iterable[tuple[object, object]]:
        return ()

    @property
    def payload(self) -> Any:
        return self._packed

    @property
    def data(self) -> bytes:
        return self._packed

    @property
    def position(self) -> dict[str, str]:
        return self._names


def letters_of(refused: list[tuple[Line, str]]) -> list[tuple[RefusedBatch, str, list[Line]]]:
    """The lines of each stream together, with the first reason, and the lines themselves."""
    streams: dict[Origin, list[list[tuple[Line, str]]]] = {}
    sizes: dict[Origin, int] = {}
    for line, reason in refused:
        parts = streams.setdefault(line.origin, [[]])
        size = sizes.get(line.origin, 0) + len(line.message)
        if parts[-1] and size > MAX_LETTER:
            parts.append([])
            size = len(line.message)
        sizes[line.origin] = size
        parts[-1].append((line, reason))
    return [
        (_batch(origin, [line for line, _ in part]), part[0][1], [line for line, _ in part])
        for origin, parts in streams.items()
        for part in parts
    ]


def _batch(origin: Origin, lines: list[Line]) -> RefusedBatch:
    batch = {
        "messageType": "DATA_MESSAGE",
        "owner": origin.owner,
        "logGroup": origin.log_group,
        "logStream": origin.stream,
        "subscriptionFilters": list(origin.filters),
        "logEvents": [
            {"id": line.event_id, "timestamp": line.at_ms, "message": line.message}
            for line in lines
        ],
    }
    names = {
        "logGroup": origin.log_group,
        "logStream": origin.stream,
        "eventId": lines[0].event_id,
        "lines": str(len(lines)),
    }
    return RefusedBatch(gzip.compress(to_json(batch), 5, mtime=0), names)


def unreadable(packed: bytes) -> RefusedBatch:
    """What was delivered and cannot be unpacked, as it came."""
    return RefusedBatch(packed[:MAX_UNPACKED], {})


def write(policy: DeadLetter, batches: list[tuple[RefusedBatch, str]]) -> list[str]:
    """Write letters to the target of ``policy``: why each was not written, or ""."""
    from clew.streams import outbox

    return outbox.write(policy, [_letter(policy, batch, why) for batch, why in batches])


def _letter(policy: DeadLetter, batch: RefusedBatch, why: str) -> Letter:
    from time import time

    from clew.streams.envelope import seal
    from clew.streams.outbox import Letter

    invocation = current().invocation or Invocation(SOURCE, None, None)
    batch.arrival = Arrival(invocation, current().id, 1, 0.0)
    at = time()
    envelope = seal(
        batch,
        SOURCE,
        RefusedError(why),
        invocation=invocation,
        policy=policy,
        first_at=at,
        last_at=at,
    )
    return Letter(envelope, batch.correlation, batch.position.get("logStream", "") or "logs")

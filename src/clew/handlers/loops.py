"""Call chains that go round in a circle are stopped before the user's function runs.

A request, a message or an invocation whose chain is longer than ``CLEW_MAX_CHAIN`` raises
`LoopDetected`: its service gives up after a few attempts, and has a place for what failed. A record
of a stream is skipped instead, whatever ``on_failure`` says: to raise would hold up its shard until
the record expires, and no attempt makes a chain shorter.
"""

from __future__ import annotations

import os

from clew import wire
from clew.capture.record import members
from clew.correlation import use
from clew.errors import LoopDetected
from clew.log.internal import failed, warn_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.capture import Delivery, Record
    from clew.correlation import Correlation

#: Functions that a chain may have, if ``CLEW_MAX_CHAIN`` does not say. Lambda's own detection
#: stops at about 16, for the few services that it knows (Lambda developer guide, "Use Lambda
#: recursive loop detection"); this is for what nobody means to do.
MAX_CHAIN = 50
#: Their event source mappings let nothing past a record that failed.
STREAMS = frozenset(("aws:kinesis", "aws:dynamodb", "aws:kafka", "SelfManagedKafka"))


class Limit:
    """``CLEW_MAX_CHAIN``, as it was when a function was last decorated."""

    __slots__ = ("length", "short")

    def __init__(self) -> None:
        self.read()

    def read(self) -> None:
        """Look how many functions a chain may have; 0 in the environment means any number."""
        wanted = os.environ.get("CLEW_MAX_CHAIN", "").strip()
        self.length = MAX_CHAIN
        if wanted.isdecimal() and wanted.isascii() and len(wanted) <= 6:
            self.length = int(wanted) or 1_000_000
        elif wanted:
            warn_once(
                "max chain", f"CLEW_MAX_CHAIN is no whole number, and taken to be {MAX_CHAIN}"
            )
        #: The lengths of most chains, as they travel: these are let pass at a glance.
        self.short = frozenset(str(length) for length in range(min(self.length, 20) + 1))


limit = Limit()


def stop(delivery: Delivery, records_of: str = "") -> bool:
    """Stop what goes in a circle, and log an ERROR for each; True where nothing else is left.

    Raises `LoopDetected`; records of a stream are left out of ``delivery.records`` instead.
    ``records_of`` names the source whose records the function takes, if it does. Of an event that
    it takes whole nothing can be left out: that is stopped only if all its records go in a circle.
    """
    try:
        if not delivery.records and delivery.correlation[wire.CHAIN] in limit.short:
            return False
        looping = _looping(delivery)
        if not looping:
            return False
        records = [record for record in delivery.records if record in looping]
        left = [record for record in delivery.records if record not in looping]
        skips = (records_of or delivery.source) in STREAMS and bool(records_of or not left)
        stops = LoopDetected(_sentence(looping[0].correlation))
        outcome = "skipped" if skips else "let pass with others" if left else "failed"
        for record in records:
            _log(record.correlation, delivery, outcome, record)
            if skips or not left:
                record.outcome, record.error = outcome, f"LoopDetected: {stops}"
        if not records:
            _log(delivery.correlation, delivery, outcome)
    except Exception:  # noqa: BLE001  (what cannot be told is let pass)
        failed("looking for loops")
        return False
    if skips:
        delivery.records = left
        return not left
    if left:
        return False
    raise stops


def is_looping(record: Record, delivery: Delivery) -> bool:
    """Whether one record goes in a circle, which is logged; for what answers for each itself."""
    try:
        if record.chain_length <= limit.length:
            return False
        _log(record.correlation, delivery, "failed", record)
        record.outcome, record.error = "failed", f"LoopDetected: {_sentence(record.correlation)}"
    except Exception:  # noqa: BLE001  (what cannot be told is let pass)
        failed("looking for loops")
        return False
    return True


def _looping(delivery: Delivery) -> list[Delivery | Record]:
    """What has too long a chain: the records, or the delivery itself where it has none."""
    longest = limit.length
    if not delivery.records:
        return [delivery] if delivery.correlation.chain_length > longest else []
    return [record for record in delivery.records if record.chain_length > longest]


def _sentence(correlation: Correlation) -> str:
    return (
        f"The call chain of {correlation.id} has {correlation.chain_length} functions and seems to "
        f"go in a circle: look who sends to whom, or set CLEW_MAX_CHAIN above {limit.length}."
    )


def _log(
    correlation: Correlation, delivery: Delivery, outcome: str, record: Record | None = None
) -> None:
    """An ERROR under its ids: how long the chain is, whence it came, and what becomes of it."""
    from clew.log.logger import get_logger

    fields: dict[str, Any] = {
        "chainLength": correlation.chain_length,
        "maxChain": limit.length,
        "source": delivery.source,
        "becomes": outcome,
    }
    if record is not None:
        arn = getattr(record, "topic_arn", "") or members(record.raw).get("eventSourceARN")
        fields |= {"from": arn, **record.position}
    with use(correlation):
        get_logger("clew").error("loop detected", extra=fields)

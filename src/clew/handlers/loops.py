"""Call chains that go round in a circle are stopped before the user's function runs.

A message or an invocation whose chain is longer than ``CLEW_MAX_CHAIN`` raises `LoopDetected`: its
service gives up after a few attempts, and has a place for what failed. An HTTP request is answered
with 508 Loop Detected: any stranger can say that its chain is long, and that makes no error of the
function; who called in a circle gets an answer that ends it. A record fails with it, as its
handler's policy has it, without another attempt: none makes a chain shorter. Where that would
return it to a stream, it is skipped instead, as it would hold up its shard until it expires.
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
#: Where an answer with a ``statusCode`` goes to whoever asked.
HTTP = frozenset(
    ("aws:apigateway", "aws:apigatewayv2", "aws:alb", "aws:lambda-url", "aws:apigateway-websocket")
)


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


def stop(delivery: Delivery, *, by_body: bool = False) -> bool:
    """Stop what goes in a circle, and log an ERROR for each; True where there is nothing to do.

    What a request is answered is `answer`'s; else it raises `LoopDetected`. ``by_body`` says that
    the handler answers for each record: they are only noted, in ``delivery.loops``. Of an event
    that a function takes whole nothing can be left out: that is stopped if all its records go in a
    circle.
    """
    error: LoopDetected | None = None
    try:
        if delivery.records:
            found = looping(delivery.records, delivery.source)
            if not found:
                return False
            delivery.loops = found
            if by_body or len(found) < len(delivery.records):
                return False
            skips = delivery.source in STREAMS
            for record, error in found.items():
                record.outcome = "skipped" if skips else "failed"
                record.error = f"LoopDetected: {error}"
            if skips:
                return True
        elif (
            delivery.correlation[wire.CHAIN] not in limit.short
            and delivery.correlation.chain_length > limit.length
        ):
            error = _detected(delivery.correlation, delivery.source)
            if delivery.source in HTTP:
                received = delivery.invocation.received[0]
                received.outcome, received.error = "failed", f"LoopDetected: {error}"
                return True
    except Exception:  # noqa: BLE001  (what cannot be told is let pass)
        failed("looking for loops")
        return False
    if error is not None:
        raise error
    return False


def answer(delivery: Delivery) -> dict[str, Any] | None:
    """What a handler returns whose function was not called: 508 to a request, else nothing."""
    if delivery.source not in HTTP:
        return None
    from clew.handlers.api import wants_all_values, with_id

    all_values = wants_all_values(delivery)
    kind: str | list[str] = "application/json"
    name = "headers"
    if all_values:
        kind, name = ["application/json"], "multiValueHeaders"
    response = {
        "statusCode": 508,  # RFC 5842, "508 Loop Detected"
        name: {"content-type": kind},
        "body": '{"message":"Loop Detected"}',
    }
    answered: dict[str, Any] = with_id(response, delivery.correlation.id, all_values=all_values)
    return answered


def looping(records: list[Record], source: str) -> dict[Record, LoopDetected]:
    """Those of ``records`` that go in a circle, and the error of each, which is logged."""
    from clew.capture.several import longest_chain

    longest = limit.length
    if longest_chain(records) <= longest:
        return {}
    found = [record for record in records if record.chain_length > longest]
    return {record: _detected(record.correlation, source, record) for record in found}


def _detected(correlation: Correlation, source: str, record: Record | None = None) -> LoopDetected:
    """The error; and an ERROR in the log under its ids: how long the chain is, whence it came."""
    from clew.log.logger import get_logger

    fields: dict[str, Any] = {
        "chainLength": correlation.chain_length,
        "maxChain": limit.length,
        "source": source,
    }
    if record is not None:
        arn = getattr(record, "topic_arn", "") or members(record.raw).get("eventSourceARN")
        fields |= {"from": arn, **record.position}
    with use(correlation):
        get_logger("clew").error("loop detected", extra=fields)
    return LoopDetected(
        f"The call chain of {correlation.id} has {correlation.chain_length} functions and seems to "
        f"go in a circle: look who sends to whom, or set CLEW_MAX_CHAIN above {limit.length}."
    )

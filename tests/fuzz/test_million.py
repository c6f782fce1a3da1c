"""A million broken events and headers through capture, handlers and log: bounded and seeded.

``make fuzz`` runs a million; the normal tests a few thousand of the same, always the same ones.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import sys
from typing import TYPE_CHECKING, Any

import pytest

import clew
from capture.events import FIELDS, Context, http_api, kinesis, rest_api, sns
from capture.sources.samples import SAMPLES
from clew import wire

from .mutate import mutated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FUZZ = os.environ.get("CLEW_FUZZ") == "1"
EVENTS = 1_000_000 if FUZZ else 4_000
#: Lines are checked, and what was written is let go, after so many events.
CHUNK = 500
pytestmark = pytest.mark.timeout(3_000 if FUZZ else 60)

log = clew.get_logger("tests.fuzz")


def seeds() -> list[Any]:
    """An event of every source with ids, without, and as it is."""
    made = [rest_api(FIELDS), http_api(FIELDS), kinesis(), sns()]
    made += [sample.make(fields) for sample in SAMPLES.values() for fields in (FIELDS, None)]
    return [json.loads(json.dumps(event)) for event in made]


def each(record: Any) -> None:
    """What a user's function may do with a record."""
    log.info("seen", extra={"payload": record.payload, "position": record.position})
    clew.bind(seen=record.payload)


def whole(event: Any, _context: Any) -> Any:
    """What a user's function may do with an event; every seventh fails."""
    log.info("event %s", type(event).__name__, extra=event if isinstance(event, dict) else {})
    log.debug("held", extra={"event": event})
    for record in clew.capture(event).records:
        with clew.use(record.correlation):
            record.logger.info("record")
    headers = clew.current().outgoing("b" * 16)
    assert all(wire.is_value(value, wire.MAX_TOTAL) for value in headers.values())
    if len(str(event)) % 7 == 0:
        raise _Expected
    return event


class _Expected(Exception):
    pass


HANDLERS: tuple[Callable[[Any, Any], Any], ...] = (
    clew.handler(whole),
    clew.api_handler(debug_sample_rate=0.1)(whole),
    clew.kinesis_handler(on_failure=clew.skip())(each),
    clew.sns_handler(each),
    clew.sqs_handler(on_failure=clew.skip())(each),
    clew.dynamodb_handler(on_failure=clew.skip())(each),
)


@contextlib.contextmanager
def _written() -> Iterator[io.StringIO]:
    before, sys.stdout = sys.stdout, io.StringIO()
    try:
        yield sys.stdout
    finally:
        sys.stdout = before


def test_no_broken_event_breaks_a_handler_or_a_line() -> None:
    dice = random.Random(20_26)
    samples = seeds()
    done = lines = 0
    while done < EVENTS:
        with _written() as stdout:
            for number in range(CHUNK):
                event = mutated(dice.choice(samples), dice)
                handler = HANDLERS[number % len(HANDLERS)]
                with contextlib.suppress(_Expected, clew.LoopDetected):
                    handler(event, Context())
            done += CHUNK
        for line in stdout.getvalue().split("\n")[:-1]:
            found = json.loads(line)
            assert line.isascii()
            assert {"timestamp", "level", "message", "logger"} <= found.keys()
            lines += 1
    print(f"{done:,} broken events, {lines:,} lines, no exception")
    assert lines > done

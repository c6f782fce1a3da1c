"""A Kinesis event of 1,000 records, one at a time, each with its own correlation in force."""

from __future__ import annotations

import importlib.util
from typing import Any

from benchmarks.measure import Result, in_fresh_process, result

_CODE = """
import json, sys
if sys.argv[1] == "with":
    import orjson  # as a function does that uses it: clew never imports it by itself
else:
    sys.modules["orjson"] = None
from benchmarks.kinesis_records import measure
print(json.dumps(measure(sys.argv[2] == "line")))
"""


def run() -> list[Result]:
    """With and without orjson at hand, and with one INFO line a record."""
    assert importlib.util.find_spec("orjson") is not None
    plain = in_fresh_process(_CODE, "without", "none")
    quick = in_fresh_process(_CODE, "with", "none")
    line = in_fresh_process(_CODE, "without", "line")
    peer = "aws-lambda-powertools"
    return [
        result(
            "1,000 Kinesis records, each with its own correlation (theirs: with none)",
            plain,
            peer=peer,
            target=1.0,
        ),
        result("the same with orjson at hand", quick, peer=peer, target=0.6),
        result(
            "the same with one INFO line a record (theirs: append_context_keys)",
            line,
            peer=peer,
            target=0.35,
        ),
    ]


def measure(with_line: bool) -> tuple[float, float, float]:
    """(ours, peer, ratio) in microseconds a record."""
    from aws_lambda_powertools import Logger
    from aws_lambda_powertools.utilities.batch import (
        BatchProcessor,
        EventType,
        process_partial_response,
    )

    import clew
    from benchmarks.lines import Context, keep_apart, kinesis_event, to_nowhere
    from benchmarks.measure import compare

    records = 1000
    event = kinesis_event(records, with_context=True)
    context = Context()
    with to_nowhere() as nowhere:
        log = clew.get_logger("benchmark")
        logger = Logger(service="timeline", stream=nowhere)
        keep_apart("timeline")
        processor = BatchProcessor(event_type=EventType.KinesisDataStreams)

        def each(record: Any) -> None:
            post = record.payload["post"]
            if with_line:
                log.info("delivered", extra={"post": post})

        def their_each(record: Any) -> None:
            data = record.kinesis.data_as_json()
            if with_line:
                found = data["__context"]
                with logger.append_context_keys(
                    correlation_id=found["x-correlation-id"],
                    user_id=found["x-correlation-user-id"],
                ):
                    logger.info("delivered", extra={"post": data["post"]})

        ours = clew.kinesis_handler(on_failure=clew.halt())(each)
        measured = compare(
            lambda: ours(event, context),
            lambda: process_partial_response(event, their_each, processor, context),
            times=2 if with_line else 10,
            rounds=11,
        )
    return measured[0] / records, measured[1] / records, measured[2]

"""Every handler of batches takes every event, however broken."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import clew
from broken import events
from log.lines import invocation, logged, warnings

from .making import (
    Context,
)

HANDLERS: dict[str, Any] = {
    "kinesis": clew.kinesis_handler,
    "dynamodb": clew.dynamodb_handler,
    "sqs": clew.sqs_handler,
    "kafka": clew.kafka_handler,
    "sns": clew.sns_handler,
    "retry": clew.retry_handler,
}


@pytest.mark.parametrize("how", ["one at a time", "lanes", "async"])
@pytest.mark.parametrize("kind", list(HANDLERS))
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(came=events(), fails=st.booleans())
def test_any_handler_takes_any_event(kind: str, how: str, came: Any, fails: bool) -> None:
    seen: list[Any] = []

    def each(record: Any) -> None:
        seen.append(record)
        if fails:
            raise KeyError

    async def each_async(record: Any) -> None:
        each(record)

    lanes = {"lanes": 2} if how == "lanes" and kind != "sns" else {}
    handler = HANDLERS[kind](on_failure=clew.skip(), **lanes)(
        each_async if how == "async" else each
    )
    with logged() as lines:
        handler(came, Context())
    wide = invocation(lines)
    assert wide["outcome"] == "ok"
    told = [one["outcome"] for one in wide["received"]]
    assert set(told) <= {"done", "skipped"}, "nothing is returned, and nothing breaks"
    if kind != "retry":
        assert len(seen) == len([one for one in wide["received"] if one["attempts"]])
    assert not [line for line in warnings(lines) if "clew failed" in line["message"]]

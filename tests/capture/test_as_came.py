"""What is told of contexts at a glance is what their check finds, or nothing is told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clew import payload, wire
from clew.capture.as_came import line_of, receive_as_came, told_by
from clew.capture.receive import receive
from clew.correlation import Correlation
from clew.invocation import Invocation

from .contexts import contexts
from .events import FIELDS, Context

SPAN = "00000000000000ab"
ANY = st.one_of(contexts(), st.none(), st.integers(), st.lists(st.text(max_size=3), max_size=2))


def members(correlation: Correlation) -> dict[str, Any]:
    return {
        name: getattr(correlation, name)
        for name in Correlation.__slots__
        if name not in ("_source", "_json", "invocation")
    }


@given(context=contexts(), told=st.booleans())
@example(context=FIELDS, told=True)
@example(context={**FIELDS, "x-correlation-order": "7"}, told=False)
@example(context={"traceparent": FIELDS["traceparent"], **FIELDS}, told=False)
@example(context={**FIELDS, "x-correlation-a": '"'}, told=False)
@example(context={**FIELDS, "x-correlation-a": " a"}, told=False)
@example(context={**FIELDS, "user-agent": "a "}, told=False)
@example(context={**FIELDS, "x-correlation-a": ""}, told=False)
@example(context={**FIELDS, **{f"x-correlation-{n}": "a" for n in range(31)}}, told=False)
@example(context={**FIELDS, **{f"x-correlation-{n}": "a" * 200 for n in range(20)}}, told=False)
def test_a_receive_at_a_glance_is_a_receive(context: dict[str, Any], told: bool) -> None:
    invocation = Invocation("aws:kinesis", None, Context())
    seen = Correlation({})
    is_told = told and told_by([context]) is not None
    if not receive_as_came(context, invocation, SPAN, seen, is_told=is_told):
        assert line_of(context, SPAN, "", is_told=is_told) is None
        return
    inbound = wire.check(payload.pairs(context))
    checked = receive(inbound, "its own id", invocation, span_id=SPAN)
    assert members(seen) == members(checked)
    assert list(seen) == list(checked), "the fields stand in the same order"
    assert seen.as_json() == checked.as_json()
    assert line_of(context, SPAN, seen.xray_trace_id, is_told=is_told) == checked.as_json()
    assert inbound.dropped == 0, "what is dropped is counted, which needs the check"


def test_what_clew_sends_is_received_at_a_glance() -> None:
    invocation = Invocation("aws:kinesis", None, Context())
    for more in ({}, {"x-correlation-order": "7"}, {"call-chain-length": "49"}):
        assert receive_as_came({**FIELDS, **more}, invocation, SPAN, Correlation({}))
    without_agent = {name: value for name, value in FIELDS.items() if name != "user-agent"}
    assert receive_as_came(without_agent, invocation, SPAN, Correlation({}))


@pytest.mark.parametrize(
    "more",
    [{"debug-log-enabled": "true"}, {"tracestate": "a=1"}, {"baggage": "a=1"}, {"User-Agent": "b"}],
)
def test_what_may_count_for_more_is_left_to_the_check(more: dict[str, str]) -> None:
    invocation = Invocation("aws:kinesis", None, Context())
    assert not receive_as_came({**FIELDS, **more}, invocation, SPAN, Correlation({}))


@given(st.lists(ANY, min_size=1, max_size=4))
@example([FIELDS, {**FIELDS, "x-correlation-id": "b", "tracestate": "a=1"}])
@example([{**FIELDS, "X-CORRELATION-ID": "b"}])
@example([{**FIELDS, "x-correlation-id": " b"}])
@example([{**FIELDS, "tracestate": "clew=00f067aa0ba902b7-00f067aa0ba902b7"}])
@example([{**FIELDS, "tracestate": f"clew=00f067aa0ba902b7-{FIELDS['traceparent'][36:52]}"}])
def test_what_is_told_is_what_the_check_finds(found: list[Any]) -> None:
    told = told_by(found)
    if told is None:
        return
    for context, own_id, traceparent in zip(found, told.ids, told.traceparents, strict=True):
        inbound = wire.check(payload.pairs(context))
        assert inbound.fields[wire.ID] == own_id
        parts = (inbound.trace_id, inbound.parent_span_id, inbound.trace_flags)
        assert f"00-{'-'.join(parts)}" == traceparent


def test_it_is_told_of_all_that_clew_sends() -> None:
    found = [{**FIELDS, "x-correlation-id": str(number)} for number in range(100)]
    told = told_by(found)
    assert told is not None
    assert told.ids == [str(number) for number in range(100)]
    assert told.traceparents == [FIELDS["traceparent"]] * 100
    assert told_by([*found, {}]) is None


def test_shapes_of_any_number_take_no_memory() -> None:
    from clew.capture import as_came

    for number in range(1000):
        as_came.fields_of({**FIELDS, f"x-correlation-{number}": "a"}, is_told=False)
    assert len(as_came._shapes) <= 64

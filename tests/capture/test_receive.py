"""What the first function decides: the id, the trace, DEBUG, the length of the chain."""

from __future__ import annotations

import os

import pytest

from clew import wire
from clew.capture.receive import fallback_id, receive, sampled

from .events import TRACE_ID, TRACEPARENT, XRAY_HEADER, XRAY_ROOT


def test_an_id_of_ones_own_only_where_none_came() -> None:
    assert receive(wire.check([]), "own", None).id == "own"
    assert receive(wire.check([("x-correlation-id", "came")]), "own", None).id == "came"


@pytest.mark.parametrize("edge_id", ["", "\x00", "naïve", "i" * 249])
def test_an_edge_id_that_may_not_travel_is_replaced(edge_id: str) -> None:
    one, two = fallback_id(edge_id), fallback_id(edge_id)
    assert len(one) == len(two) == 32
    assert one != two


def test_records_of_a_batch_are_told_apart() -> None:
    assert fallback_id("edge") == "edge"
    assert fallback_id("edge", 0) == "edge-0"
    assert wire.is_value(fallback_id("i" * 248, 9_999_999))


@pytest.mark.parametrize(("came", "now"), [(None, "1"), ("1", "2"), ("41", "42"), ("9999", "9999")])
def test_the_chain_gets_longer_by_one(came: str | None, now: str) -> None:
    pairs = [] if came is None else [("call-chain-length", came)]
    assert receive(wire.check(pairs), "own", None)["call-chain-length"] == now


def test_the_trace_comes_from_the_sender_else_from_xray_else_is_random(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nothing = receive(wire.check([]), "own", None)
    assert (len(nothing.trace_id), nothing.trace_flags, nothing.xray_trace_id) == (32, "01", "")
    assert nothing.trace_id != receive(wire.check([]), "own", None).trace_id

    monkeypatch.setenv("_X_AMZN_TRACE_ID", XRAY_HEADER.replace("Sampled=1", "Sampled=0"))
    from_xray = receive(wire.check([]), "own", None)
    assert from_xray.trace_id == XRAY_ROOT.removeprefix("1-").replace("-", "")
    assert (from_xray.trace_flags, from_xray.xray_trace_id) == ("00", XRAY_ROOT)

    from_sender = receive(wire.check([("traceparent", TRACEPARENT)]), "own", None)
    assert from_sender.trace_id == TRACE_ID
    assert (from_sender.trace_flags, from_sender.xray_trace_id) == ("01", XRAY_ROOT)


@pytest.mark.parametrize(
    ("rate", "drawn", "on"),
    [
        (0.0, 0, False),
        (0.05, 0, True),
        (0.05, int(0.05 * 2**32), True),
        (0.05, int(0.05 * 2**32) + 1, False),
        (0.5, 2**31 - 1, True),
        (0.5, 2**31, False),
        (1.0, 2**32 - 1, True),
    ],
)
def test_the_share_of_draws_that_are_on(
    monkeypatch: pytest.MonkeyPatch,
    rate: float,
    drawn: int,
    on: bool,
) -> None:
    monkeypatch.setattr(os, "urandom", lambda size: drawn.to_bytes(size, "big"))
    assert sampled(rate) is on


@pytest.mark.parametrize("decision", ["true", "false"])
def test_a_decision_that_came_in_is_kept(decision: str) -> None:
    came = wire.check([("debug-log-enabled", decision.upper())])
    for rate in (0.0, 1.0):
        assert receive(came, "own", None, rate)["debug-log-enabled"] == decision

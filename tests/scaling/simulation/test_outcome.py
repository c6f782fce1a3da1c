"""What a run comes to, in parts, hours and dollars."""

from __future__ import annotations

import numpy as np
import pytest

from clew.scaling import Prices
from clew.scaling.simulation import Outcome, Trace


def outcome(**more: object) -> Outcome:
    trace = Trace(np.full(60, 1024.0 * 100), np.full(60, 100.0))
    given: dict[str, object] = {
        "name": "it",
        "trace": trace,
        "demand": np.full(60, 2.0),
        "open_shards": np.full(60, 2.0),
        "accepted": np.full(60, 2.0),
        "refused_new": np.zeros(60),
        "lost": 0.0,
        "waited_minutes": 0,
        "closed": 3,
        "retention_h": 24.0,
    }
    return Outcome(**(given | more))  # type: ignore[arg-type]


def test_shares_are_of_all_that_was_sent() -> None:
    refused = np.zeros(60)
    refused[[3, 4, 9]] = [1.0, 1.0, 4.0]
    found = outcome(refused_new=refused, lost=1.2)
    assert found.throttled == pytest.approx(6 / 120)
    assert found.lost_share == pytest.approx(0.01)
    assert found.throttled_minutes == 3
    assert found.relief_minutes == 1.5  # two minutes, and one


def test_without_load_nothing_is_refused() -> None:
    found = outcome(demand=np.zeros(60))
    assert (found.throttled, found.lost_share, found.relief_minutes) == (0.0, 0.0, 0.0)


def test_closed_shards_cost_what_their_rate_says() -> None:
    found = outcome()
    assert found.shard_hours == 2.0
    assert found.closed_shard_hours == 72.0
    payload = 60 * 60 * 100 / 1e6 * 0.014
    assert found.usd(Prices()) == pytest.approx(2 * 0.015 + payload)
    billed = Prices().with_closed_shards_at(0.5)
    assert found.usd(billed) == pytest.approx((2 + 36) * 0.015 + payload)


def test_records_above_25_kilobytes_take_several_payload_units() -> None:
    large = Trace(np.full(60, 26_000.0), np.ones(60))
    assert outcome(trace=large, closed=0).usd(Prices()) == pytest.approx(
        2 * 0.015 + 2 * 3600 / 1e6 * 0.014
    )


def test_nobody_is_cheaper_for_losing_records() -> None:
    assert outcome(lost=60.0).usd(Prices()) == outcome().usd(Prices())


def test_on_demand_has_no_shard_hours_to_pay() -> None:
    found = outcome(on_demand=True)
    written = 360_000 * 1024 / 1024**3
    assert found.usd(Prices()) == pytest.approx(0.04 + written * (0.08 + 0.04))

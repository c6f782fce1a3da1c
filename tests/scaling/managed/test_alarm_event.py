"""Alarms, whatever form they come in: which stream, what of it, how much."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.scaling.managed.alarm_event import AlarmEvent, read_alarm, stream_in

from .alarm_payloads import (
    BYTES_REASON,
    composite,
    message,
    metric_math,
    one_metric,
    straight_to_the_function,
    through_event_bridge,
    through_sns,
)


def read(event: object) -> AlarmEvent:
    found = read_alarm(event)
    assert isinstance(found, AlarmEvent), found
    return found


@pytest.mark.parametrize(
    "event",
    [
        through_sns(message("full", one_metric("IncomingBytes", "orders"))),
        through_event_bridge("full", "IncomingBytes", "orders"),
        straight_to_the_function("full", "IncomingBytes", "orders"),
    ],
    ids=["sns", "event bridge", "function"],
)
def test_every_way_says_the_same(event: dict[str, Any]) -> None:
    found = read(event)
    assert (found.name, found.stream, found.shard) == ("full", "orders", "")
    assert (found.metric, found.period_s, found.measured) == ("IncomingBytes", 60, 56623104.0)
    assert found.per_second == 943718.4
    assert found.state == "ALARM"
    assert found.reason == BYTES_REASON
    assert found.key == "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:full@1795600951.482"
    assert not found.of_reading


def test_an_alarm_on_metric_math_has_its_stream_in_its_metrics() -> None:
    found = read(through_sns(message("full", metric_math("orders"))))
    assert (found.stream, found.metric) == ("orders", "metric math")
    assert found.per_second is None  # of what the expression made there is no telling


def test_an_alarm_on_one_shard_says_which() -> None:
    shard = "shardId-000000000003"
    sns = read(through_sns(message("hot", one_metric("IncomingBytes", "orders", shard))))
    bridge = read(through_event_bridge("hot", "IncomingBytes", "orders", shard))
    assert (sns.stream, sns.shard) == (bridge.stream, bridge.shard) == ("orders", shard)
    assert str(sns) == f"the alarm hot (IncomingBytes of {shard})"


def test_a_composite_alarm_has_its_stream_in_its_name_or_not_at_all() -> None:
    assert read(composite("clew/orders/all")).stream == "orders"
    assert read(composite("orders-need-shards")).stream == ""
    sns = message("clew/orders/all", {}) | {"AlarmRule": 'ALARM("bytes")'}
    del sns["Trigger"]
    assert read(through_sns(sns)).stream == "orders"


def test_an_iterator_age_is_about_those_who_read() -> None:
    age = one_metric("GetRecords.IteratorAgeMilliseconds", "orders", Statistic="MAXIMUM")
    found = read(through_sns(message("late", age)))
    assert found.of_reading
    assert found.per_second is None


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ({}, "This event is no CloudWatch alarm, and was left alone."),
        (None, "This event is no CloudWatch alarm, and was left alone."),
        ({"Records": []}, "This event is no CloudWatch alarm, and was left alone."),
        (
            through_sns(message("full", one_metric("IncomingBytes", "orders"), state="OK")),
            "The alarm full went to OK: there is nothing to do.",
        ),
        (
            through_sns(
                message(
                    "cpu",
                    one_metric("CPUUtilization", "i-1", Namespace="AWS/EC2"),
                )
            ),
            "The alarm cpu is on no Kinesis stream, and was left alone.",
        ),
        (
            through_sns(message("all", metric_math("orders", "parcels"))),
            "The alarm all is on several streams (orders, parcels), and was left alone.",
        ),
    ],
)
def test_what_is_none_of_its_business_is_left_alone(event: object, why: str) -> None:
    assert read_alarm(event) == why


def test_the_latest_of_several_datapoints_counts() -> None:
    reason = (
        "Threshold Crossed: 2 out of the last 3 datapoints [7200.0 (25/11/26 10:05:00), 6900.0"
        " (25/11/26 10:04:00)] were greater than the threshold (6000.0)."
    )
    trigger = one_metric("IncomingRecords", "orders")
    found = read(through_sns(message("full", trigger, reason=reason)))
    assert found.per_second == 120.0


def test_the_same_change_has_the_same_key_and_another_has_not() -> None:
    trigger = one_metric("IncomingBytes", "orders")
    first, again, later = (
        read(through_sns(message("full", trigger, changed=changed)))
        for changed in (
            "2026-11-25T10:02:31.482+0000",
            "2026-11-25T10:02:31.482+0000",
            "2026-11-25T10:07:31.482+0000",
        )
    )
    assert first.key == again.key
    assert first.key != later.key


def test_the_name_of_an_alarm_of_clew_names_its_stream() -> None:
    assert stream_in("clew/orders/shardId-000000000001/bytes") == "orders"
    assert stream_in("clewless/orders") == ""


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["Dimensions", "Metrics", "Period", "MetricName"]), json_values)
)
def test_a_broken_trigger_is_no_crash(trigger: dict[str, Any]) -> None:
    found = read_alarm(through_sns(message("full", trigger)))
    assert isinstance(found, str | AlarmEvent)


@pytest.mark.parametrize("period", [float("inf"), float("nan"), -60, 10**12, "60", [1], None])
def test_a_period_that_makes_no_sense_is_no_period(period: Any) -> None:
    trigger = one_metric("IncomingBytes", "orders") | {"Period": period}
    found = read_alarm(through_sns(message("full", trigger)))
    assert isinstance(found, AlarmEvent)
    assert (found.stream, found.period_s, found.per_second) == ("orders", 0, None)

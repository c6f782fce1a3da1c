"""A stream's history from the CloudWatch of the local cloud."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from clew.localcloud import LocalCloud
from clew.scaling import ScalingError
from clew.scaling.simulation.cloudwatch import METRICS, Today, live, today

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.local_cloud


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    """One that tells CloudWatch of its streams all the time, and whose failures are no others'."""
    with LocalCloud.start(name="history", metrics_period_s=0.2) as running:
        yield running


@pytest.fixture
def stream(cloud: LocalCloud) -> Iterator[str]:
    name = f"history-{uuid.uuid4().hex[:10]}"
    kinesis = cloud.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=3)
    kinesis.get_waiter("stream_exists").wait(StreamName=name)
    yield name
    kinesis.delete_stream(StreamName=name)


def put(cloud: LocalCloud, stream: str, metric: str, values: dict[int, float]) -> None:
    """Sums of minutes, by when they began."""
    data = [
        {
            "MetricName": metric,
            "Dimensions": [{"Name": "StreamName", "Value": stream}],
            "Timestamp": datetime.fromtimestamp(at, UTC),
            "Value": value,
        }
        for at, value in values.items()
    ]
    for first in range(0, len(data), 500):
        cloud.client("cloudwatch").put_metric_data(
            Namespace="AWS/Kinesis", MetricData=data[first : first + 500]
        )


def whole_minute(minutes_ago: int = 0) -> int:
    return int(time.time()) // 60 * 60 - 60 * minutes_ago


def test_demand_is_what_was_accepted_and_what_was_refused(cloud: LocalCloud, stream: str) -> None:
    first = whole_minute(minutes_ago=70)
    at = [first + 60 * n for n in range(70)]
    put(cloud, stream, "IncomingBytes", dict.fromkeys(at, 6000.0))
    put(cloud, stream, "IncomingRecords", dict.fromkeys(at, 60.0))
    put(cloud, stream, "WriteProvisionedThroughputExceeded", {at[5]: 30.0})
    history = live(cloud.session(), stream, 2 * 3600)
    trace = history.trace
    expected = np.ones(70)
    expected[5] = 1.5
    assert trace.start_s == first
    assert trace.records_per_s[:70] == pytest.approx(expected)
    assert trace.bytes_per_s[:70] == pytest.approx(100 * expected)
    assert trace.name == stream
    assert history.refused == 30
    assert history.sized


def test_minutes_without_a_word_had_nothing_until_now(cloud: LocalCloud, stream: str) -> None:
    first = whole_minute(minutes_ago=90)
    put(cloud, stream, "IncomingBytes", {first: 60.0, first + 60: 60.0})
    history = live(cloud.session(), stream, 2 * 3600, now_s=first + 90 * 60 + 5)
    assert history.trace.bytes_per_s[:3] == pytest.approx([1, 1, 0])
    assert len(history.trace) == 90
    assert history.missing == 87


def test_what_the_meter_tells_of_real_records(
    cloud: LocalCloud, stream: str, until: Callable[..., Any]
) -> None:
    now = whole_minute()
    put(cloud, stream, "IncomingBytes", {now - 3600: 60.0})
    put(cloud, stream, "IncomingRecords", {now - 3600: 1.0})
    records = [{"Data": b"x" * 100, "PartitionKey": f"{n:02}"} for n in range(30)]
    cloud.client("kinesis").put_records(StreamName=stream, Records=records)

    def counted() -> Any:
        history = live(cloud.session(), stream, 7200, now_s=time.time() + 60)
        return history.trace if history.trace.records > 30.5 else None

    trace = until(counted, "the meter has told of 30 records")
    assert trace.records == pytest.approx(31)
    assert trace.bytes_per_s.sum() * 60 == pytest.approx(60 + 30 * 102)


def test_what_the_stream_is_today(cloud: LocalCloud, stream: str) -> None:
    assert today(cloud.session(), stream) == Today("provisioned", 3, 24.0)


def test_a_stream_that_is_not_there(cloud: LocalCloud) -> None:
    with pytest.raises(ScalingError, match="There is no stream no-such-stream; see its name"):
        today(cloud.session(), "no-such-stream")


def test_a_name_that_no_stream_can_have(cloud: LocalCloud) -> None:
    with pytest.raises(ScalingError) as raised:
        today(cloud.session(), "\x1b[31mred\nand more")
    assert "\x1b" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_stream_without_metrics(cloud: LocalCloud, stream: str) -> None:
    said = rf"The stream {stream} has no metrics in the last 336 h in {cloud.region}"
    with pytest.raises(ScalingError, match=said):
        live(cloud.session(), stream)


@pytest.mark.parametrize(
    ("since_s", "said"),
    [(600, "too little to judge by"), (500 * 86_400, "keeps metrics for 455 days, and 500")],
)
def test_times_that_make_no_sense(cloud: LocalCloud, since_s: float, said: str) -> None:
    with pytest.raises(ScalingError, match=said):
        live(cloud.session(), "any", since_s)


@pytest.mark.parametrize(
    ("service", "operation", "error", "said"),
    [
        ("kinesis", "DescribeStreamSummary", "AccessDeniedException",
         "allow kinesis:DescribeStreamSummary"),
        ("cloudwatch", "GetMetricData", "AccessDeniedException", "allow cloudwatch:GetMetricData"),
        ("cloudwatch", "GetMetricData", "ExpiredTokenException", "does not take these credentials"),
    ],
)  # fmt: skip
def test_missing_permissions(
    cloud: LocalCloud, stream: str, service: str, operation: str, error: str, said: str
) -> None:
    with (
        cloud.faults.during(service, operation, error=error),
        pytest.raises(ScalingError, match=said) as raised,
    ):
        today(cloud.session(), stream)
        live(cloud.session(), stream)
    assert f"The stream {stream}" in str(raised.value)


def test_the_metrics_are_those_that_kinesis_has() -> None:
    assert len({name.lower() for name in METRICS}) == 3

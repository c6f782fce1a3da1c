"""A stream's history from CloudWatch, and what the stream is today."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from clew.scaling.model import ScalingError
from clew.scaling.simulation.history import History, of_points
from clew.scaling.simulation.history_json import of_results
from clew.scaling.words import duration
from clew.stories.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable

#: "Monitoring the Amazon Kinesis Data Streams Service with Amazon CloudWatch": sums, each minute.
METRICS = ("IncomingBytes", "IncomingRecords", "WriteProvisionedThroughputExceeded")

#: How long CloudWatch keeps sums of which length (GetMetricStatistics): days, seconds.
_KEPT = ((15, 60), (63, 300), (455, 3600))
_DAY_S = 86_400
#: What one answer holds, of all metrics together; more comes in pages.
_MOST_POINTS = 100_800

_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
_OTHER_KEYS = ("UnrecognizedClientException", "InvalidClientTokenId", "ExpiredToken",
               "ExpiredTokenException", "InvalidSignatureException")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Today:
    """What a stream is now."""

    mode: str  # "provisioned" or "on-demand"
    shards: int  # open ones
    retention_h: float = 24.0


def today(session: Any, stream: str) -> Today:
    """What a stream is now, from DescribeStreamSummary.

    Raises:
        ScalingError: There is no such stream, or it may not be asked.
    """
    answer = _asked(
        "kinesis:DescribeStreamSummary",
        stream,
        lambda: session.client("kinesis").describe_stream_summary(StreamName=stream),
    )
    found = answer["StreamDescriptionSummary"]
    mode = found.get("StreamModeDetails", {}).get("StreamMode", "PROVISIONED")
    return Today(
        "on-demand" if mode == "ON_DEMAND" else "provisioned",
        int(found["OpenShardCount"]),
        float(found.get("RetentionPeriodHours", 24)),
    )


def live(
    session: Any,
    stream: str,
    since_s: float = 14 * _DAY_S,
    *,
    now_s: float | None = None,
    record_bytes: float = 1024,
    seed: int = 7,
) -> History:
    """What a stream was asked for in the last ``since_s``, as CloudWatch has it.

    Minutes for up to 15 days, then what CloudWatch keeps: 5 minutes for 63 days, hours for 455.

    Raises:
        ScalingError: There is nothing, or it may not be read.
    """
    end = time.time() if now_s is None else now_s
    period = next((s for days, s in _KEPT if since_s <= days * _DAY_S), 0)
    if not period:
        raise ScalingError(
            f"CloudWatch keeps metrics for {_KEPT[-1][0]} days, and {since_s / _DAY_S:,.0f} were"
            " asked for; give a shorter --since."
        )
    if since_s < 3600:
        raise ScalingError(
            f"The last {duration(since_s)} are too little to judge by; give a --since of at least"
            " 1h."
        )
    # The minute that is under way is not whole, and neither is the first, if it is cut off.
    upto = end // period * period
    first = upto - (since_s + period - 1) // period * period
    results = _asked(
        "cloudwatch:GetMetricData", stream, lambda: _read(session, stream, first, upto, period)
    )
    name = visible(stream)
    source = f"The stream {name}"
    found = {one["Id"]: one for one in results}
    if not any(found[name.lower()]["Values"] for name in METRICS[:2]):
        raise ScalingError(
            f"The stream {name} has no metrics in the last {duration(since_s)}"
            f"{_where(session)}: nothing was put into it, or it is too new; try again later, or a"
            " longer --since."
        )
    if not any(upto - period == at.timestamp() for at in found["incomingbytes"]["Timestamps"]):
        # Kinesis says nothing of a minute without records: up to now there were none.
        found["incomingbytes"]["Timestamps"].append(datetime.fromtimestamp(upto - period, UTC))
        found["incomingbytes"]["Values"].append(0.0)
    points = replace(of_results(results, source), step_s=float(period))
    return of_points(points, source, stream, record_bytes=record_bytes, seed=seed)


def _read(
    session: Any, stream: str, first: float, upto: float, period: int
) -> list[dict[str, Any]]:
    """The results of all pages, each metric's put together."""
    found: dict[str, dict[str, Any]] = {
        name.lower(): {"Id": name.lower(), "Label": name, "Timestamps": [], "Values": []}
        for name in METRICS
    }
    pages = session.client("cloudwatch").get_paginator("get_metric_data").paginate(
        MetricDataQueries=[
            {
                "Id": name.lower(),
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/Kinesis",
                        "MetricName": name,
                        "Dimensions": [{"Name": "StreamName", "Value": stream}],
                    },
                    "Period": period,
                    "Stat": "Sum",
                },
            }
            for name in METRICS
        ],
        StartTime=datetime.fromtimestamp(first, UTC),
        EndTime=datetime.fromtimestamp(upto, UTC),
        ScanBy="TimestampAscending",
        PaginationConfig={"PageSize": _MOST_POINTS},
    )  # fmt: skip
    for page in pages:
        for one in page["MetricDataResults"]:
            if one["StatusCode"] not in ("Complete", "PartialData"):
                raise ScalingError(
                    f"CloudWatch did not give {one['Label']} of the stream {stream}"
                    f" ({one['StatusCode']}); try again."
                )
            found[one["Id"]]["Timestamps"] += one["Timestamps"]
            found[one["Id"]]["Values"] += one["Values"]
    return list(found.values())


def _asked(action: str, stream: str, ask: Callable[[], Any]) -> Any:
    """What a call answers, or what went wrong with it in a sentence."""
    name = visible(stream)
    try:
        return ask()
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code == "ResourceNotFoundException":
            raise ScalingError(
                f"There is no stream {name}; see its name, the region and the profile."
            ) from error
        if code in _DENIED:
            raise ScalingError(
                f"The stream {name} may not be read with these credentials: allow {action}."
            ) from error
        if code in _OTHER_KEYS:
            raise ScalingError(
                f"The stream {name} cannot be read: AWS does not take these credentials ({code})."
            ) from error
        said = error.response.get("Error", {}).get("Message", code)
        raise ScalingError(f"The stream {name} cannot be read ({action}): {_line(said)}") from error
    except BotoCoreError as error:
        raise ScalingError(
            f"The stream {name} cannot be read ({action}): {_line(error)}"
        ) from error


def _line(said: object) -> str:
    return visible(" ".join(str(said).split()))


def _where(session: Any) -> str:
    return f" in {session.region_name}" if session.region_name else ""

"""Metrics of a batch as one line in CloudWatch's embedded metric format.

Off unless ``CLEW_METRICS`` names a namespace. CloudWatch Logs makes metrics of such lines by itself
(CloudWatch user guide, "Specification: Embedded metric format").
"""

from __future__ import annotations

import os
import time

from clew.log.internal import failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clew.capture import Delivery
    from clew.streams.batch import Batch

#: The metrics and their units, as the reference has them.
UNITS = {
    "RecordsDone": "Count",
    "RecordsSkipped": "Count",
    "RecordsDeadLettered": "Count",
    "RecordsReturned": "Count",
    "Retries": "Count",
    "Repeats": "Count",
    "IteratorAge": "Milliseconds",
    "HandlerTime": "Milliseconds",
    "LaneUse": "Percent",
}
_OUTCOMES = {
    "done": "RecordsDone",
    "skipped": "RecordsSkipped",
    "dead-lettered": "RecordsDeadLettered",
    "returned": "RecordsReturned",
}


def namespace() -> str:
    """The namespace that metrics go to; "" where they are off."""
    return os.environ.get("CLEW_METRICS", "").strip()


def write_metrics(batch: Batch, delivery: Delivery) -> None:
    """Write the line. Never raises."""
    try:
        _write(batch, delivery)
    except Exception:  # noqa: BLE001  (metrics never break the batch)
        failed("writing metrics")


def _write(batch: Batch, delivery: Delivery) -> None:
    from clew.log.encode import encode
    from clew.log.line import build
    from clew.log.out import write

    at = time.time()
    values = measure(batch, at, time.perf_counter() - delivery.invocation.started)
    dimensions = {"source": delivery.source, "lanes": batch.plan.lanes or 1}
    line = build(
        at=at,
        level="INFO",
        message="metrics",
        logger="clew",
        correlation=delivery.correlation,
    )
    directive = {
        "Timestamp": int(at * 1000),
        "CloudWatchMetrics": [
            {
                "Namespace": namespace(),
                "Dimensions": [["function"], ["function", "source"]],
                "Metrics": [{"Name": name, "Unit": UNITS[name]} for name in values],
            }
        ],
    }
    members = encode({**dimensions, **values, "_aws": directive})
    write(f"{line[:-2]},{members[1:]}\n")


def measure(batch: Batch, at: float, wall_s: float) -> dict[str, float]:
    """Each metric's value. ``at`` is now (seconds since 1970), ``wall_s`` the invocation so far."""
    found: dict[str, float] = dict.fromkeys(_OUTCOMES.values(), 0)
    handler_ms = 0.0
    for record in batch.records:
        handler_ms += record.ms
        name = _OUTCOMES.get(record.outcome)
        if name is not None:
            found[name] += 1
    if batch.plan.whole and batch.records:
        handler_ms = max(record.ms for record in batch.records)  # all had the same calls
    found["Retries"] = batch.retries
    found["Repeats"] = batch.repeats
    age_s = _oldest_s(batch, at)
    if age_s is not None:
        found["IteratorAge"] = round(age_s * 1000)
    found["HandlerTime"] = round(handler_ms, 3)
    lanes = batch.plan.lanes or 1
    share = handler_ms / 1000 / (wall_s * lanes) if wall_s > 0 else 0.0
    found["LaneUse"] = round(min(share, 1.0) * 100, 1)
    return found


def _oldest_s(batch: Batch, at: float) -> float | None:
    """How long ago the oldest record arrived; None where no record says."""
    arrivals = []
    for record in batch.records:
        message = batch.message_of(record)
        arrived = getattr(message, "arrived", None) or getattr(message, "sent_at", None)
        if arrived is not None:
            arrivals.append(arrived.timestamp())
    return max(at - min(arrivals), 0.0) if arrivals else None

"""A report as JSON can hold it, for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clew.scaling.prices import READ_ON
from clew.scaling.simulation.report import summary

if TYPE_CHECKING:
    from clew.scaling.simulation.report import Line, Report


def report_json(report: Report) -> dict[str, Any]:
    """Its facts: parts of all from 0 to 1, loads in shards' worth, US dollars, seconds."""
    load, trace = report.load, report.trace
    return {
        "source": report.source,
        "trace": {
            "name": trace.name,
            "starts_at": trace.start_s,
            "minutes": len(trace),
            "peak_shards": round(float(load.max()), 4),
            "mean_shards": round(float(load.mean()), 4),
            "record_bytes": round(trace.record_bytes, 1),
        },
        "closed_shard_rate": report.conditions.situation.prices.closed_shard_rate,
        "prices_read_on": READ_ON.isoformat(),
        "summary": summary(report),
        "notes": list(report.notes),
        "policies": [line_json(line) for line in report.lines],
    }


def line_json(line: Line) -> dict[str, Any]:
    """The facts of one policy."""
    low, mean, high = line.shards
    return {
        "policy": line.policy.key,
        "name": line.policy.name,
        "what": line.policy.words,
        "can_be_chosen": line.policy.real,
        "usd_month": round(line.usd_month, 2),
        "usd_month_closed_free": round(line.usd_month_open, 2),
        "usd_month_closed_billed": round(line.usd_month_closed, 2),
        "refused": round(line.refused, 8),
        "refused_minutes": line.refused_minutes,
        "lost": round(line.lost, 8),
        "catch_up_s": line.catch_up_s,
        "shards": {"least": low, "mean": round(mean, 3), "most": high},
        "changes": len(line.outcome.changes),
        "most_changes_a_day": line.most_changes_a_day,
        "update_calls": line.outcome.update_calls,
        "operations": line.outcome.operations,
        "closed_shards": line.outcome.closed,
    }

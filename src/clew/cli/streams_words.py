"""How the commands of ``clew streams`` write times, actions and loads."""

from __future__ import annotations

import time
from typing import Any

from clew.scaling.words import count


def ago(at_s: float) -> str:
    """``2 min ago``."""
    passed = max(time.time() - at_s, 0.0)
    return f"{length(passed)} ago"


def length(seconds: float) -> str:
    """``45 s``, ``12 min``, ``3 h``, ``4 days``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 48 * 3600 else f"{seconds / 86_400:.0f} days"


def action(record: dict[str, Any]) -> str:
    """One record of the audit in a line: what, and who asked for it."""
    who = record.get("who", "somebody")
    before, after = record.get("shards_before", 0), record.get("shards_after", 0)
    if record.get("outcome") == "done":
        return f"{before} -> {count(after, 'shard')}, asked by {who}"
    return f"{record.get('outcome', '')}, asked by {who}"

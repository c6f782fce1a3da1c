"""How the commands of ``clew streams`` write times, actions and loads."""

from __future__ import annotations

import time
from typing import Any

from clew.scaling.words import count, duration


def ago(at_s: float) -> str:
    """``2 min ago``."""
    passed = max(time.time() - at_s, 0.0)
    return f"{length(passed)} ago"


def length(seconds: float) -> str:
    """``45 s``, ``12 min``, ``3.5 h``, ``4 days``."""
    return f"{seconds / 86_400:.2g} days" if seconds >= 2 * 86_400 else duration(seconds)


def action(record: dict[str, Any]) -> str:
    """One record of the audit in a line: what, and who asked for it."""
    who = record.get("who", "somebody")
    before, after = record.get("shards_before", 0), record.get("shards_after", 0)
    if record.get("outcome") == "done":
        return f"{before} -> {count(after, 'shard')}, asked by {who}"
    return f"{record.get('outcome', '')}, asked by {who}"

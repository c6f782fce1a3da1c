"""EventBridge ``PutEvents``: a context inside each event's ``Detail``."""

from __future__ import annotations

from clew.forward.limits import EVENTBRIDGE_REQUEST, EVENTBRIDGE_TIME, length, room
from clew.forward.payloads import Splicer
from clew.forward.sending import answered, new_sent, refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from clew.correlation import Correlation
    from clew.invocation import Sent


def _size(entry: dict[str, Any]) -> int:
    texts = sum(length(entry.get(name)) for name in ("Source", "DetailType", "Detail"))
    resources = sum(length(resource) for resource in entry.get("Resources") or ())
    return texts + resources + (EVENTBRIDGE_TIME if entry.get("Time") else 0)


class PutEvents:
    """``PutEvents``: up to 10 events that share the limit of one."""

    @staticmethod
    def stamp(params: dict[str, Any], correlation: Correlation) -> list[Sent]:
        """Each event gets a span of its own; one without a detail has no place for it."""
        splicer = Splicer(correlation)
        left = room(sum(_size(entry) for entry in params["Entries"]), EVENTBRIDGE_REQUEST)
        entries, all_sent = [], []
        for entry in params["Entries"]:
            bus = str(entry.get("EventBusName") or "default")
            sent = new_sent("eventbridge", "PutEvents", bus, correlation)
            all_sent.append(sent)
            detail = splicer.into(entry.get("Detail") or "", sent, left)
            if detail is None:
                entries.append(entry)
            else:
                left -= splicer.added
                entries.append({**entry, "Detail": detail})
        params["Entries"] = entries
        return all_sent

    @staticmethod
    def answered(sent: list[Sent], parsed: dict[str, Any]) -> None:
        """Note each event's id, or why the bus did not take it."""
        for one, result in zip(sent, parsed.get("Entries", ()), strict=False):
            if result.get("ErrorCode"):
                refused(one, f"{result['ErrorCode']}: {result.get('ErrorMessage')}")
            else:
                answered(one, {"eventId": result.get("EventId", "")})


OPERATIONS = {"PutEvents": PutEvents}

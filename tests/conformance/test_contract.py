"""A case that is not kept to is noticed: the comparison itself can fail."""

from __future__ import annotations

from typing import Any

from .contract import GUIDE, Case, Page, Seen, Told, difference

PAGE = Page("A page", GUIDE)
NAMES = {"1": "a", "2": "b"}


def event(*sequences: str) -> dict[str, Any]:
    return {"Records": [{"kinesis": {"sequenceNumber": each}} for each in sequences]}


def said(condition: str = "RetryAttemptsExhausted") -> dict[str, Any]:
    return {
        "requestContext": {"condition": condition, "approximateInvokeCount": 1},
        "responseContext": {"functionError": "Unhandled"},
        "KinesisBatchInfo": {"startSequenceNumber": "1", "endSequenceNumber": "2"},
    }


def test_the_invocations_are_compared() -> None:
    case = Case("c", "", PAGE, batches=(("a", "b"),))
    assert difference(Seen(case, [event("1", "2")], names=NAMES)) == ""
    other = Seen(case, [event("1"), event("1"), event("2")], names=NAMES)
    assert difference(other) == "invoked with [a] 2 times [b] and not [a b]"
    assert difference(Seen(case, names=NAMES)) == "invoked with nothing and not [a b]"


def test_what_the_destination_is_told_is_compared() -> None:
    case = Case("c", "", PAGE, batches=None, told=(Told("a", "b"),))
    assert difference(Seen(case, told=[said()], names=NAMES)) == ""
    assert "nothing and not a to b" in difference(Seen(case, names=NAMES))
    assert "Other, after 1" in difference(Seen(case, told=[said("Other")], names=NAMES))


def test_a_check_sees_only_what_was_invoked() -> None:
    case = Case("c", "", PAGE, batches=None, check=lambda seen: f"{len(seen.events)} events")
    assert difference(Seen(case)) == "the function is never invoked"
    assert difference(Seen(case, [event("1")], names=NAMES)) == "1 events"

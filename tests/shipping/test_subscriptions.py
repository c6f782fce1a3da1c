"""Which log groups are subscribed, and which are left alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.shipping.errors import ShippingError
from clew.shipping.subscriptions import (
    MAX_FILTERS,
    Filter,
    Group,
    Wanted,
    back_from,
    created_group,
    decide,
    is_same,
    read_wanted,
    retention_of,
)

SHIP = "arn:aws:lambda:us-east-1:123456789012:function:ship"
OTHER = "arn:aws:lambda:us-east-1:123456789012:function:other"
STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/logs"
WANTED = Wanted(SHIP, exclude=("*-test",), retention_days=30)
NAME = "/aws/lambda/orders"
ASKED = {"logGroupName": NAME}
TWO = (Filter("a", STREAM), Filter("b", OTHER))


@pytest.mark.parametrize(
    ("group", "action", "why"),
    [
        (Group(NAME), "subscribe", ""),
        (Group(NAME, (Filter("theirs", STREAM),)), "subscribe", ""),
        (Group(NAME, (Filter("clew", SHIP),)), "covered", "filter clew"),
        (Group(NAME, (Filter("clew", f"{SHIP}:live"),)), "covered", "filter clew"),
        (Group(NAME, (Filter("by-hand", SHIP, "ERROR"),)), "covered", "filter by-hand"),
        (Group(NAME, (Filter("clew", SHIP, "ERROR"),)), "update", "pattern"),
        (Group(NAME, (Filter("clew", OTHER),)), "refuse", "leads elsewhere"),
        (
            Group(NAME, (Filter("a", STREAM), Filter("b", OTHER))),
            "refuse",
            "2 filters already (a, b)",
        ),
        (Group(NAME, (Filter("a", STREAM), Filter("clew", SHIP))), "covered", "filter clew"),
        (Group(NAME, log_class="INFREQUENT_ACCESS"), "refuse", "INFREQUENT_ACCESS"),
        (Group("/aws/lambda/ship"), "refuse", "round for ever"),
        (Group("/aws/lambda/orders-test"), "leave", "no pattern"),
        (Group("/ecs/orders"), "leave", "no pattern"),
    ],
)
def test_what_is_done_with_a_group(group: Group, action: str, why: str) -> None:
    found = decide(group, WANTED)
    assert found.action == action
    assert why in found.why


def test_a_retention_is_set_where_there_is_none() -> None:
    assert decide(Group(NAME), WANTED).retention_days == 30
    assert decide(Group(NAME, retention_days=7), WANTED).retention_days is None
    assert decide(Group("/ecs/orders"), WANTED).retention_days is None
    assert decide(Group("/aws/lambda/ship"), WANTED).retention_days == 30
    assert decide(Group(NAME), Wanted(SHIP)).retention_days is None
    assert retention_of(" 30 ") == 30
    assert retention_of("") is retention_of("0") is None
    for wrong in ("31", "-1", "a week", "٣"):
        with pytest.raises(ShippingError, match="one of 1, 3, 5"):
            retention_of(wrong)


_FILTERS = st.lists(
    st.builds(
        Filter,
        st.sampled_from(["clew", "a", "b"]),
        st.sampled_from([SHIP, f"{SHIP}:7", OTHER, STREAM, "", "arn"]),
        st.sampled_from(["", "ERROR"]),
    ),
    max_size=MAX_FILTERS,
    unique_by=lambda one: one.name,
)


@given(
    st.sampled_from([NAME, "/aws/lambda/ship", "/x"]),
    _FILTERS,
    st.sampled_from(["STANDARD", "DELIVERY"]),
)
def test_a_foreign_filter_is_never_written_over(
    name: str, filters: list[Filter], log_class: str
) -> None:
    found = decide(Group(name, tuple(filters), None, 0, log_class), WANTED)
    after = {one.name: one for one in filters}
    if found.action in ("subscribe", "update"):
        replaced = after.get("clew")
        assert replaced is None or is_same(replaced.destination, SHIP)
        after["clew"] = Filter("clew", SHIP)
        assert not WANTED.is_own(name)
    assert len(after) <= MAX_FILTERS
    assert {one for one in filters if not is_same(one.destination, SHIP)} <= set(after.values())
    # What was done once does not need to be done again.
    again = decide(Group(name, tuple(after.values()), 30, 0, log_class), WANTED)
    assert again.action == found.action or not again.changes


def test_two_that_ship_do_not_ship_each_other() -> None:
    theirs = Filter("theirs", f"{OTHER}:live")
    found = back_from((theirs, Filter("x", STREAM), Filter("y", "")))
    assert found == ("other",)
    wanted = Wanted(SHIP, back_from=found)
    refused = decide(Group("/aws/lambda/other"), wanted)
    assert (refused.action, "to and fro" in refused.why) == ("refuse", True)
    assert decide(Group("/aws/lambda/others"), wanted).action == "subscribe"


def test_the_same_function_by_another_name() -> None:
    assert is_same(f"{SHIP}:live", SHIP)
    assert not is_same(f"{SHIP}-2", SHIP)
    assert not is_same(SHIP.replace("us-east-1", "us-east-2"), SHIP)
    assert not is_same(STREAM, SHIP)


@pytest.mark.parametrize(
    ("event", "group"),
    [
        ({}, None),
        (None, None),
        ({"detail-type": "Scheduled Event", "source": "aws.events"}, None),
        (
            {
                "detail": {
                    "eventName": "CreateLogGroup",
                    "requestParameters": ASKED,
                }
            },
            NAME,
        ),
        (
            {
                "detail": {
                    "eventName": "DeleteLogGroup",
                    "requestParameters": ASKED,
                }
            },
            "",
        ),
        (
            {
                "detail": {
                    "eventName": "CreateLogGroup",
                    "errorCode": "ResourceAlreadyExistsException",
                    "requestParameters": ASKED,
                }
            },
            "",
        ),
        ({"detail": {"eventName": "CreateLogGroup", "requestParameters": None}}, ""),
        ({"detail": []}, ""),
    ],
    ids=range(8),
)
def test_the_event_of_a_new_group(event: Any, group: str | None) -> None:
    if isinstance(event, dict) and "detail" in event:
        event = {"detail-type": "AWS API Call via CloudTrail", **event}
    assert created_group(event) == group


def test_what_is_wanted_is_read_from_the_environment() -> None:
    wanted = read_wanted(
        {
            "CLEW_SHIP_FUNCTION": SHIP,
            "CLEW_SHIP_INCLUDE": "/aws/lambda/a*, /ecs/*",
            "CLEW_SHIP_EXCLUDE": "",
            "CLEW_SHIP_RETENTION": "14",
            "CLEW_SHIP_PATTERN": "ERROR",
        }
    )
    assert wanted == Wanted(SHIP, ("/aws/lambda/a*", "/ecs/*"), (), 14, "ERROR", "clew")
    assert wanted.function_name == "ship"
    assert read_wanted({"CLEW_SHIP_FUNCTION": SHIP}) == Wanted(SHIP)
    with pytest.raises(ShippingError, match="CLEW_SHIP_FUNCTION has to be the ARN"):
        read_wanted({})

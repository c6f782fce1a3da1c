"""Items and update expressions, without a table."""

from __future__ import annotations

from typing import Any

import pytest

from clew.forward.dynamodb_items import pairs, size, span_in, with_update

VALUE = {"M": {"x-correlation-id": {"S": "1"}}}


@pytest.mark.parametrize(
    ("expression", "changed"),
    [
        ("SET a = :a", "SET #clewContext = :clewContext, a = :a"),
        ("set\n  a = :a", "SET #clewContext = :clewContext,\n  a = :a"),
        ("REMOVE a SET b = :b", "REMOVE a SET #clewContext = :clewContext, b = :b"),
        ("ADD a :a", "SET #clewContext = :clewContext ADD a :a"),
        ("ADD #set :set", "SET #clewContext = :clewContext ADD #set :set"),
        ("REMOVE offset , a.set, x_set", None),
        ("", "SET #clewContext = :clewContext"),
    ],
)
def test_a_clause_is_added_and_the_others_stay(expression: str, changed: str | None) -> None:
    done = with_update({"UpdateExpression": expression}, "__context", VALUE)
    assert done is not None
    expected = changed or f"SET #clewContext = :clewContext {expression}"
    assert done["UpdateExpression"] == expected
    assert done["ExpressionAttributeNames"] == {"#clewContext": "__context"}
    assert done["ExpressionAttributeValues"] == {":clewContext": VALUE}


def test_the_older_form_stays_the_older_form() -> None:
    one = {"__context": {"Value": VALUE, "Action": "PUT"}}
    assert with_update({"AttributeUpdates": {}}, "__context", VALUE) == {"AttributeUpdates": one}
    expected: Any = {"Expected": {"a": {"Exists": False}}}
    assert with_update(expected, "__context", VALUE) == {**expected, "AttributeUpdates": one}


@pytest.mark.parametrize(
    "update",
    [
        {"AttributeUpdates": {"__context__": {}}},
        {"UpdateExpression": "SET #c = :c", "ExpressionAttributeNames": {"#c": "__context"}},
        {"UpdateExpression": "SET a = :c", "ExpressionAttributeNames": {"#clewContext": "a"}},
    ],
)
def test_an_update_that_writes_one_itself_is_left_alone(update: dict[str, Any]) -> None:
    assert with_update(update, "__context", VALUE) is None


@pytest.mark.parametrize(
    ("item", "at_least"),
    [
        ({"a": {"S": "é"}}, 3),
        ({"a": {"N": "12345"}}, 5),
        ({"a": {"B": b"123"}}, 4),
        ({"a": {"BOOL": True}, "b": {"NULL": True}}, 4),
        ({"a": {"M": {"b": {"S": "c"}}}}, 7),
        ({"a": {"L": [{"S": "b"}, {"S": "c"}]}}, 8),
        ({"a": {"SS": ["bc", "d"]}, "b": {"BS": [b"x"]}, "c": {"NS": ["1", "2"]}}, 10),
    ],
)
def test_sizes_are_never_less_than_the_services(item: dict[str, Any], at_least: int) -> None:
    assert at_least <= size(item) <= at_least + 45


def test_a_context_is_read_in_both_kinds_of_types() -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"
    for context in ({"M": {"traceparent": {"S": trace}}}, {"traceparent": trace}):
        assert pairs(context) == [("traceparent", trace)]
        assert span_in({"__context": context}) == "00f067aa0ba902b7"
    assert pairs("text") == []
    assert span_in({}) == ""

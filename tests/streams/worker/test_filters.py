"""Filter patterns, by the examples of the documentation and around their edges."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clew.streams.worker import SettingsError
from clew.streams.worker.filters import Filters, read_json


def matches(pattern: Any, record: Any) -> bool:
    text = pattern if isinstance(pattern, str) else json.dumps(pattern)
    return Filters.compile((text,)).matches(read_json(json.dumps(record)))


CASES = [
    # The table of comparison operators in the documentation.
    ({"UserID": [None]}, {"UserID": None}, {"UserID": "x"}),
    ({"LastName": [""]}, {"LastName": ""}, {"LastName": "x"}),
    ({"Name": ["Alice"]}, {"Name": "Alice"}, {"Name": "alice"}),
    ({"Name": [{"equals-ignore-case": "alice"}]}, {"Name": "ALICE"}, {"Name": "alic"}),
    ({"A": ["x"], "B": ["y"]}, {"A": "x", "B": "y", "C": 1}, {"A": "x", "B": "z"}),
    ({"Pay": ["Credit", "Debit"]}, {"Pay": "Debit"}, {"Pay": "Cash"}),
    ({"$or": [{"A": ["x"]}, {"B": ["y"]}]}, {"A": "z", "B": "y"}, {"A": "z", "B": "z"}),
    ({"W": [{"anything-but": ["Raining"]}]}, {"W": "Sunny"}, {"W": "Raining"}),
    ({"Price": [{"numeric": ["=", 100]}]}, {"Price": 1e2}, {"Price": 101}),
    ({"Price": [{"numeric": [">", 10, "<=", 20]}]}, {"Price": 20}, {"Price": 10}),
    ({"P": [{"exists": True}]}, {"P": None}, {"Q": 1}),
    ({"P": [{"exists": False}]}, {"Q": 1}, {"P": None}),
    ({"Region": [{"prefix": "us-"}]}, {"Region": "us-east-1"}, {"Region": "eu-west-1"}),
    ({"File": [{"suffix": ".png"}]}, {"File": "a.png"}, {"File": "a.PNG"}),
    # EventBridge's variants of those.
    ({"R": [{"prefix": {"equals-ignore-case": "US-"}}]}, {"R": "us-x"}, {"R": "eu"}),
    ({"R": [{"suffix": {"equals-ignore-case": ".PNG"}}]}, {"R": "a.png"}, {"R": "a.jpg"}),
    ({"R": [{"anything-but": "x"}]}, {"R": "y"}, {"R": "x"}),
    ({"R": [{"anything-but": 1}]}, {"R": 2}, {"R": 1}),
    ({"R": [{"anything-but": {"prefix": "init"}}]}, {"R": "run"}, {"R": "initial"}),
    ({"R": [{"anything-but": {"suffix": ["a", "b"]}}]}, {"R": "xc"}, {"R": "xb"}),
    ({"R": [{"anything-but": {"equals-ignore-case": "X"}}]}, {"R": "y"}, {"R": "x"}),
    ({"R": [{"anything-but": ["x"]}]}, {"R": None}, {}),
    ({"R": [{"prefix": "x"}, {"exists": False}]}, {}, {"R": "y"}),
    ({"R": [True]}, {"R": True}, {"R": 1}),
    ({"R": [1]}, {"R": 1}, {"R": "1"}),
    # Nesting and lists.
    ({"a": {"b": {"c": [1]}}}, {"a": {"b": {"c": 1}}}, {"a": {"b": 1}}),
    ({"a": ["x"]}, {"a": ["w", "x"]}, {"a": ["w"]}),
    ({"a": {"b": ["x"]}}, {"a": [{"b": "w"}, {"b": "x"}]}, {"a": [{"b": "w"}, 1]}),
    ({"a": {"b": [{"exists": False}]}}, {}, {"a": {"b": 1}}),
    ({"a": [{"exists": True}]}, {"a": 1}, {"a": {"b": 1}}),
    ({"d": {"$or": [{"a": [1]}, {"b": [1]}]}}, {"d": {"b": 1}}, {"d": {"c": 1}}),
    (
        {"dynamodb": {"Keys": {"Id": {"N": ["101"]}}}},
        {"dynamodb": {"Keys": {"Id": {"N": "101"}}}},
        {"dynamodb": {"Keys": {"Id": {"N": "102"}}}},
    ),
]


@pytest.mark.parametrize(
    ("pattern", "fits", "differs"), CASES, ids=[json.dumps(c[0]) for c in CASES]
)
def test_a_pattern_matches_what_it_says(pattern: Any, fits: Any, differs: Any) -> None:
    assert matches(pattern, fits)
    assert not matches(pattern, differs)


def test_numbers_are_compared_as_they_are_written() -> None:
    filters = Filters.compile(('{"n": [300]}',))
    assert filters.matches(read_json('{"n": 300}'))
    assert not filters.matches(read_json('{"n": 300.0}'))
    assert not filters.matches(read_json('{"n": 3.0e2}'))


def test_one_filter_of_several_is_enough_and_none_lets_all_through() -> None:
    assert Filters.compile(('{"a": ["x"]}', '{"b": ["y"]}')).matches({"b": "y"})
    assert Filters.compile(()).matches({})


def test_a_pattern_for_the_body_drops_a_record_whose_body_is_not_json() -> None:
    assert not matches({"data": {"a": [{"exists": False}]}}, {"partitionKey": "1"})
    assert matches({"partitionKey": ["1"]}, {"partitionKey": "1"})


def test_it_is_known_whether_the_body_is_looked_at() -> None:
    assert not Filters.compile(('{"partitionKey": ["1"]}',)).reads_body
    assert Filters.compile(('{"data": {"a": [1]}}',)).reads_body
    assert Filters.compile(('{"$or": [{"partitionKey": ["1"]}, {"data": {"a": [1]}}]}',)).reads_body


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("{'a': 1}", "is not JSON"),
        ("[]", "has to be a JSON object"),
        ("{}", "has to be a JSON object with a field"),
        ('{"a": "x"}', "a has to be a list of rules"),
        ('{"a": []}', "a has to be a list of rules"),
        ('{"a": {}}', "names a field, on every level"),
        ('{"data": ["x"]}', "data has to be an object"),
        ('{"$or": []}', "$or has to list a pattern"),
        ('{"a": [{"wildcard": "x*"}]}', "no comparison 'wildcard'"),
        ('{"a": [{"prefix": 1}]}', "take a string"),
        ('{"a": [{"prefix": "a", "suffix": "b"}]}', "one comparison"),
        ('{"a": [{"numeric": [">"]}]}', "numeric takes a list"),
        ('{"a": [{"numeric": ["!=", 1]}]}', "numeric compares by"),
        ('{"a": [{"numeric": [">", "1"]}]}', "numeric compares by"),
        ('{"a": [{"exists": "yes"}]}', "true or false"),
        ('{"a": [{"anything-but": []}]}', "name a value"),
        ('{"a": [{"anything-but": {"numeric": ["=", 1]}}]}', "takes no 'numeric'"),
        ('{"a": [["x"]]}', "cannot hold a list"),
    ],
)
def test_a_pattern_that_is_no_good_gets_one_sentence(pattern: str, said: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)) as caught:
        Filters.compile((pattern,))
    assert str(caught.value).endswith(".")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(record=st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4), pattern=st.data())
def test_no_record_breaks_a_pattern(record: dict[str, Any], pattern: st.DataObject) -> None:
    chosen = pattern.draw(st.sampled_from([case[0] for case in CASES]))
    assert matches(chosen, record) in (True, False)


@settings(deadline=None)
@given(record=st.dictionaries(st.sampled_from("abcd"), st.text(max_size=3), min_size=1))
def test_a_record_matches_itself_and_not_itself_changed(record: dict[str, str]) -> None:
    pattern = {name: [value] for name, value in record.items()}
    assert matches(pattern, record)
    name = next(iter(record))
    assert not matches(pattern, record | {name: record[name] + "x"})

"""What the flight recorder keeps of a log call is small, and is as it was."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from typing import Any

import pytest

from clew.log.held import kept_arguments, kept_fields, kept_message

Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    "value",
    [
        1,
        1.5,
        True,
        None,
        "text",
        b"bytes",
        {"a": [1, (2,), {3}], frozenset([4]): 5},
        Point(1, "2"),
        [],
        {},
    ],
)
def test_what_is_small_is_kept_as_it_is(value: Any) -> None:
    assert kept_arguments((value,)) == (value,)
    assert repr(kept_arguments((value,))[0]) == repr(value)
    assert kept_fields({"a": value}) == {"a": value}
    assert kept_message(value) == value


@pytest.mark.parametrize("value", [{"a": 1}, [1], {1}, bytearray(b"a"), OrderedDict(a=1), ([1],)])
def test_what_can_change_is_copied(value: Any) -> None:
    (kept,) = kept_arguments((value,))
    assert kept == value
    assert kept is not value
    assert kept_fields(value) is not value


def test_objects_are_kept_themselves() -> None:
    value = object()
    assert kept_arguments((value,))[0] is value
    assert kept_fields({"a": value})["a"] is value


def test_what_is_deep_or_has_many_members_says_so() -> None:
    deep: list[Any] = []
    deep.append(deep)
    assert str(kept_message(deep)) == "[" * 6 + "'<list: 1 members>'" + "]" * 6
    many = kept_fields({"a": list(range(1_000)), "b": {"c": 1}})
    assert many == {"a": [*range(98), "… (1000 members)"], "b": {"…": "(1 members)"}}
    first: dict[Any, Any] = dict.fromkeys(range(100))
    assert kept_message(dict.fromkeys(range(500))) == {**first, "…": "(500 members)"}
    assert len(kept_fields({"s": set(range(1_000))})["s"]) == 100


def test_texts_share_what_room_there_is() -> None:
    texts = kept_arguments(("a" * 5_000,) * 10)
    assert texts[0] == "a" * 4_096 + "… (5000 characters)"
    assert texts[9] == "… (5000 characters)"


def test_containers_that_raise_are_named() -> None:
    class NoItems(dict[str, int]):
        def items(self) -> Any:
            raise RuntimeError("no items")

    class NoSize:
        def __sizeof__(self) -> int:
            raise RuntimeError("no size")

    assert kept_fields(NoItems(a=1)) == "<NoItems: cannot be read>"
    assert kept_arguments((NoSize(),)) == ("<NoSize: cannot be read>",)

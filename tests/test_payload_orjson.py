"""With orjson at hand every payload is decoded to what json makes of it."""

from __future__ import annotations

import json
import sys
from typing import Any
from unittest.mock import patch

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clew import payload, wire

NUMBERS = st.one_of(
    st.integers(),
    st.integers(2**62, 2**66),
    st.integers(-(2**66), -(2**62)),
    st.floats(),
)
VALUES = st.recursive(
    st.one_of(NUMBERS, st.text(max_size=8), st.booleans(), st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
OBJECTS = st.dictionaries(
    st.one_of(st.sampled_from(["__context", "__context__", "detail", "a"]), st.text(max_size=3)),
    VALUES,
    max_size=4,
).map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass"))
#: Numbers as JSON writes them and Python does not.
WRITTEN = st.from_regex(
    r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", fullmatch=True
)
TEXTS = st.one_of(
    OBJECTS,
    WRITTEN.map(lambda number: f'{{"a":{number},"b":[{number}]}}'.encode()),
    st.sampled_from(
        [
            b"",
            b"{}",
            b"[1]",
            b"7",
            b'"__context"',
            b"null",
            b'{"a":1}x',
            b' {"a":1} ',
            b'{"a":1,"a":2,"b":3,"a":{}}',
            b'{"a":"\xff"}',
            b'\xef\xbb\xbf{"a":1}',
            b'{"a":NaN,"b":-Infinity,"c":1E999}',
            b'{"a":"\\ud800","\\ud83d\\ude00":1}',
            b'{"a":01}',
            b'{"__context":null,"a":1}',
            b'{"__context":{"call-chain-length":99999999999999999999},"a":1}',
            b'{"a":18446744073709551616}',
            b'{"a":{"b":[-9223372036854775809]}}',
            b'{"a":' * 2000 + b"1" + b"}" * 2000,
        ]
    ),
    st.binary(max_size=8),
)


def by_json(data: bytes) -> Any:
    """repr tells 1 from 1.0 and True, -0.0 from 0.0, and one order of members from another."""
    with patch.dict(sys.modules, {"orjson": None}):
        return repr(payload.decode_object(data))


def checked(context: object) -> list[Any]:
    """What a context comes to: a number that is too long counts for nothing, whatever it is."""
    inbound = wire.check(payload.pairs(context))
    return [getattr(inbound, name) for name in wire.Inbound.__slots__]


@given(TEXTS)
@example(b'{"a":-0,"b":-0.0,"c":0e0,"d":5e-324,"e":2e-324,"f":1.7976931348623157e308}')
def test_it_is_decoded_to_the_same(data: bytes) -> None:
    assert sys.modules["orjson"] is orjson
    assert repr(payload.decode_object(data)) == by_json(data)


@pytest.mark.parametrize("module", [orjson, None])
@given(st.lists(TEXTS, min_size=1, max_size=4))
@example([b'{"__context":{"a":"1"},"b":2}', b'{"b":2}', b"{}"])
@example([b'{"a":1}', b"7"])
@example([b'{"a":1}', b""])
@example([b'{"a":1}', b'{"a":18446744073709551616}'])
@example([b'{"a":1}', b'{"a":1}{'])
def test_taken_together_they_are_what_each_is(module: Any, all_data: list[bytes]) -> None:
    with patch.dict(sys.modules, {"orjson": module}):
        taken = payload.take_all(all_data, frozenset((payload.OTHER_NAME, "detail")))
    if taken is None:
        return
    for data, value, context in zip(all_data, *taken, strict=True):
        with patch.dict(sys.modules, {"orjson": None}):
            alone = payload.take(data)
        assert repr(value) == repr(alone.value)
        assert "detail" not in value
        assert checked(context) == checked(alone.context)


def test_most_are_taken_together() -> None:
    objects = [
        b'{"__context":{"x-correlation-id":"1"},"b":[1.5]}',
        b'{"b":2}',
        b'{"b":{"c":true}}',
    ] * 30
    for module in (orjson, None):
        with patch.dict(sys.modules, {"orjson": module}):
            assert payload.take_all(objects, frozenset()) is not None


def test_it_is_not_imported_for_this() -> None:
    with patch.dict(sys.modules):
        del sys.modules["orjson"]
        payload.decode_object(b'{"a":1}')
        payload.take_all([b'{"a":1}'], frozenset())
        assert "orjson" not in sys.modules

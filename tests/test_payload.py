"""A context inside a JSON payload: in, out, and every other byte as it was."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew import payload

FIELDS = {"x-correlation-id": "a", "traceparent": "00-1-2-01"}
MEMBER = '"__context":{"x-correlation-id":"a","traceparent":"00-1-2-01"}'

OBJECTS = [
    b"{}",
    b"{ }",
    b' \r\n{\t"a" : 1 , "b":[1, {"__context": 2}] } \n',
    '{"é":"\\ud800","x":1E400, "y":-0.0,"z":"}{,\\""}'.encode(),
    b'{"a":1,"a":2}',
    b'{"big":123456789012345678901234567890}',
]


@pytest.mark.parametrize("data", OBJECTS)
@pytest.mark.parametrize("name", ["__context", "__context__"])
def test_what_went_in_comes_out_byte_for_byte(data: bytes, name: str) -> None:
    sent = payload.put(data, FIELDS, name)
    assert sent is not None
    assert json.loads(sent)[name] == FIELDS
    taken = payload.take(sent)
    assert taken.context == FIELDS
    assert taken.data == data
    assert taken.value == json.loads(data)


def test_the_context_stands_directly_after_the_brace() -> None:
    assert payload.put(b' { "a":1}', FIELDS) == f' {{{MEMBER}, "a":1}}'.encode()
    assert payload.put(b"{ }", FIELDS) == f"{{{MEMBER} }}".encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text",
        b"[1]",
        b"null",
        b"{",
        b'{"a":}',
        b'{"a":1} {"b":2}',
        b'{"a":"\xff"}',
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
        b'{"a":' * 100_000,
        b"\x1f\x8b\x08{",
        b'{"n":' + b"1" * 5_000 + b"}",
    ],
)
def test_what_is_no_json_object_goes_out_and_comes_in_untouched(data: bytes) -> None:
    assert payload.put(data, FIELDS) is None
    taken = payload.take(data)
    assert (taken.value, taken.context, taken.data) == (None, None, data)


@pytest.mark.parametrize("name", ["__context", "__context__"])
@pytest.mark.parametrize("context", ["{}", "null", '{"x-correlation-id":"b"}'])
def test_a_second_context_is_never_put_in(name: str, context: str) -> None:
    assert payload.put(f'{{"a":1,"{name}":{context}}}'.encode(), FIELDS) is None


@pytest.mark.parametrize(
    ("data", "context", "rest"),
    [
        (b'{"a":1,"__context__":{"x-correlation-x":"1"}}', {"x-correlation-x": "1"}, b'{"a":1}'),
        (
            b'{"a":1 , "__context__" : {"x-correlation-x":"1"} , "b":2}',
            {"x-correlation-x": "1"},
            b'{"a":1 , "b":2}',
        ),
        (
            b'{"__context":{"x-correlation-x":"1"},"__context__":{"x-correlation-x":"2"},"a":1}',
            {"x-correlation-x": "1"},
            b'{"a":1}',
        ),
        (
            b'{"__context__":{"x-correlation-x":"2"},"a":1,"__context":{"x-correlation-x":"1"}}',
            {"x-correlation-x": "1"},
            b'{"a":1}',
        ),
        (
            b'{"__context":1,"__context":{"x-correlation-x":"1"},"a":1}',
            {"x-correlation-x": "1"},
            b'{"a":1}',
        ),
        (
            b'{"a":1,"\\u005f_context":{"x-correlation-x":"1"}}',
            {"x-correlation-x": "1"},
            b'{"a":1}',
        ),
        (b'{"__context":{"x-correlation-x":"1"}}', {"x-correlation-x": "1"}, b"{}"),
        (b'{"__context":null,"a":1}', {}, b'{"a":1}'),
        (
            b'{"__context":null,"__context__":{"x-correlation-x":"1"}}',
            {"x-correlation-x": "1"},
            b"{}",
        ),
        (b'{"__context":{"X-Correlation-ID":"1"}}', {"X-Correlation-ID": "1"}, b"{}"),
        (
            b'{"__context":{"own":1},"__context__":{"x-correlation-x":"1"}}',
            {"x-correlation-x": "1"},
            b'{"__context":{"own":1}}',
        ),
    ],
)
def test_a_context_is_taken_out_wherever_it_stands(
    data: bytes, context: object, rest: bytes
) -> None:
    taken = payload.take(data)
    assert taken.context == context
    assert taken.data == rest
    assert taken.value == json.loads(rest)


@pytest.mark.parametrize("name", ["__context", "__context__"])
@pytest.mark.parametrize(
    "own", ['"text"', "0", "false", "[]", '{"tenant":"a"}', '{"user":{"id":1}}']
)
def test_a_member_without_a_field_of_clews_is_the_users_own(name: str, own: str) -> None:
    data = f'{{"a":1,"{name}":{own}}}'.encode()
    taken = payload.take(data)
    assert (taken.context, taken.data, taken.value) == (None, data, json.loads(data))
    assert payload.put(data, FIELDS) is None


def test_a_context_deeper_down_is_the_users_own() -> None:
    data = b'{"a":{"__context":{"x":"1"}}}'
    taken = payload.take(data)
    assert (taken.context, taken.data) == (None, data)


def test_a_handler_that_changes_the_payload_leaves_the_bytes_alone() -> None:
    taken = payload.take(b'{"a":1,"__context__":{}}')
    assert taken.value is not None
    taken.value["a"] = 2
    assert taken.data == b'{"a":1}'


def test_pairs_of_a_context() -> None:
    assert payload.pairs({"a": 1}) == [("a", 1)]
    assert payload.pairs(None) == []
    assert payload.pairs(["a"]) == payload.pairs("a") == [("x-correlation-id", None)]


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        (None, "__context"),
        ("", "__context"),
        ("__context__", "__context__"),
        ("password", "__context"),
    ],
)
def test_the_fields_name_is_one_that_is_read_again(
    monkeypatch: pytest.MonkeyPatch, wanted: str | None, name: str
) -> None:
    monkeypatch.delenv("CLEW_CONTEXT_FIELD", raising=False)
    if wanted is not None:
        monkeypatch.setenv("CLEW_CONTEXT_FIELD", wanted)
    assert payload.context_field() == name


space = st.text(" \t\r\n", max_size=2)
keys = st.text(max_size=5) | st.sampled_from(
    ["__context", "__context__", "context", "x-correlation-id"]
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), anything, max_size=4), space, space, st.booleans())
def test_any_object_comes_out_as_it_went_in(
    value: dict[str, object], before: str, after: str, ascii_only: bool
) -> None:
    for name in ("__context", "__context__"):
        value.pop(name, None)
    text = json.dumps(value, ensure_ascii=ascii_only, separators=(before + ",", ":" + after))
    if text == "{}":
        text = f"{{{before}}}"
    data = f"{before}{text}{after}".encode("utf-8", "replace")
    sent = payload.put(data, FIELDS)
    assert sent is not None
    assert payload.take(sent).data == data


@given(st.dictionaries(keys, anything, max_size=5))
def test_bytes_and_value_never_disagree(value: dict[str, object]) -> None:
    taken = payload.take(json.dumps(value).encode())
    assert json.loads(taken.data) == taken.value
    assert payload.take(taken.data).context is None


@given(st.binary() | st.binary().map(lambda data: b'{"a":' + data + b"}"))
def test_bytes_of_any_kind_raise_nothing(data: bytes) -> None:
    taken = payload.take(data)
    if taken.context is None:
        assert taken.data == data
    sent = payload.put(data, FIELDS)
    if sent is not None:
        assert payload.take(sent).data == data

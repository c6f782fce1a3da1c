"""``clew.stamp``: a message by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import clew
from clew import payload
from clew.forward import stamp as module

from .conftest import FIELDS, TRACE
from .test_payloads import objects

CORRELATION = clew.Correlation(FIELDS, trace_id=TRACE)


@pytest.mark.parametrize("kind", [bytes, bytearray, str])
def test_a_json_object_keeps_its_type_and_every_other_byte(kind: Any) -> None:
    text = '{"name": "caf\\u00e9"}'
    data = text if kind is str else kind(text.encode())
    stamped = clew.stamp(data, CORRELATION)
    assert type(stamped) is kind
    assert stamped != data
    raw = stamped.encode() if isinstance(stamped, str) else bytes(stamped)
    taken = payload.take(raw)
    assert taken.data == text.encode()
    assert isinstance(taken.context, dict)
    assert taken.context.items() >= FIELDS.items()
    assert taken.context["traceparent"].startswith(f"00-{TRACE}-")


@given(objects())
def test_any_object(text: str) -> None:
    stamped = clew.stamp(text, CORRELATION)
    assert json.loads(stamped).pop("__context").items() >= FIELDS.items()


@given(st.text(max_size=20) | st.binary(max_size=20))
def test_anything_is_stamped_or_as_it_was(data: str | bytes) -> None:
    stamped = clew.stamp(data, CORRELATION)
    assert stamped == data or b"__context" in (
        stamped.encode() if isinstance(stamped, str) else stamped
    )


def test_each_stamp_is_a_send_of_its_own() -> None:
    assert clew.stamp("{}", CORRELATION) != clew.stamp("{}", CORRELATION)


def test_headers_in_a_copy() -> None:
    own = {"Accept": "*/*", "User-Agent": "mine", "X-Correlation-User-Id": "theirs"}
    before = dict(own)
    stamped = clew.stamp(own, CORRELATION)
    assert own == before
    assert stamped.items() >= own.items()
    assert stamped["x-correlation-id"] == "request-1"
    assert "user-agent" not in stamped
    assert "x-correlation-user-id" not in stamped
    assert clew.stamp({}, CORRELATION).keys() == {*FIELDS, "traceparent"}


@pytest.mark.parametrize(
    "data",
    [
        None,
        5,
        b"",
        b"text",
        "[1]",
        b'{"a":"\xff"}',
        b'{"__context":{}}',
        '{"__context__":null}',
        memoryview(b"{}"),
        {"Traceparent": "00-1-2-01"},
        {"mine": {"DataType": "String", "StringValue": "1"}},
        {"count": 1},
        ["a"],
    ],
)
def test_what_cannot_carry_or_does_already_is_the_same_object(data: Any) -> None:
    assert clew.stamp(data, CORRELATION) is data


def test_the_one_in_force_counts_where_none_is_given() -> None:
    assert clew.stamp("{}") == "{}"
    with clew.use(CORRELATION):
        assert "request-1" in clew.stamp("{}")
        assert clew.stamp("{}", clew.Correlation()) == "{}"


def test_a_failure_inside_clew_reaches_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(module, "Splicer", fail)
    assert clew.stamp("{}", CORRELATION) == "{}"
    assert "RuntimeError: broken" in caplog.text


def test_the_node_library_gets_its_own_name_and_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEW_CONTEXT_FIELD", "__context__")
    assert json.loads(clew.stamp("{}", CORRELATION))["__context__"]["call-chain-length"] == 2

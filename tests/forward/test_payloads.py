"""A context in a payload: in by forward, out by capture, every other byte as it was."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import clew
from clew import payload
from clew.forward.payloads import Splicer
from clew.forward.sending import new_sent

from .conftest import FIELDS, TRACE

if TYPE_CHECKING:
    from clew.invocation import Sent

CORRELATION = clew.Correlation(FIELDS, trace_id=TRACE, tracestate="vendor=1")

SPACE = st.text(" \t\r\n", max_size=2)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.text().filter(lambda name: name not in ("__context", "__context__"))


@st.composite
def objects(draw: st.DrawFn) -> str:
    """The text of a JSON object, written in any of the ways that there are."""
    members = draw(st.lists(st.tuples(NAMES, VALUES), max_size=4))
    ascii_only, spaces = draw(st.booleans()), st.shared(SPACE, key="space")
    space = draw(spaces)
    written = [
        f"{space}{json.dumps(name, ensure_ascii=ascii_only)}{space}:{space}"
        f"{json.dumps(value, ensure_ascii=ascii_only)}{space}"
        for name, value in members
    ]
    return f"{draw(SPACE)}{{{','.join(written) or space}}}{draw(SPACE)}"


def _sent() -> Sent:
    return new_sent("kinesis", "PutRecord", "s", CORRELATION)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@given(objects().filter(_encodable))
def test_what_went_in_comes_out_byte_for_byte(text: str) -> None:
    sent = _sent()
    for data in (text.encode(), text):
        splicer = Splicer(CORRELATION)
        stamped = splicer.into(data, sent, splicer.added)
        assert stamped is not None
        assert type(stamped) is type(data)
        raw = stamped.encode() if isinstance(stamped, str) else stamped
        assert len(raw) - len(text.encode()) in (splicer.added, splicer.added - 1)
        taken = payload.take(raw)
        assert taken.data == text.encode()
        assert taken.context == CORRELATION.outgoing(sent.span_id)
        assert sent.carried


@given(st.lists(objects() | st.text(max_size=4) | st.binary(max_size=4), max_size=4))
def test_a_batch_is_stamped_as_each_alone(texts: list[str | bytes]) -> None:
    all_data: list[Any] = [*texts]
    all_data += [text.encode() for text in texts if isinstance(text, str) and _encodable(text)]
    all_data += [b'{"__context":{}}', b'{"a":1} ', b"{}", bytearray(b'{"a":1}'), b"{", b'{"a":1}x']
    batch, alone = [_sent() for _ in all_data], [_sent() for _ in all_data]
    for one, other in zip(batch, alone, strict=True):
        other.span_id = one.span_id
    splicer = Splicer(CORRELATION)
    assert splicer.into_all(all_data, batch) == [
        splicer.into(data, sent, splicer.added) for data, sent in zip(all_data, alone, strict=True)
    ]
    assert [one.carried for one in batch] == [one.carried for one in alone]


@given(st.binary(max_size=64))
def test_any_bytes_are_a_json_object_or_untouched(data: bytes) -> None:
    sent = _sent()
    splicer = Splicer(CORRELATION)
    stamped = splicer.into(data, sent, splicer.added)
    try:
        value = json.loads(data.decode())
    except ValueError:
        value = None
    assert (stamped is not None) is isinstance(value, dict)
    assert sent.carried is isinstance(value, dict)


@pytest.mark.parametrize(
    "data", [gzip.compress(b"{}", mtime=0), b"\x08\x01", "text", "\ud800", '{"a": "\ud800"}']
)
def test_what_is_no_object_is_not_a_fault(data: Any, caplog: pytest.LogCaptureFixture) -> None:
    sent = _sent()
    assert data == '{"a": "\ud800"}' or Splicer(CORRELATION).into(data, sent, 1_000) is None
    assert not caplog.records


@pytest.mark.parametrize("name", ["__context", "__context__"])
def test_a_context_that_is_there_is_taken_over(name: str) -> None:
    other = clew.Correlation({"x-correlation-id": "other"}, trace_id="1" * 32)
    data = json.dumps({"a": 1, name: other.outgoing("2" * 16)}).encode()
    sent = _sent()
    assert Splicer(CORRELATION).into(data, sent, 1_000) is None
    assert sent.span_id == "2" * 16
    assert (sent.correlation.id, sent.correlation.trace_id) == ("other", "1" * 32)
    assert sent.carried


@pytest.mark.parametrize("context", ["null", "1", "[]", "{}", '{"traceparent":"broken"}'])
def test_one_that_names_no_span_cannot_be_joined(context: str) -> None:
    sent = _sent()
    span = sent.span_id
    assert Splicer(CORRELATION).into(f'{{"__context":{context}}}', sent, 1_000) is None
    assert sent.span_id == span
    assert sent.correlation is CORRELATION
    assert not sent.carried


def test_no_room(caplog: pytest.LogCaptureFixture) -> None:
    splicer = Splicer(CORRELATION)
    for _ in range(2):
        sent = _sent()
        assert splicer.into(b"{}", sent, splicer.added - 1) is None
        assert not sent.carried
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("field", "name", "chain"),
    [
        ("__context__", "__context__", 2),
        ("__context", "__context", "2"),
        ("other", "__context", "2"),
        ("", "__context", "2"),
    ],
)
def test_the_name_of_the_field(
    field: str, name: str, chain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEW_CONTEXT_FIELD", field)
    stamped = Splicer(CORRELATION).into("{}", _sent(), 1_000)
    assert isinstance(stamped, str)
    assert json.loads(stamped)[name]["call-chain-length"] == chain

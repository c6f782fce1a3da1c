"""Attributes of a message, without a service."""

from __future__ import annotations

import json
from typing import Any

import pytest

import clew
from clew.forward.attributes import size, stamped
from clew.forward.sending import new_sent

from .conftest import FIELDS, TRACE, fields_of

CORRELATION = clew.Correlation(FIELDS, trace_id=TRACE)
OTHER = "00-11111111111111111111111111111111-2222222222222222-01"


def _text(value: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}


def _own(count: int) -> dict[str, Any]:
    return {f"mine-{n}": _text("1") for n in range(count)}


def test_sizes_are_of_names_types_and_values() -> None:
    assert size({"é": _text("abc")}) == 2 + 6 + 3
    assert size({"a": {"DataType": "Binary", "BinaryValue": b"1234"}}) == 1 + 6 + 4
    assert size({}) == 0


@pytest.mark.parametrize("own", [0, 4])
def test_one_each_up_to_ten(own: int) -> None:
    sent = new_sent("sns", "Publish", "t", CORRELATION)
    done = stamped(_own(own), sent, 10_000)
    assert done == {**_own(own), **{name: _text(value) for name, value in fields_of(sent).items()}}


@pytest.mark.parametrize("own", [5, 9])
def test_all_in_one_where_there_would_be_more(own: int) -> None:
    sent = new_sent("sns", "Publish", "t", CORRELATION)
    done = stamped(_own(own), sent, 10_000)
    assert done is not None
    assert len(done) == own + 1
    assert json.loads(done["clew-context"]["BinaryValue"]) == fields_of(sent)


def test_none_where_there_is_no_room() -> None:
    one_each = sum(
        len(n) + len("String") + len(v) for n, v in CORRELATION.outgoing("0" * 16).items()
    )
    for own, room, carried in ((10, 10_000, False), (0, one_each, True), (0, 100, False)):
        sent = new_sent("sns", "Publish", "t", CORRELATION)
        assert (stamped(_own(own), sent, room) is not None) is carried
        assert sent.carried is carried


def test_the_users_own_value_of_a_field_stays() -> None:
    own = {"X-Correlation-User-Id": _text("theirs")}
    sent = new_sent("sns", "Publish", "t", CORRELATION)
    done = stamped(own, sent, 10_000)
    assert done is not None
    assert done["X-Correlation-User-Id"] == _text("theirs")
    assert "x-correlation-user-id" not in done
    assert done["x-correlation-id"] == _text("request-1")


def test_a_trace_of_another_library_stays_and_the_ids_are_added() -> None:
    sent = new_sent("sns", "Publish", "t", CORRELATION)
    done = stamped({"traceparent": _text(OTHER)}, sent, 10_000)
    assert done is not None
    assert done["traceparent"] == _text(OTHER)
    assert done["x-correlation-id"] == _text("request-1")
    assert sent.span_id == "2" * 16
    assert (sent.correlation.id, sent.correlation.trace_id) == ("request-1", "1" * 32)


def test_where_only_that_fits_it_is_what_travels(caplog: pytest.LogCaptureFixture) -> None:
    sent = new_sent("sns", "Publish", "t", CORRELATION)
    assert stamped({"traceparent": _text(OTHER), **_own(9)}, sent, 10_000) is None
    assert (sent.span_id, sent.carried) == ("2" * 16, True)
    assert not caplog.records


@pytest.mark.parametrize("kind", ["BinaryValue", "StringValue"])
def test_a_packed_context_is_taken_over(kind: str) -> None:
    other = {"x-correlation-id": "other", "traceparent": OTHER}
    text = json.dumps(other)
    packed = {"Clew-Context": {"DataType": "x", kind: text.encode() if kind[0] == "B" else text}}
    sent = new_sent("sns", "Publish", "t", CORRELATION)
    assert stamped(packed, sent, 10_000) is None
    assert sent.span_id == "2" * 16
    assert (sent.correlation.id, sent.correlation.trace_id) == ("other", "1" * 32)


def test_a_packed_context_that_is_none_cannot_be_joined() -> None:
    sent = new_sent("sns", "Publish", "t", CORRELATION)
    assert stamped({"clew-context": _text("broken")}, sent, 10_000) is None
    assert not sent.carried

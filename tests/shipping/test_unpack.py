"""What is delivered is unpacked within bounds, whatever it is."""

from __future__ import annotations

import base64
import gzip
import json
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.shipping.errors import UnreadableError
from clew.shipping.unpack import MAX_MEMBERS, batches, gunzip

from .making import batch, packed, text_of


def test_a_batch_comes_out_as_it_went_in() -> None:
    one = batch("hello", "wörld \ud83d")
    assert batches(text_of(one)) == [one]
    assert batches(packed(one)) == [one]
    assert batches(json.dumps(one).encode()) == [one]  # Firehose may unpack it on the way


@pytest.mark.parametrize("between", [b"", b"\n"])
def test_batches_that_firehose_joined_are_all_read(between: bytes) -> None:
    one, other = batch("one"), batch("other")
    assert batches(packed(one, other)) == [one, other]
    joined = json.dumps(one).encode() + between + json.dumps(other).encode()
    assert batches(joined) == batches(gzip.compress(joined)) == [one, other]
    assert batches(packed(one) + b"\0" * 512) == [one]


def test_a_bomb_takes_no_memory() -> None:
    bomb = gzip.compress(b"\0" * (32 << 20), 1)
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableError):
            batches(bomb, 1 << 20)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20


def test_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(b"\0" * (4 << 20))
    assert len(bomb) < 8_000
    with pytest.raises(UnreadableError, match=r"more than 1,048,576 bytes"):
        batches(bomb, 1 << 20)
    # Nor in parts, each of which is small.
    part = gzip.compress(b" " * 1000)
    with pytest.raises(UnreadableError, match="more than 10,000 bytes"):
        batches(part * 11, 10_000)
    with pytest.raises(UnreadableError, match=f"more than {MAX_MEMBERS} gzip members"):
        gunzip(gzip.compress(b"") * (MAX_MEMBERS + 1))
    with pytest.raises(UnreadableError, match="more than 100 bytes"):
        batches(json.dumps(batch("x" * 100)).encode(), 100)


@pytest.mark.parametrize(
    ("packed_", "said"),
    [
        ("no base64 at all!", "no base64"),
        ("ümläut", "no base64"),
        ("", "is empty"),
        (gzip.compress(b" "), "is empty"),
        (gzip.compress(b"{}")[:-4], "ends in the middle"),
        (gzip.compress(b"{}") + b"more", "something follows"),
        (b"\x1f\x8b" + b"\xff" * 20, "damaged"),
        (b"\xff\xfe", "no UTF-8"),
        (b"[1, 2", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "no JSON"),
        (b"[]", "no messageType"),
        (b'{"some": "object"}', "no messageType"),
    ],
    ids=range(13),
)
def test_what_is_no_batch_is_said(packed_: str | bytes, said: str) -> None:
    with pytest.raises(UnreadableError, match=said):
        batches(packed_)


@given(
    st.one_of(
        st.binary(max_size=300),
        st.text(max_size=300),
        st.binary(max_size=200).map(gzip.compress),
        st.binary(max_size=200).map(lambda data: base64.b64encode(gzip.compress(data)).decode()),
        st.tuples(st.binary(max_size=60), st.integers(0, 60)).map(
            lambda both: gzip.compress(both[0])[: both[1]] + both[0]
        ),
        st.binary(max_size=200).map(zlib.compress),
    )
)
def test_any_bytes_are_batches_or_unreadable(data: str | bytes) -> None:
    try:
        found = batches(data)
    except UnreadableError:
        return
    assert all(isinstance(one, dict) for one in found)

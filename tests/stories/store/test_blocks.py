"""Messages come out of a block as they went in, or it is said that they do not."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.errors import ClewError
from clew.stories.store import blocks

TEXTS = ["", "one", "ünï", "x" * 10_000]


@given(st.lists(st.text(), max_size=blocks.LINES))
def test_what_was_packed_is_unpacked(texts: list[str]) -> None:
    data = [text.encode("utf-8", "replace") for text in texts]
    assert blocks.unpack(blocks.pack([data])[0]) == [one.decode() for one in data]


def test_with_zstandard_or_without(monkeypatch: pytest.MonkeyPatch) -> None:
    data = [text.encode() for text in TEXTS]
    with_it = blocks.pack([data])[0]
    with monkeypatch.context() as patched:
        patched.setattr(blocks, "zstandard", None)
        without = blocks.pack([data])[0]
        assert blocks.unpack(without) == TEXTS
        with pytest.raises(ClewError, match=r"pip install 'clew\[stories\]'"):
            blocks.unpack(with_it)
    assert blocks.unpack(without) == blocks.unpack(with_it) == TEXTS
    assert with_it != without


def test_each_block_by_itself() -> None:
    assert blocks.pack([]) == []
    two = blocks.pack([[b"one"], [b"two", b""]])
    assert [blocks.unpack(one) for one in two] == [["one"], ["two", ""]]


@pytest.mark.parametrize("zstd", [True, False])
def test_damage_is_seen(zstd: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not zstd:
        monkeypatch.setattr(blocks, "zstandard", None)
    block = blocks.pack([[text.encode() for text in TEXTS]])[0]
    for damaged in (b"", block[:3], block[:4], block[:9], block[:-1], b"text", zlib.compress(b"")):
        with pytest.raises(blocks.DamagedError):
            blocks.unpack(damaged)


def test_a_block_that_says_it_is_enormous_is_damaged() -> None:
    # A zstd frame whose header promises 2**62 bytes.
    block = b"\x28\xb5\x2f\xfd\xe0" + (1 << 62).to_bytes(8, "little") + b"\x01\x00\x00"
    with pytest.raises(blocks.DamagedError):
        blocks.unpack(block)

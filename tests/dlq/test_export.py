"""JSON for scripts, and for files that outlive a queue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import clew
from clew.dlq.export import as_json
from log.lines import logged
from streams.making import Context
from streams.queues import batch

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Queue, Ran

ANY = st.text(st.characters(codec=None, exclude_categories=()) | st.sampled_from('\\u"dD8c'))


def whole(text: str) -> str:
    """With its pairs of surrogates as the characters that they are, and U+FFFD for halves."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


@given(ANY, st.sampled_from([None, 2]))
def test_any_text_is_json_that_every_reader_reads(text: str, indent: int | None) -> None:
    written = as_json({text: [text]}, indent=indent)
    assert written.isascii()
    ((name, (value,)),) = json.loads(written).items()
    assert name == value == whole(text)
    value.encode()  # Python lets halves through; jq does not


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("\ud800", "\ufffd"),
        ("\udfff\ud800x", "\ufffd\ufffdx"),
        ("\\ud800", "\\ud800"),
        ("\\\ud800", "\\\ufffd"),
        ("\U0001f600\ud83d", "\U0001f600\ufffd"),
    ],
)
def test_halves_of_characters_are_replaced(text: str, read: str) -> None:
    assert json.loads(as_json(text)) == read


def test_one_letter_that_is_no_unicode_does_not_spoil_the_list(
    dlq: Callable[..., Ran], queue: Queue
) -> None:
    def each(_record: object) -> None:
        raise ValueError("half: \ud800")

    with logged():
        clew.kinesis_handler(on_failure=clew.dead_letter(queue.url))(each)(batch(1), Context())
    listed = dlq("list", queue.name, "--json")
    (letter,) = listed.json
    assert letter["error"]["message"] == "half: \ufffd"
    shown = dlq("show", queue.name, letter["id"], "--json")
    assert shown.json["envelope"]["error"]["message"] == "half: \ufffd"
    exact = json.loads(shown.json["message"]["body"])
    assert exact["error"]["message"] == "half: \ud800", "the message itself is as it was"

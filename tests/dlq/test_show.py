"""One letter on a terminal. Whatever stands in it is text there."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

import clew
from clew.dlq.letter import read_letter
from clew.dlq.message import Message
from clew.dlq.opened import Opened
from clew.dlq.view import payload_lines, print_letter
from log.lines import logged
from streams.making import Context, event, kinesis
from streams.queues import as_event

from .conftest import dead_letters, one_sentence

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Queue, Ran, Stream

    Dlq = Callable[..., Ran]

HOSTILE = "\x1b]0;owned\x07 \x1b[31mred \u202egnp.exe \u200b \x00 \x9b2J [bold]x[/bold]"


def test_all_of_it_is_shown(dlq: Dlq, queue: Queue, stream: Stream) -> None:
    dead_letters(queue, 3, stream)
    found = dlq("list", queue.name, "--json").json[1]
    ran = dlq("show", queue.name, found["id"][:8])
    assert ran.status == 0
    lines = [line.strip() for line in ran.out.splitlines()]
    assert lines[0] == f"Dead letter {found['id']}"
    for said in (
        "function   timeline version 7, request a-request",
        "attempts   1",
        "user-id    42",
        f"policy     dead_letter({queue.url!r})",
        "Error  KeyError: 1",
        '"n": 1',
        "Traceback (most recent call last):",
    ):
        assert said in lines
    assert any(line.startswith(f"from       Kinesis {stream.name}, shardId-") for line in lines)
    assert any(line.endswith(", key key-1") for line in lines)
    assert lines[-1] == "Story  clew story request-1 --name tests"
    for name in ("request-1", found["message"]["messageId"], found["id"]):
        assert dlq("show", queue.name, name, "--json").json["id"] == found["id"]


def test_which_one_is_said(dlq: Dlq, queue: Queue) -> None:
    dead_letters(queue, 3)
    with one_sentence(dlq("show", queue.name, "request-")) as sentence:
        assert "3 letters are called request-; name one of them: " in sentence
    for nobody in ("nobody", "r"):
        with one_sentence(dlq("show", queue.name, nobody)) as sentence:
            assert f"The queue {queue.name} has no letter {nobody}" in sentence
    assert (queue.visible, queue.hidden) == (3, 0)


def test_earlier_lives_are_told(dlq: Dlq, queue: Queue, stream: Stream) -> None:
    dead_letters(queue, 1, stream)

    def each(record: Any) -> None:
        message = "later on"
        raise TypeError(message)

    with logged():
        handler = clew.retry_handler(on_failure=clew.dead_letter(queue.url))(each)
        received = queue.take()
        handler(as_event(queue.arn, received), Context())
    queue.client.delete_message(QueueUrl=queue.url, ReceiptHandle=received[0]["ReceiptHandle"])
    out = dlq("show", queue.name, "request-0").out
    assert "Error  TypeError: later on" in out
    assert "attempts   2 in 2 lives" in out
    assert "Z in timeline: KeyError: 0" in out


def test_hostile_text_is_shown_as_text(dlq: Dlq, queue: Queue) -> None:
    def each(record: Any) -> None:
        raise KeyError(HOSTILE)

    raw = kinesis(0, "k\x1b[2J\u202e")
    raw["kinesis"]["data"] = b64encode(json.dumps({HOSTILE: HOSTILE}).encode()).decode()
    text = kinesis(1, "k")
    text["kinesis"]["data"] = b64encode(HOSTILE.encode()).decode()
    binary = kinesis(2, "k")
    binary["kinesis"]["data"] = b64encode(b"\xff\x1b[31m\x00").decode()
    with logged():
        handler = clew.kinesis_handler(on_failure=clew.dead_letter(queue.url))(each)
        handler(event([raw, text, binary]), Context())
    queue.send("plain \u202e bidi")
    found = dlq("list", queue.name, "--json").json
    outputs = [dlq("list", queue.name)]
    outputs += [dlq("show", queue.name, one["id"]) for one in found]
    outputs += [dlq("redrive", queue.name, "--to", "source", "--yes")]
    assert len(outputs) == 6
    for ran in outputs:
        for text_shown in (ran.out, ran.err):
            assert all(each.isprintable() or each == "\n" for each in text_shown)
    shown = "".join(ran.out for ran in outputs)
    assert "\\x1b]0;owned\\x07 \\x1b[31mred \\u202egnp.exe" in shown
    assert "[bold]x[/bold]" in shown
    assert "ff 1b 5b 33 31 6d 00" in shown


@settings(max_examples=40)
@given(st.binary(max_size=200))
def test_any_payload_is_printable(data: bytes) -> None:
    for line in payload_lines(data):
        assert line.isprintable()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
_NAMES = st.sampled_from(
    (
        *("clewDeadLetter", "id", "correlation", "error", "function", "origin", "payload"),
        *("requestContext", "functionArn", "condition", "KinesisBatchInfo", "requestPayload"),
        *("responsePayload", "responseContext", "Type", "Message", "TopicArn", "history"),
    )
)


@settings(max_examples=40)
@given(st.dictionaries(_NAMES, _JSON | st.dictionaries(_NAMES, _JSON, max_size=4)))
def test_whatever_stands_in_a_queue_is_read_and_shown(body: dict[str, Any]) -> None:
    for text in (
        json.dumps(body),
        json.dumps({"Type": "Notification", "TopicArn": "t", "Message": json.dumps(body)}),
        json.dumps({**_WHOLE, **{name: body[name] for name in body if name in _LOOSE}}),
    ):
        letter = read_letter(Message("an-id", text, {"SentTimestamp": "1545082649183"}))
        console = Console(file=None, width=80)
        with console.capture() as shown:
            print_letter(Opened(letter), console, "")
        assert all(each.isprintable() or each == "\n" for each in shown.get())


_LOOSE = ("error", "function", "history", "correlation")
_WHOLE = {
    "clewDeadLetter": 1,
    "id": "7f0c",
    "correlation": {},
    "error": {},
    "function": {},
    "origin": {"source": "aws:kinesis"},
    "payload": {"encoding": "utf-8", "data": "{}"},
}


@pytest.mark.parametrize("depth", [10, 100_000])
def test_deep_json_is_shown(depth: int) -> None:
    data = b"[" * depth + b"]" * depth
    assert "".join(payload_lines(data)).replace(" ", "").startswith("[[[[")

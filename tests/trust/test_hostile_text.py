"""What strangers write never drives a header, a log line or a terminal."""

from __future__ import annotations

import io
import json
import unicodedata
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.console import Console

import clew
from capture.events import Context, attributes, kinesis, rest_api, sns, with_context
from clew.cli.local_logs import raw_text
from clew.cli.local_logs import text as as_text
from clew.forward.http_headers import HttpSend
from clew.localcloud import LogLine
from clew.stories.terminal import print_story
from clew.stories.to_json import story_json
from forward.server import Server
from handlers.every import EVERY
from log.lines import invocation, logged
from stories.runtime import Run, story_of

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What splits a header, drives a terminal, or turns text around.
HOSTILE = [
    "a\r\nset-cookie: b=c",
    "a\nb",
    "a\rb",
    "\x00",
    "\x1b[2J\x1b]0;title\x07",
    "\x9b31m",
    "\x7f",
    "\u202egnp.exe",
    "\u2066a\u2069",
    "\u200b\ufeff",
    "\u2028\u2029\x85",
    "\ud800",
    "\U000e0041",
]
texts = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=[])))
names = st.one_of(
    texts,
    texts.map(lambda text: f"x-correlation-{text}"),
    st.sampled_from(["x-correlation-id", "user-agent", "debug-log-enabled", "tracestate"]),
    st.sampled_from(["traceparent", "baggage", "call-chain-length", "debug-log-signature"]),
)
few = settings(max_examples=60, deadline=None)


@pytest.fixture(autouse=True)
def _hooked() -> Iterator[None]:
    clew.instrument()
    yield
    clew.uninstrument()


def assert_harmless(headers: dict[str, str]) -> None:
    """Each name and value is one that HTTP, attributes and metadata can carry."""
    for name, value in headers.items():
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-"), name
        assert value
        assert value.isascii(), value
        assert value.isprintable(), value


# ---- headers


def sent_under(correlation: clew.Correlation) -> list[dict[str, str]]:
    """What goes out, in every form: as headers, as a context, and stamped by hand."""
    with clew.use(correlation):
        stamped: dict[str, str] = clew.stamp({}) if correlation else {}
        with HttpSend("requests", "GET", "http://127.0.0.1/", {}) as send:
            headers = send.headers
    context: dict[str, str] = json.loads(correlation.as_context("b" * 16))
    return [headers, stamped, context, correlation.outgoing("b" * 16)]


@few
@given(st.dictionaries(names, texts, max_size=6), texts, texts, texts)
@example(dict.fromkeys(["x-correlation-id", "user-agent"], HOSTILE[0]), *HOSTILE[:3])
def test_what_is_made_by_hand(fields: dict[str, str], trace: str, flags: str, state: str) -> None:
    with logged():
        correlation = clew.Correlation(
            {"x-correlation-id": "a", **fields},
            trace_id=trace,
            trace_flags=flags,
            tracestate=state,
            baggage=state,
        )
        for sent in sent_under(correlation):
            assert_harmless(sent)


@few
@given(st.dictionaries(st.text(), texts, max_size=6))
@example({"user_id": HOSTILE[0], HOSTILE[0]: "a"})
def test_what_is_bound(ids: dict[str, str]) -> None:
    with logged() as lines, clew.use(clew.Correlation({"x-correlation-id": "a"})):
        correlation = clew.bind(**ids)
        for sent in sent_under(correlation):
            assert_harmless(sent)
    assert correlation.id == "a"
    assert len(lines) <= 1


@few
@given(st.dictionaries(names, texts, max_size=6), st.sampled_from(["api", "sns", "kinesis", "any"]))
@example(dict.fromkeys(["x-correlation-id", "X-Correlation-User-Id"], HOSTILE[0]), "api")
def test_what_came_in(fields: dict[str, str], way: str) -> None:
    sent: list[dict[str, str]] = []

    def body(_: Any) -> None:
        sent.extend(sent_under(clew.current()))

    kind, event = {
        "api": ("rest api", rest_api(fields)),
        "sns": ("sns", sns("hello", attributes(fields))),
        "kinesis": ("kinesis", kinesis(with_context(b"{}", fields))),
        "any": ("direct", {"a": 1, "__context": fields}),
    }[way]
    with logged() as lines:
        EVERY[kind][0](body)(event, Context())
    assert sent
    for one in sent:
        assert_harmless(one)
    assert invocation(lines)["outcome"] == "ok"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server.running() as running:
        yield running


@pytest.mark.parametrize("text", [text for text in HOSTILE if text != "\ud800"])
def test_a_request_is_made_and_nothing_is_added_to_it(text: str, server: Server) -> None:
    server.received.clear()
    by_hand = {"x-correlation-id": text, "x-correlation-kept": "1", f"x-correlation-{text}": "b"}
    with logged(), clew.use(clew.Correlation(by_hand)):
        answer = requests.get(server.url("/"), timeout=10)
    assert answer.status_code == 200
    (received,) = server.received
    assert "set-cookie" not in received["names"]
    assert received["headers"]["x-correlation-kept"] == "1"
    assert "x-correlation-id" not in received["headers"]


def test_the_answer_carries_no_id_that_splits_it() -> None:
    with logged():
        handler = EVERY["rest api"][0](lambda _: {"statusCode": 200})
        for text in HOSTILE:
            answer = handler(rest_api({"x-correlation-id": text}), Context())
            assert_harmless(answer["headers"])


# ---- lines


@few
@given(texts, texts, texts)
def test_whatever_is_logged_is_one_line_of_ascii(message: str, name: str, value: str) -> None:
    class HostileError(Exception):
        """Its text is the stranger's."""

    HostileError.__qualname__ = name
    error = HostileError(value)
    with logged() as lines:  # which reads them: ASCII, printable, one object each
        log = clew.get_logger(f"tests.{name}")
        log.error(message, extra={name: value, "inner": {name: [value]}}, exc_info=error)
        log.error("%s", value)
    assert lines[0]["message"] == message
    assert lines[1]["message"] == value


# ---- terminals


def drives_a_terminal(text: str) -> list[str]:
    """The characters that a terminal obeys, or that hide or turn around what it shows."""
    categories = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    return [each for each in text if unicodedata.category(each) in categories]


@few
@given(texts, texts)
@example("a\r\nset-cookie: b=c", "\t")
def test_the_local_clouds_logs(message: str, group: str) -> None:
    with logged() as lines:
        clew.get_logger("tests.hostile").info(message, extra={f"f{group}": message})
    for written in (message, json.dumps(lines[0]), json.dumps(lines[0], ensure_ascii=False)):
        at = datetime(2026, 1, 2, tzinfo=UTC)
        line = LogLine(at, f"/aws/lambda/{group}", "stream", written)
        for shown in (as_text(line), raw_text(line)):
            assert drives_a_terminal(shown) == []


@few
@given(texts, texts, texts)
def test_a_story(function: str, message: str, target: str) -> None:
    run = Run(function, source="aws:sns")
    own = run.receive(error=message, outcome="failed", position={"messageId": target})
    fields: Any = {f"f{target}": message}
    run.log(own, message, error=ValueError(message), **fields)
    run.text(message)
    run.send(own, target=target, outcome="error", error=message)
    story = story_of(run.end(ValueError(message)))
    for encoding in ("utf-8", "ascii"):
        data = io.BytesIO()
        with io.TextIOWrapper(data, encoding=encoding, write_through=True) as shown:
            print_story(story, Console(file=shown, width=80, highlight=False))
            text = data.getvalue().decode(encoding)
        assert set(drives_a_terminal(text)) <= {"\n"}
    assert json.dumps(story_json(story)).isascii()

"""Whatever a log holds is text on the page, in every place that shows it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from clew.stories.lines import RawLine
from clew.stories.web.render import environment
from clew.stories.web.shelf import Shelf
from clew.stories.web.site import Site

from .asking import Browser, text_of

if TYPE_CHECKING:
    from pathlib import Path

AT = 1_767_323_045_000
ID = "<svg/onload=alert(1)>"
PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "</pre></template></script><script>alert(1)</script>",
    "\u202egnp.exe\u2066",
    "\x1b[2J\x1b]0;title\x07",
    "nul\x00and\x9b31m",
    "\ud800 half",
    "&lt;b&gt;",
]
#: Nothing that a browser takes for more than text may be left of them.
ALIVE = re.compile(
    r"<script>|<img|<svg/onload|onerror=alert\(1\)>|' onmouseover='|\x1b|\x00|\x9b|[\u202a-\u202e"
    r"\u2066-\u2069]|href=\"javascript|>49"
)


def line(payload: str, **more: Any) -> str:
    """A line that has the payload in every member."""
    found = {
        "timestamp": "2026-01-02T03:04:05.000Z",
        "level": "ERROR",
        "message": payload,
        "logger": payload,
        "requestId": payload,
        "function": payload,
        "version": payload,
        "x-correlation-id": payload,
        "x-correlation-user-id": payload,
        "user-agent": payload,
        "traceId": payload,
        "spanId": payload,
        "exception": {"type": payload, "message": payload, "stack": [payload, payload]},
        "flightRecorder": True,
        payload: payload,
        "nested": {payload: [payload]},
    }
    return json.dumps(found | more)


def invocation(payload: str) -> str:
    entry = {"span": payload, "parent": payload, "trace": payload, "id": payload, "error": payload}
    sent = {
        **entry,
        "parent": payload,
        "service": payload,
        "operation": payload,
        "target": payload,
        "at": "2026-01-02T03:04:05.000Z",
        "outcome": "error",
        "messageId": payload,
        "deadLetter": payload,
        "status": 500,
    }
    return line(
        payload,
        message="invocation",
        logger="clew",
        source=payload,
        outcome="error",
        startedAt="2026-01-02T03:04:05.000Z",
        durationMs=1e300,
        chunk=1,
        chunks=1,
        received=[{**entry, "outcome": payload, "attempts": 10**30, payload: payload}],
        sent=[sent, {**sent, "service": "http", "span": "other"}],
    )


@pytest.fixture(params=PAYLOADS, ids=range(len(PAYLOADS)))
def hostile(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    payload: str = request.param
    with Shelf(tmp_path / "lines.db", write=True) as shelf:
        group = f"/aws/lambda/{payload}".encode("utf-8", "replace").decode()
        shelf.add(
            RawLine(AT + number, group, payload, message)
            for number, message in enumerate(
                (line(payload), invocation(payload), payload, f"REPORT {payload}")
            )
        )
        yield payload, Browser(Site(shelf, payload))


def _sendable(payload: str) -> str:
    return payload.encode("utf-8", "replace").decode()


def test_no_page_runs_what_a_log_holds(hostile: tuple[str, Browser]) -> None:
    payload, browser = hostile
    for path in ("/", "/live", "/map?since=", "/functions?since=all"):
        answer = browser.get(path)
        assert answer.status_code == 200, path
        assert not ALIVE.search(answer.text), (path, ALIVE.search(answer.text))
    told = text_of(browser.get("/").text)
    assert payload.isprintable() is (" ".join(payload.split()) in told)


def test_no_story_runs_what_a_log_holds(hostile: tuple[str, Browser]) -> None:
    payload, browser = hostile
    answer = browser.ask("GET", "/story", params={"id": _sendable(payload)})
    assert answer.status_code in (200, 404)
    assert not ALIVE.search(answer.text), ALIVE.search(answer.text)
    if payload.isprintable():
        assert answer.status_code == 200
    same = browser.ask("GET", "/story", params={"id": _sendable(payload), "as": "json"})
    assert same.status_code == answer.status_code


@pytest.mark.parametrize("name", ["q", "function", "level", "since", "until", "before", "told"])
def test_no_page_runs_what_an_address_holds(browser: Browser, name: str) -> None:
    for payload in PAYLOADS:
        value = _sendable(payload)
        for path in ("/", "/live", "/map", "/story", "/login"):
            answer = browser.ask("GET", path, params={name: value, "next": value, "id": value})
            assert answer.status_code in (200, 404), (path, name, payload)
            assert not ALIVE.search(answer.text), (path, name, payload)


def test_a_huge_line_is_cut(tmp_path: Path) -> None:
    with Shelf(tmp_path / "lines.db", write=True) as shelf:
        shelf.add(
            [
                RawLine(AT, "/aws/lambda/f", "s", "A" * 10_000_000),
                RawLine(AT + 1, "/aws/lambda/f", "s", line("B" * 900_000)),
                RawLine(AT + 2, "/aws/lambda/f", "s", "[" * 500_000),
                RawLine(AT + 3, "/aws/lambda/f", "s", '{"a":' * 90_000),
            ]
        )
        browser = Browser(Site(shelf, "x"))
        for path in ("/", "/live", "/functions?since=all"):
            answer = browser.get(path)
            assert answer.status_code == 200
            assert len(answer.text) < 400_000, path


def test_times_beyond_all_times_are_shown(tmp_path: Path) -> None:
    with Shelf(tmp_path / "lines.db", write=True) as shelf:
        late = invocation("f").replace("2026-01-02T03:04:05.000Z", "9999-12-31T23:59:59.999Z")
        shelf.add([RawLine(2**62, "/aws/lambda/f", "s", late), RawLine(0, "g", "s", line("f"))])
        browser = Browser(Site(shelf, "x"))
        for path in ("/", "/story?id=f", "/live", "/map?since=all", "/functions?since=all"):
            assert browser.get(path).status_code == 200, path


def test_syntax_of_the_index_is_data(browser: Browser) -> None:
    for text in (
        '"', "'", "a OR b", "NOT", "NEAR(a b)", "^a", "a*", "*", "-a", "col:a", "(", ")) OR 1=1 --",
        "'; DROP TABLE line; --", "user-id=' OR '1'='1", "x=" + "y" * 300, "\x00", "%", "a=b=c",
    ):  # fmt: skip
        answer = browser.ask("GET", "/", params={"q": text})
        assert answer.status_code == 200, text
    assert "card declined" in browser.get("/").text


def test_no_template_marks_anything_as_safe() -> None:
    loader = environment().loader
    assert loader is not None
    for name in loader.list_templates():
        source = loader.get_source(environment(), name)[0]
        assert "|safe" not in source.replace(" ", "")
        assert "autoescape" not in source
        assert not re.search(r"=\{\{", source), f"{name} has an attribute without quotes"

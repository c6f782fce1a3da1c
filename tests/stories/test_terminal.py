"""The tree is readable at any width, without colour, and shows hostile text as what it is."""

from __future__ import annotations

import contextlib
import io
import json
import re
import unicodedata
from typing import Any

import pytest
from rich.console import Console

import clew
from clew.stories.terminal import print_story

from .runtime import Run, http, story_of


def shown(
    *runs: Run,
    width: int = 80,
    colours: bool = False,
    encoding: str = "utf-8",
    request: str = "request-1",
) -> str:
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=out, width=width, highlight=False, force_terminal=colours or None)
    print_story(story_of(*runs, request=request), console)
    out.seek(0)
    return out.read()


def example() -> list[Run]:
    """An API that calls another and publishes to a topic with two functions, one of which fails."""
    edge = Run("api-a", source="aws:apigateway", cold_start=True)
    received = edge.receive(ms=120)
    bound = received.with_ids({"x-correlation-user": "42"})
    edge.log(bound, "calling", uri="http://127.0.0.1/b", tries=[1, 2])
    call = http(edge, bound, at=5)
    publish = edge.send(bound, at=60)
    edge.log(bound, "published", at=61)
    edge.send(bound, "kinesis", "clicks", "PutRecord", at=70)
    edge.log(bound, "after all", at=80, level="WARNING")
    edge.end(took_ms=120)
    called = Run("api-b", at=10, source="aws:apigateway")
    called.log(called.receive(answers=call, user="42", ms=8), "looking", level="DEBUG")
    called.end()
    mail = Run("mail", at=70)
    failing = mail.receive(answers=publish, outcome="failed", error="ValueError: no card", ms=20)
    mail.log(failing, "held", level="DEBUG", flight_recorder=True)
    mail.log(failing, "oops", level="ERROR", error=ValueError("no card"))
    mail.end(ValueError("no card"))
    audit = Run("audit", at=75)
    audit.receive(answers=publish, attempts=3)
    audit.end()
    return [edge, called, mail, audit]


def test_the_tree_tells_the_story_in_the_order_of_time() -> None:
    assert shown(*example()).splitlines() == [
        "Story of request-1",
        "4 hops in 4 functions, 120 ms, from 2026-01-02T03:04:05.000Z",
        "Broke at api-a: not received, hop 1, and 1 more break",
        "",
        "api-a  API Gateway  +0 ms  took 120 ms  done  (cold start)",
        "│  ids  user=42",
        "│  INFO     calling  uri=http://127.0.0.1/b  tries=[1,2]",
        "├─ -> GET 127.0.0.1:4566/b  +5 ms  answered 200",
        "│  └─ api-b  API Gateway  +10 ms  took 8 ms  done",
        "│        DEBUG    looking",
        "├─ -> SNS topic orders  +60 ms",
        "│  ├─ mail  SNS  +70 ms  took 20 ms  FAILED",
        "│  │     DEBUG    held  (flight recorder)",
        "│  │     ERROR    oops",
        "│  │              ValueError: no card",
        "│  │     BREAK  failed: ValueError: no card",
        "│  └─ audit  SNS  +75 ms  took 5 ms  done  (3 attempts)",
        "│  INFO     published",
        "└─ -> Kinesis stream clicks  +70 ms",
        "   BREAK  not received",
        "   WARNING  after all",
        "",
        "BREAK  api-a sent to the Kinesis stream clicks at 03:04:05.070 UTC, and nobody",
        "       received it.",
        "       Whether a mapping reads the stream, and how far it is, no log says.",
        "BREAK  mail failed on what api-a sent to the SNS topic orders at 03:04:05.090",
        "       UTC: ValueError: no card.",
        "       Lambda tries such an event three times, if not told otherwise, and then",
        "       drops it or hands it to an on-failure destination or dead-letter queue:",
        "       no function's log says which.",
    ]


def charge(card: str) -> None:
    raise ValueError(card + "?")


def test_an_exception_is_shown_with_the_end_of_its_stack() -> None:
    run = Run("f")
    with pytest.raises(ValueError, match="visa") as raised:
        charge("visa")
    run.log(run.receive(), "oops", level="ERROR", error=raised.value)
    run.end()
    lines = [line.strip() for line in shown(run, width=200).splitlines()]
    last = lines.index("ValueError: visa?")
    assert lines[last - 1] == 'raise ValueError(card + "?")'
    assert re.fullmatch(r"stories/test_terminal\.py:\d+ in charge", lines[last - 2])
    assert lines[last - 3] == 'charge("visa")'


def test_a_failure_that_nobody_logged_is_shown_with_its_stack_too() -> None:
    run = Run("f")
    run.receive(outcome="failed", error="ValueError: visa?")
    with pytest.raises(ValueError, match="visa") as raised:
        charge("visa")
    run.end(raised.value)
    lines = [line.strip() for line in shown(run, width=200).splitlines()]
    where = lines.index("BREAK  failed: ValueError: visa?")
    assert lines[where - 1] == 'raise ValueError(card + "?")'


def test_a_stack_is_shown_without_clews_own_frames() -> None:
    @clew.handler
    def fails(_event: Any, _context: Any) -> None:
        charge("visa")

    with (
        contextlib.redirect_stdout(io.StringIO()),
        pytest.raises(ValueError, match="visa") as raised,
    ):
        fails({}, None)
    run = Run("f")
    run.log(run.receive(), "oops", level="ERROR", error=raised.value)
    run.end()
    assert "/clew/handlers/" in "".join(line.message for line in run.lines)
    text = shown(run, width=200)
    assert "handlers/" not in text
    assert "in fails" in text


def test_a_stack_that_is_clews_alone_is_shown() -> None:
    run = Run("f")
    run.log(run.receive(), "oops")
    line = json.loads(run.lines.pop().message)
    frames = ['File "/opt/python/clew/handlers/run.py", line 3, in run', "it()", "KeyError: 1"]
    line["exception"] = {"type": "KeyError", "message": "1", "stack": frames}
    run.text(json.dumps(line))
    run.end()
    assert "handlers/run.py:3 in run" in shown(run, width=200)


def test_the_stack_of_every_delivery_is_shown_once() -> None:
    edge = Run("edge")
    publish = edge.send(edge.receive())
    edge.end()
    runs = [edge]
    for number in (1, 2, 3):
        run = Run("mail", at=100 * number)
        received = run.receive(answers=publish, outcome="failed", error="ValueError: visa?")
        with pytest.raises(ValueError, match="visa") as raised:
            charge("visa")
        run.log(received, "oops", level="ERROR", error=raised.value)
        run.end(raised.value)
        runs.append(run)
    text = shown(*runs, width=200)
    assert text.count("in charge") == 1
    assert text.count("BREAK") == 2  # in its place, and at the end
    assert "failed" in text
    assert "(delivery 3 of 3)" in text


@pytest.mark.parametrize("width", [20, 40, 80, 300])
def test_no_line_is_wider_than_the_terminal_leaves_room_for(width: int) -> None:
    text = shown(*example(), width=width)
    assert max(map(len, text.splitlines())) <= max(width, 50)
    assert " ".join(text.split()).count("BREAK") == 4


def test_colour_is_never_all_that_tells_an_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    runs = example()
    coloured = shown(*runs, colours=True)
    assert "\x1b[1;31m" in coloured
    monkeypatch.setenv("NO_COLOR", "1")
    plain = shown(*runs, colours=True)
    assert "31m" not in plain
    assert "FAILED" in plain


HOSTILE = (
    "[bold]x[/bold] :smile: \x1b]0;title\x07\x1b[2J \u202eevil\u2066 \x9b31m a\rb\nc\u200b\ud800"
)


def test_hostile_text_reaches_the_terminal_spelled_out() -> None:
    run = Run("f[red]", source=f"aws:{HOSTILE}")
    received = run.receive(f"{HOSTILE}", user=HOSTILE, outcome=HOSTILE, error=HOSTILE)
    fields: dict[str, Any] = {HOSTILE: HOSTILE, "deep": {"a": [HOSTILE]}}
    run.log(received, HOSTILE, level=HOSTILE, **fields)
    run.log(received, "thrown", error=ValueError(HOSTILE))
    run.send(received, HOSTILE, HOSTILE, HOSTILE, outcome="error", error=HOSTILE)
    http(run, received, outcome="error", error=HOSTILE)
    run.end(KeyError(HOSTILE))
    for encoding in ("utf-8", "ascii"):
        text = shown(run, request=HOSTILE, encoding=encoding)
        assert "[bold]x[/bold] :smile:" in text
        bad = {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c != "\n"}
        assert bad == set()
        assert "\\x1b[2J" in text
        assert "f[red]" in text
    assert text.isascii()


def test_a_deep_chain_keeps_to_the_width_and_says_what_is_under_what() -> None:
    runs = []
    parent = ""
    for number in range(60):
        run = Run(f"f{number}", at=number)
        parent = run.send(run.receive(answers=parent)).span_id
        run.end()
        runs.append(run)
    text = shown(*runs)
    assert max(map(len, text.splitlines())) <= 80
    assert "hop 60, under hop 59: f59" in text


def test_a_circle_is_drawn_once() -> None:
    runs = [Run("f", at=1), Run("g", at=2)]
    for number, run in enumerate(runs):
        run.send(run.receive(answers=f"{number:016x}")).span_id = f"{1 - number:016x}"
        run.end()
    text = shown(*runs)
    assert text.count("took") == 2
    assert "received by hop 1, shown elsewhere" in text


def test_many_lines_and_breaks_are_counted_not_printed() -> None:
    run = Run("f")
    received = run.receive()
    for number in range(300):
        run.log(received, f"line {number}", at=number)
        run.send(received, at=number)
    run.end()
    text = shown(run)
    assert "100 more lines (--json has them all)" in text
    assert "250 more breaks (--json has them all)" in text


def test_a_whole_story_says_so_and_a_poor_one_says_why() -> None:
    run = Run("f")
    run.receive()
    run.end()
    assert "Nothing broke" in shown(run)
    poor = Run("f")
    poor.text('{"message": "a", "x-correlation-id": "request-1"}')
    assert "only the id is known" in shown(poor)


def test_what_lambda_said_of_a_stopped_invocation_is_shown() -> None:
    request_id = "4f0c1f0e-0d7a-4f3e-9d53-0a3a5b1f6f5e"
    run = Run("slow", request_id=request_id)
    run.log(run.receive(), "starting")
    run.text(f"{request_id} Task timed out after 3.00 seconds", at=3000)
    text = shown(run, width=120)
    assert "TIMED OUT" in text
    assert "Broke at slow: timed out, hop 1" in text
    assert f"LAMBDA   {request_id} Task timed out after 3.00 seconds" in text

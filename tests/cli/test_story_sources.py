"""``clew story`` by words, compared, followed and as HTML; from files, stores and OpenSearch."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

from clew.cli import main
from stories.opensearch import Server
from stories.runtime import Run
from stories.test_files_source import ndjson
from stories.test_opensearch_source import shipped
from stories.test_search import lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from clew.stories.lines import RawLine

    Clew = Callable[..., "Done"]


class Done(NamedTuple):
    """How a command line ended."""

    status: int
    out: str
    err: str


def runner(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Clew:
    """What runs ``clew story`` within this process."""
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments: str) -> Done:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["story", *arguments])
        return Done(int(str(ended.value.code)), *capfd.readouterr())

    return run


@pytest.fixture
def clew(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Clew:
    return runner(capfd, monkeypatch)


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "lines.ndjson"
    path.write_bytes(ndjson())
    return str(path)


def as_ndjson(found: list[RawLine]) -> str:
    return "".join(
        json.dumps(
            {"at": one.at_ms, "logGroup": one.log_group, "stream": "", "message": one.message}
        )
        + "\n"
        for one in found
    )


def test_stories_are_listed_by_words_and_the_only_one_is_shown(clew: Clew, file: str) -> None:
    several = clew("--search", "user 42 checkout failed", "--from", file)
    assert several.status == 0
    assert several.out.startswith("2 stories have user, 42, checkout, failed:\n\nrequest-3\n")
    assert (
        "  2026-01-02T03:04:07.000Z  25 ms  2 hops  FAILED\n  checkout-api, mail\n" in several.out
    )
    assert "  card declined\n" in several.out
    one = clew("--search", "user 7 checkout", "--from", file, "--check")
    assert (one.status, one.out.splitlines()[0]) == (0, "Story of request-4")
    told = json.loads(clew("--search", "user 7 checkout", "--from", file, "--json").out)
    assert [one["id"] for one in told["stories"]] == ["request-4"]
    none = clew("--search", "unicorn", "--from", file)
    assert (none.status, none.out) == (1, "")
    assert none.err.startswith("clew: No story has any of these words: unicorn, in ")
    nearest = clew("--search", "declined unicorn", "--from", file, "--check")
    assert nearest.out.startswith("2 stories have declined (unicorn is nowhere):")
    assert nearest.status == 2
    many = clew("--search", "checkout", "--from", file, "--html", "x.html")
    assert (many.status, "4 stories match; --html writes one" in many.err) == (2, True)


def test_two_stories_are_compared(clew: Clew, file: str) -> None:
    done = clew("--diff", "request-1", "request-2", "--from", file, "--check")
    assert done.status == 2
    assert "In the first, mail was done; in the second it failed (ValueError: no card)." in done.out
    assert re.search(r"^!     mail +done 5 ms +FAILED 5 ms +\+0 ms$", done.out, re.MULTILINE)
    same = clew("--diff", "request-1", "request-4", "--from", file, "--check")
    assert (same.status, "They do not part" in same.out) == (0, True)
    told = json.loads(clew("--diff", "request-1", "request-2", "--from", file, "--json").out)
    assert told["parting"].startswith("In the first, mail")


def test_a_story_is_written_as_html(clew: Clew, file: str, tmp_path: Path) -> None:
    path = tmp_path / "story.html"
    done = clew("request-2", "--from", file, "--html", str(path), "--check")
    assert done.status == 2
    assert done.out.startswith("Wrote the story of request-2 to ")
    html = path.read_text()
    assert html.startswith("<!doctype html>")
    assert "card declined" in html
    typed = clew("request-2", "--from", file, "--html", "-")
    assert typed.out == html
    nowhere = clew("request-2", "--from", file, "--html", str(tmp_path / "no" / "x.html"))
    assert nowhere.err.startswith("clew: No such file or directory: ")


def test_a_story_is_followed_line_by_line_where_nobody_draws(clew: Clew, file: str) -> None:
    done = clew("request-2", "--from", file, "--follow", "--check", "--wait", "0")
    assert done.status == 2
    told = done.out.splitlines()
    assert told[0] == "03:04:07.000 UTC  checkout-api  began (API Gateway)"
    assert "03:04:07.022 UTC  mail  ERROR card declined" in told
    end = next(line for line in told if line.startswith("BREAK"))
    assert end.startswith("BREAK  mail failed on what checkout-api sent to the SNS topic")
    nothing = clew("request-9", "--from", file, "--follow", "--wait", "0")
    assert (nothing.status, nothing.out) == (1, "")
    assert nothing.err.splitlines() == [
        "Waiting for the first line of request-9.",
        "clew: Nothing of that request was logged within 0 seconds.",
    ]


def test_a_story_is_drawn_anew_on_a_terminal_as_it_comes(tmp_path: Path) -> None:
    path = tmp_path / "lines.ndjson"
    edge = Run("edge", source="aws:apigateway")
    publish = edge.send(edge.receive("request-1"))
    path.write_text(as_ndjson(edge.end()))
    late = Run("late-function", at=20)
    late.receive("request-1", answers=publish)
    outer, inner = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "clew", "story", "request-1", "--follow", "--from", str(path)],
        stdin=inner,
        stdout=inner,
        stderr=inner,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"},
    )
    os.close(inner)
    seen = ""
    deadline = time.monotonic() + 30
    try:
        while time.monotonic() < deadline:
            ready, _, _ = select.select([outer], [], [], 0.2)
            if ready:
                try:
                    data = os.read(outer, 65536)
                except OSError:  # its end, as Linux says it
                    break
                if not data:
                    break
                seen += data.decode()
            if "not received" in seen and late.invocation and not late.lines:
                with path.open("a") as more:
                    more.write(as_ndjson(late.end()))
        assert process.wait(20) == 0
    finally:
        process.kill()
        os.close(outer)
    before, _, after = seen.partition("late-function")
    assert "not received" in before
    assert "Nothing broke" in after
    assert "\x1b[" in seen


def test_a_store_and_standard_input_are_read(
    clew: Clew, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from clew.stories.store import Store

    with Store(tmp_path / "logs.db", write=True) as store:
        store.add(lines())
    by_words = clew("--search", "user 42 checkout failed", "--store", str(tmp_path / "logs.db"))
    assert by_words.out.startswith("2 stories have user, 42, checkout, failed:")

    class Stdin:
        buffer = io.BytesIO(ndjson())

    monkeypatch.setattr(sys, "stdin", Stdin())
    assert clew("request-2", "--from", "-").out.startswith("Story of request-2\n")


def test_opensearch_is_read(clew: Clew, monkeypatch: pytest.MonkeyPatch, file: str) -> None:
    server = Server(user="ann:secret")
    shipped(server, lines())
    with server as url:
        done = clew("request-2", "--opensearch", url, "--since", "9999d")
        assert done.out.startswith("Story of request-2\n")
        hour = clew("request-2", "--opensearch", url)
        assert hour.err.startswith("clew: No log line has the id request-2 in the index logs-* of")
        assert "look further back with --since" in hour.err
        monkeypatch.setenv("CLEW_OPENSEARCH", url)
        found = clew("--search", "declined", "--index", "logs-*", "--since", "9999d")
        assert found.out.startswith("2 stories have declined:")
        # What the command line names counts more than the environment.
        assert clew("request-2", "--from", file).status == 0
        assert "secret" not in done.err + hour.err + found.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Name the ID of a request, or say --search"),
        (("x", "--search", "y"), "Name the ID of a request, or say --search"),
        (("--search", "y", "--follow"), "--follow shows one request"),
        (("x", "--follow", "--json"), "--follow shows one request"),
        (("--diff", "a", "b", "--html", "f"), "--html writes one story"),
        (("x", "--insights", "--follow"), "Logs Insights bills every look"),
        (("x", "--insights", "--store", "f"), "--store is of a file"),
        (("x", "--from", "f", "--region", "r"), "--profile, --region and --log-group are of AWS"),
        (
            ("x", "--opensearch", "http://a", "--name", "b"),
            "--opensearch is of a search cluster, --name is of",
        ),
        (("x", "--index", "b"), "--index goes with --opensearch"),
        (("x", "--yes"), "--yes, --refresh and --cache go with --insights"),
        (("x", "--opensearch", "b"), "--opensearch needs an address like https://"),
    ],
)
def test_what_does_not_go_together_is_said(
    clew: Clew, arguments: tuple[str, ...], said: str
) -> None:
    done = clew(*arguments)
    assert done.status in (1, 2)
    assert said in " ".join(done.err.split())
    assert done.out == ""

"""Served for real: what comes live comes, and everything ends when the server does."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from clew.stories.lines import RawLine
from clew.stories.web import serve as serving
from clew.stories.web.serve import address, serve
from clew.stories.web.site import Site, WebError

from .conftest import whole_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.stories.web.shelf import Shelf


@contextlib.contextmanager
def served(site: Site) -> Iterator[str]:
    """Serve a site from a thread; ends it as an interrupt does."""
    urls: queue.Queue[str] = queue.Queue()
    servers: list[Any] = []
    import uvicorn

    class Kept(uvicorn.Server):
        def __init__(self, config: uvicorn.Config) -> None:
            super().__init__(config)
            servers.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uvicorn, "Server", Kept)
        thread = threading.Thread(target=serve, args=(site, 0, urls.put))
        thread.start()
        try:
            yield urls.get(timeout=20)
        finally:
            servers[0].should_exit = True
            thread.join(20)
            assert not thread.is_alive(), "the server ends although somebody follows"


def events(answer: httpx.Response) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def test_new_lines_come_live_and_only_those_that_are_wanted(shelf: Shelf) -> None:
    with (
        served(Site(shelf, "x")) as url,
        httpx.stream("GET", f"{url}live/events?q=wanted&mark={shelf.mark()}", timeout=20) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        group = "/aws/lambda/f"
        shelf.add([RawLine(5, group, "s", "not this"), RawLine(4, group, "s", "Wanted <b>\x1b")])
        name, told = next(events(answer))
        assert name == "news"
        assert [one["message"] for one in told["lines"]] == ["Wanted <b>\\x1b"]
        assert told["lines"][0]["function"] == "f"


def test_a_story_that_grows_says_so(shelf: Shelf) -> None:
    with (
        served(Site(shelf, "x")) as url,
        httpx.stream("GET", f"{url}follow/events?id=a-new-request&seen=0", timeout=20) as answer,
    ):
        shelf.add(whole_request("another-request")[0].lines)
        lines = whole_request("a-new-request")[0].lines
        shelf.add(lines)
        assert next(events(answer)) == ("news", {"lines": len(lines)})


def test_what_came_before_somebody_followed_is_told(shelf: Shelf) -> None:
    lines = whole_request("a-new-request")[0].lines
    shelf.add(lines)
    with (
        served(Site(shelf, "x")) as url,
        httpx.stream("GET", f"{url}follow/events?id=a-new-request&seen=0", timeout=20) as answer,
    ):
        assert next(events(answer)) == ("news", {"lines": len(lines)})


def test_that_no_more_lines_come_is_said(shelf: Shelf) -> None:
    site = Site(shelf, "x", ended="The local cloud x has been ended.")
    with served(site) as url, httpx.stream("GET", f"{url}live/events", timeout=20) as answer:
        assert next(events(answer)) == ("ended", {"sentence": site.ended})
        assert "No more lines come" in httpx.get(url).text


def test_a_port_that_is_taken_is_said(shelf: Shelf) -> None:
    with served(Site(shelf, "x")) as url:
        port = int(url.rstrip("/").rpartition(":")[2])
        with pytest.raises(WebError, match=f"port {port}, cannot be had"):
            serve(Site(shelf, "x"), port, print)


def test_a_followed_page_is_not_followed_for_ever(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    from clew.stories.web import events as streams

    monkeypatch.setattr(streams, "_STREAMS", 1)
    with served(Site(shelf, "x")) as url, httpx.stream("GET", f"{url}live/events", timeout=20) as a:
        lines = a.iter_lines()
        next(lines)
        assert httpx.get(f"{url}live/events").status_code == 503


def test_addresses() -> None:
    assert address("127.0.0.1", 7337) == "http://127.0.0.1:7337/"
    assert address("0.0.0.0", 1) == "http://127.0.0.1:1/"
    assert address("::1", 1) == "http://[::1]:1/"
    assert serving.address("::", 1) == "http://[::1]:1/"


def test_a_browser_is_opened_where_there_is_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    import webbrowser

    opened: queue.Queue[str] = queue.Queue()
    monkeypatch.setattr(webbrowser, "open", opened.put)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    serving.open_browser("http://127.0.0.1:1/")
    monkeypatch.setenv("DISPLAY", ":0")
    serving.open_browser("http://127.0.0.1:2/")
    assert opened.get(timeout=10) == "http://127.0.0.1:2/"
    assert opened.empty()

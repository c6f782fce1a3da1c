"""The team is told, and what goes wrong in telling stops nothing."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from clew.scaling.managed.audit import shard_map
from clew.scaling.managed.notice import may_post
from clew.scaling.model import KEY_SPACE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Until

    from .stage import Stage

    Make = Callable[..., Stage]


@pytest.fixture
def hook() -> Iterator[tuple[str, list[Any]]]:
    """A web hook on loopback, and what it was told."""
    told: list[Any] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/secret", told
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_topic_and_a_web_hook_are_told(
    stage: Make, hook: tuple[str, list[Any]], until: Until
) -> None:
    url, told = hook
    on = stage(2)
    sqs = on.cloud.client("sqs")
    queue = sqs.create_queue(QueueName=on.stream)["QueueUrl"]
    topic = on.tools.sns.create_topic(Name=f"told-{on.stream}")["TopicArn"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    on.tools.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"])
    on.manage(min_shards=1, max_shards=8, notify_topic=topic, notify_webhook=url)
    on.write(3.0)
    on.scale_up(on.alarm())
    (message,) = until(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"), "a message")
    body = json.loads(message["Body"])
    assert body["Subject"] == f"clew: {on.stream}: from 2 shards to 4, in 0 s"
    assert "before |########|########|\nafter  |####|####|####|####|" in body["Message"]
    assert "which 4 shards would hold at 75%" in body["Message"]
    (slack,) = told
    assert slack["text"].startswith("```\n")
    assert body["Message"] in slack["text"]


def test_who_cannot_be_told_stops_nothing(stage: Make, capsys: pytest.CaptureFixture[str]) -> None:
    on = stage(2)
    on.manage(
        min_shards=1,
        max_shards=8,
        notify_topic="arn:aws:sns:us-east-1:000000000000:nowhere",
        notify_webhook="http://127.0.0.1:9/secret",
    )
    on.write(3.0)
    assert on.scale_up(on.alarm())["outcome"] == "done"
    said = capsys.readouterr().out
    assert "a topic could not be told" in said
    assert "a web hook could not be told" in said
    assert "secret" not in said


class Odd(BaseHTTPRequestHandler):
    """A web hook that is none: it answers 500, sends elsewhere, or answers without an end."""

    asked: ClassVar[list[str]] = []
    over = Event()

    def do_POST(self) -> None:
        self.asked.append(self.path)
        if self.path == "/endless":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while not self.over.wait(0.2):
                self.wfile.write(b"x")
            return
        self.send_response(302 if self.path == "/elsewhere" else 500)
        self.send_header("Location", "/other")
        self.end_headers()

    def do_GET(self) -> None:
        self.asked.append(f"GET {self.path}")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/broken", "it answered 500"),
        ("/elsewhere", "it answered 302"),
        ("/endless", "it did not answer in time"),
    ],
)
def test_an_odd_web_hook_holds_nobody_up(
    stage: Make, capsys: pytest.CaptureFixture[str], path: str, why: str
) -> None:
    Odd.asked.clear()
    Odd.over.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Odd)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        on = stage(2)
        url = f"http://127.0.0.1:{server.server_port}{path}"
        on.manage(min_shards=1, max_shards=8, notify_webhook=url)
        on.write(3.0)
        assert on.scale_up(on.alarm())["outcome"] == "done"
        assert on.store.plan(on.stream) is None
        said = capsys.readouterr().out
        assert "a web hook could not be told" in said
        assert why in said
        assert Odd.asked == [path]  # and nobody else
    finally:
        Odd.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("https://hooks.example.com/T/B/x", True),
        ("http://hooks.example.com/T/B/x", False),
        ("http://127.0.0.1:8080/x", True),
        ("http://localhost/x", True),
        ("http://169.254.169.254/latest/meta-data", False),
        ("file:///etc/passwd", False),
        ("http://[::1", False),
        ("", False),
    ],
)
def test_only_https_or_this_machine_is_told(url: str, may: bool) -> None:
    assert may_post(url) is may


def test_shards_are_drawn_as_wide_as_they_are() -> None:
    assert shard_map([]) == "|################|"
    assert shard_map([KEY_SPACE // 2, KEY_SPACE * 3 // 4]) == "|########|####|####|"
    assert shard_map(range(1, 200)).endswith("| (200 shards)")

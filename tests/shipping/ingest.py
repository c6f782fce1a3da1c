"""``POST /ingest`` in front of a real store: what `clew.shipping.sinks.store` says it is."""

from __future__ import annotations

import contextlib
import io
import json
import threading
from typing import TYPE_CHECKING, NamedTuple

from clew.stories.store import Store
from clew.stories.store.files import read_stream

from .server import Answer, Request, Server, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "of-the-tests-0123456789"


class Ingest(NamedTuple):
    store: Store
    server: Server
    #: (stored, repeated) of each request.
    added: list[tuple[int, int]]
    #: Texts for which a request is refused.
    refuse: list[str]

    @property
    def address(self) -> str:
        return f"store+http://127.0.0.1:{self.server.port}"


@contextlib.contextmanager
def ingesting(path: Path) -> Iterator[Ingest]:
    added: list[tuple[int, int]] = []
    refuse: list[str] = []
    lock = threading.Lock()
    with Store(path, write=True) as store:

        def respond(request: Request) -> Answer:
            assert request.path == "/ingest"
            assert request.headers["content-type"] == "application/x-ndjson"
            assert request.headers["content-encoding"] == "gzip"
            if request.headers.get("authorization") != f"Bearer {TOKEN}":
                return Answer(401, b'{"error":"who are you?"}')
            for line in request.body.splitlines():
                assert json.loads(line)["messageType"] == "DATA_MESSAGE"
            if any(text.encode() in request.body for text in refuse):
                return Answer(400, b'{"error":"not that"}')
            with lock:
                done = store.add(read_stream(io.BytesIO(request.body), "ingest"))
            added.append((done.stored, done.repeated))
            return Answer(
                200, json.dumps({"stored": done.stored, "repeated": done.repeated}).encode()
            )

        with serving(respond) as server:
            yield Ingest(store, server, added, refuse)

"""As much of OpenSearch as a search for lines needs, and strict: what it does not know, it refuses.

It speaks the documented search API: the query DSL's bool, range, match_all and multi_match (phrase
and phrase_prefix), sort and search_after.
"""

from __future__ import annotations

import base64
import fnmatch
import gzip
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from clew.stories.parse import time_ms

_WORD = re.compile(r"\w+")
_BODY = {"size", "query", "sort", "search_after", "track_total_hits"}


class RefusedError(Exception):
    """The request is not one that OpenSearch takes."""

    def __init__(self, status: int, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.status, self.kind = status, kind


class Server:
    """Documents by their indices; ``with Server(...) as url``."""

    def __init__(self, user: str = "", broken_shards: int = 0) -> None:
        self.documents: dict[str, dict[str, dict[str, Any]]] = {}
        self.user = user
        self.broken_shards = broken_shards
        self.searches: list[dict[str, Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                size = int(self.headers.get("content-length", 0))
                data = self.rfile.read(size)
                if self.headers.get("content-encoding") == "gzip":
                    data = gzip.decompress(data)
                status, answer = outer.answer(
                    self.path, self.headers.get("authorization", ""), data
                )
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> str:
        self._thread.start()
        user = f"{self.user}@" if self.user else ""
        return f"http://{user}127.0.0.1:{self._server.server_port}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def add(self, index: str, id_: str, document: dict[str, Any]) -> None:
        """Index a document."""
        self.documents.setdefault(index, {})[id_] = document

    def answer(self, path: str, authorization: str, data: bytes) -> tuple[int, dict[str, Any]]:
        """What it says to a request."""
        try:
            return 200, self._answered(path, authorization, data)
        except RefusedError as error:
            said = {"type": error.kind, "reason": str(error)}
            return error.status, {"error": {**said, "root_cause": [said]}, "status": error.status}

    def _answered(self, path: str, authorization: str, data: bytes) -> dict[str, Any]:
        expected = f"Basic {base64.b64encode(self.user.encode()).decode()}"
        if self.user and authorization != expected:
            raise RefusedError(401, "security_exception", "who are you?")
        index, slash, verb = unquote(urlsplit(path).path).strip("/").partition("/")
        if not slash or verb != "_search":
            raise RefusedError(405, "no_handler", path)
        body = json.loads(data)
        self.searches.append(body)
        return self._found(index, body)

    def _found(self, index: str, body: dict[str, Any]) -> dict[str, Any]:
        if unknown := set(body) - _BODY:
            raise RefusedError(400, "parsing_exception", f"Unknown key for {unknown}")
        names = [one for one in self.documents if fnmatch.fnmatchcase(one, index)]
        if not names and "*" not in index:
            raise RefusedError(404, "index_not_found_exception", f"no such index [{index}]")
        size = body.get("size", 10)
        if not 0 <= size <= 10_000:
            raise RefusedError(400, "illegal_argument_exception", "Result window is too large")
        matches = _query(body["query"])
        orders = [(name, said["order"]) for one in body["sort"] for name, said in one.items()]
        if [name for name, _ in orders] != ["@timestamp", "_id"] or orders[0][1] != orders[1][1]:
            raise RefusedError(400, "parsing_exception", "this sort is not known here")
        if any(
            set(said) - {"order", "unmapped_type"} for one in body["sort"] for said in one.values()
        ):
            raise RefusedError(400, "parsing_exception", "a sort does not support that")
        down = orders[0][1] == "desc"
        hits: list[dict[str, Any]] = [
            {"_index": name, "_id": id_, "_source": source, "sort": [_at(source), id_]}
            for name in names
            for id_, source in self.documents[name].items()
            if matches(source)
        ]
        hits.sort(key=lambda hit: hit["sort"], reverse=down)
        after = body.get("search_after")
        if after is not None:
            if len(after) != 2:
                raise RefusedError(400, "illegal_argument_exception", "search_after has 2 values")
            hits = [hit for hit in hits if (hit["sort"] < after if down else hit["sort"] > after)]
        failed = self.broken_shards
        shards = {"total": len(names), "successful": len(names) - failed, "failed": failed}
        return {"timed_out": False, "_shards": shards, "hits": {"hits": hits[:size]}}


def _at(source: dict[str, Any]) -> int:
    return time_ms(source.get("@timestamp"), 0)


def _query(query: dict[str, Any]) -> Any:
    (kind, said), *others = query.items()
    if others or kind not in {"bool", "range", "match_all", "multi_match"}:
        raise RefusedError(400, "parsing_exception", f"unknown query [{kind}]")
    if kind == "match_all":
        return lambda _source: True
    if kind == "range":
        ((field, bounds),) = said.items()
        if field != "@timestamp" or bounds.pop("format") != "epoch_millis":
            raise RefusedError(400, "parsing_exception", "failed to parse date field")
        if set(bounds) - {"gte", "lte"}:
            raise RefusedError(400, "parsing_exception", "[range] query does not support that")
        first, last = bounds.get("gte", 0), bounds.get("lte", 1 << 60)
        return lambda source: first <= _at(source) <= last
    if kind == "multi_match":
        return _multi_match(said)
    if set(said) - {"filter", "should", "minimum_should_match"}:
        raise RefusedError(400, "parsing_exception", "[bool] query does not support that")
    filters = [_query(one) for one in said.get("filter", [])]
    should = [_query(one) for one in said.get("should", [])]
    least = said.get("minimum_should_match", 0 if filters else 1) if should else 0
    return lambda source: (
        all(one(source) for one in filters) and sum(one(source) for one in should) >= least
    )


def _multi_match(said: dict[str, Any]) -> Any:
    if set(said) - {"query", "type", "fields", "lenient"}:
        raise RefusedError(400, "parsing_exception", "[multi_match] query does not support that")
    if said["type"] not in {"phrase", "phrase_prefix"}:
        raise RefusedError(400, "parsing_exception", "no such type")
    wanted = _WORD.findall(said["query"].lower())
    prefix = said["type"] == "phrase_prefix"

    def has(text: str) -> bool:
        words = _WORD.findall(text.lower())
        return any(
            words[at : at + len(wanted) - 1] == wanted[:-1]
            and (
                words[at + len(wanted) - 1].startswith(wanted[-1])
                if prefix
                else words[at + len(wanted) - 1] == wanted[-1]
            )
            for at in range(len(words) - len(wanted) + 1)
        )

    return lambda source: (
        bool(wanted)
        and any(
            has(value)
            for name, value in _texts("", source)
            if any(fnmatch.fnmatchcase(name, one) for one in said["fields"])
        )
    )


def _texts(before: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        inner = [_texts(f"{before}.{name}" if before else name, one) for name, one in value.items()]
        return [each for some in inner for each in some]
    return [(before, value)] if isinstance(value, str) else []

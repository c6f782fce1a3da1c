"""The sinks that speak HTTP, against servers that check their protocol and fail as real ones do."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from clew.shipping.answers import BusyError, UnusableError
from clew.shipping.batches import Parcel
from clew.shipping.deliver import Report, deliver
from clew.shipping.settings import read_address
from clew.shipping.sinks import open_sink

from . import protocols
from .ingest import TOKEN, ingesting
from .making import GROUP, ID, NOW, batch, clew_line, lines
from .server import RESET, SILENCE, Answer, Request, in_turn, serving

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LINES = lines(
    f"START RequestId: {ID} Version: $LATEST",
    clew_line("hello", amount=12.5, items=[1, {"a": None}], ok=True, big=1 << 70, empty=""),
    "Traceback (most recent call last):",
    "  File x",
    "ValueError: \ud83d no",
    f"REPORT RequestId: {ID}\tDuration: 128.83 ms\tInit Duration: 2 ms\tStatus: timeout",
)
ADDRESSES = {
    "store": "store+http://127.0.0.1:{port}/",
    "loki": "loki+http://127.0.0.1:{port}?env=test",
    "otlp": "otlp+http://127.0.0.1:{port}",
    "opensearch": "opensearch+http://127.0.0.1:{port}/app-logs",
}


def shipped(address: str, found: Any, waits: list[float] | None = None, **given: Any) -> Report:
    sink = open_sink(read_address(address, **given))
    try:
        sleep = (waits if waits is not None else []).append
        return deliver(found, sink, sleep=sleep)
    finally:
        sink.close()


def test_the_store_takes_what_comes_twice_once(tmp_path: Path) -> None:
    with ingesting(tmp_path / "logs.db") as to:
        for _ in range(2):
            assert shipped(to.address, LINES, token=TOKEN).sent == len(LINES)
        assert to.added == [(4, 0), (0, 4)]
        found = {entry.message: entry for entry in to.store.entries()}
        assert "Traceback (most recent call last):\n  File x\nValueError: ? no" in found
        assert {entry.log_group for entry in found.values()} == {GROUP}
        report = shipped(to.address, LINES, token="another")
        assert report.left == tuple(LINES)
        assert "answered 401" in report.why
        assert "another" not in report.why


def test_loki_gets_streams_with_few_labels() -> None:
    got: list[Any] = []

    def push(request: Request) -> Answer:
        assert request.headers["x-scope-orgid"] == "team-a"
        assert request.headers["authorization"] == "Basic dGVuYW50OnBhc3M="
        got.extend(protocols.loki(request))
        return Answer(204, b"")

    with serving(push) as server:
        address = ADDRESSES["loki"].format(port=server.port).replace("//", "//tenant@")
        report = shipped(address, LINES, token="pass", headers={"X-Scope-OrgID": "team-a"})
    assert report.sent == 4
    by_text = {text: (labels, at, more) for labels, at, text, more in got}
    labels, at, more = by_text[LINES[1].message]
    assert labels == {
        "log_group": GROUP, "service_name": "orders", "level": "info", "env": "test",
    }  # fmt: skip
    assert at == (NOW + 1) * 1_000_000
    assert more["x_correlation_id"] == "order-1"
    assert more["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert more["request_id"] == ID
    labels, _, more = by_text[LINES[3].message]
    assert "level" not in labels
    assert (more["kind"], more["duration_ms"], more["problem"]) == ("report", "128.83", "timeout")
    with serving(push) as server:  # Loki before 3.0
        address = f"{ADDRESSES['loki'].format(port=server.port)}&metadata=off"
        got.clear()
        shipped(address.replace("//", "//tenant:pass@"), LINES, headers={"X-Scope-OrgID": "team-a"})
    assert [more for *_, more in got] == [{}] * 4


def test_loki_keeps_what_it_can_of_a_request_that_it_refuses() -> None:
    """As Loki does with lines that are too old: 400, and the others are in."""
    kept: set[tuple[int, str]] = set()

    def push(request: Request) -> Answer:
        found = protocols.loki(request)
        kept.update((at, text) for _, at, text, _ in found if "too old" not in text)
        if all("too old" not in text for _, _, text, _ in found):
            return Answer(204, b"")
        return Answer(400, b"entry for stream '{log_group=\"x\"}' has timestamp too old: 2020\n")

    many = lines(*(clew_line(f"{n}{' too old' if n in (17, 40) else ''}") for n in range(64)))
    with serving(push) as server:
        report = shipped(ADDRESSES["loki"].format(port=server.port), many)
    assert [line.message for line, _ in report.refused] == [many[17].message, many[40].message]
    assert "has timestamp too old" in report.refused[0][1]
    assert len(kept) == 62
    assert report.sent == 62


def test_otlp_gets_records_of_the_protocol() -> None:
    got: list[Any] = []

    def export(request: Request) -> Answer:
        assert request.headers["authorization"] == "Bearer key"
        got.extend(protocols.otlp(request))
        return Answer(200, b'{"partialSuccess":{}}')

    with serving(export) as server:
        assert shipped(ADDRESSES["otlp"].format(port=server.port), LINES, token="key").sent == 4
    resource, record = got[1]
    assert resource["service.name"] == resource["faas.name"] == "orders"
    assert resource["faas.version"] == "$LATEST"
    assert resource["aws.log.group.names"] == [GROUP]
    assert record["body"] == {"stringValue": "hello"}
    assert (record["severityText"], record["severityNumber"]) == ("INFO", 9)
    assert record["traceId"] == "0af7651916cd43dd8448eb211c80319c"
    assert record["spanId"] == "b7ad6b7169203331"
    assert record["timeUnixNano"] == str((NOW + 1) * 1_000_000)
    told = protocols.plain({"kvlistValue": {"values": record["attributes"]}})
    assert told["faas.invocation_id"] == ID
    assert told["x-correlation-id"] == "order-1"
    assert (told["amount"], told["ok"], told["items"]) == (12.5, True, [1, {}])
    assert told["big"] == str(1 << 70)
    assert "empty" not in told
    _, record = got[3]
    told = protocols.plain({"kvlistValue": {"values": record["attributes"]}})
    assert told["clew.durationMs"] == 128.83
    assert told["clew.problem"] == "timeout"
    assert told["clew.coldStart"] is True


def test_otlp_says_how_many_it_refused() -> None:
    said = {"partialSuccess": {"rejectedLogRecords": "2", "errorMessage": "too old"}}
    with serving(in_turn(Answer(200, json.dumps(said).encode()))) as server:
        report = shipped(ADDRESSES["otlp"].format(port=server.port), LINES)
    assert len(server.requests) == 1  # "The client MUST NOT retry the request"
    assert report.sent == 0
    assert len(report.refused) == 4
    assert report.refused[0][1].endswith("refused 2 of the 4 records of a request: too old")


class Index:
    """An OpenSearch, as far as bulk requests go."""

    def __init__(self, fail: Callable[[dict[str, Any]], tuple[int, str, str] | None]) -> None:
        self.documents: dict[tuple[str, str], dict[str, Any]] = {}
        self._fail = fail

    def __call__(self, request: Request) -> Answer:
        items: list[Any] = []
        for action, index, id_, document in protocols.bulk(request):
            key = (index, id_ or str(len(self.documents)))
            error = self._fail(document)
            if error is None and action == "create" and key in self.documents:
                error = (409, "version_conflict_engine_exception", "document already exists")
            if error is not None:
                status, kind, reason = error
                told = {"type": kind, "reason": reason}
                items.append({action: {"_index": index, "status": status, "error": told}})
                continue
            self.documents[key] = document
            items.append({action: {"_index": index, "_id": key[1], "status": 201}})
        errors = any("error" in next(iter(item.values())) for item in items)
        return Answer(200, json.dumps({"took": 3, "errors": errors, "items": items}).encode())


def test_opensearch_sends_the_rest_of_a_bulk_again() -> None:
    busy = {"hello"}

    def fail(document: dict[str, Any]) -> tuple[int, str, str] | None:
        if document["message"].startswith("Traceback"):
            return 400, "mapper_parsing_exception", "failed to parse field [x]"
        if document.get("fields", {}).get("message") in busy:
            busy.clear()
            return 429, "es_rejected_execution_exception", "rejected execution of primary operation"
        return None

    index = Index(fail)
    with serving(index) as server:
        address = ADDRESSES["opensearch"].format(port=server.port)
        report = shipped(address, LINES)
        assert report.sent == 3
        ((line, why),) = report.refused
        assert line == LINES[2]
        assert "mapper_parsing_exception: failed to parse field [x]" in why
        counts = [len(protocols.bulk(request)) for request in server.requests]
        assert counts == [4, 1]
        # Once more: all are there, and stay as they are.
        assert shipped(address, LINES).sent == 3
    assert len(index.documents) == 3
    names = {name for name, _ in index.documents}
    assert names == {"app-logs-2026.01.02"}
    found = index.documents["app-logs-2026.01.02", f"{1:056d}"]
    assert found["@timestamp"] == "2026-01-02T03:04:05.001Z"
    assert found["fields"]["x-correlation-id"] == "order-1"
    assert found["function"] == "orders"


def test_requests_to_a_domain_are_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
    with serving(Index(lambda _: None)) as server:
        address = f"opensearch+http://127.0.0.1:{server.port}/logs?aws=es&region=eu-west-1"
        assert shipped(address, LINES).sent == 4
    (request,) = server.requests
    signed = request.headers["authorization"]
    assert signed.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-west-1/es/aws4_request" in signed
    digest = hashlib.sha256(request.raw).hexdigest()
    assert request.headers["x-amz-content-sha256"] == digest


GOOD = {
    "store": Answer(200, b"{}"),
    "loki": Answer(204, b""),
    "otlp": Answer(200, b"{}"),
}


@pytest.mark.parametrize("kind", ADDRESSES)
def test_a_server_that_fails_gets_the_lines_later(kind: str) -> None:
    """429 with a time to wait, 5xx, and a connection that is reset."""
    good = GOOD.get(kind)
    answers = [
        Answer(429, b'{"error":"slow down"}', (("Retry-After", "9"),)),
        Answer(503, b"<html>no upstream</html>"),
        RESET,
        Answer(500, b""),
    ]
    index = Index(lambda _: None)

    def respond(request: Request) -> Any:
        return answers.pop(0) if answers else good or index(request)

    waits: list[float] = []
    with serving(respond) as server:
        report = shipped(ADDRESSES[kind].format(port=server.port), LINES, waits)
        bodies = {request.body for request in server.requests}
    assert (report.sent, report.refused, report.left) == (4, (), ())
    assert len(waits) == 4
    if kind != "opensearch":  # its client does not show headers of an error
        assert waits[0] == 9.0
    assert len(bodies) == 1


@pytest.mark.parametrize("kind", ADDRESSES)
def test_a_server_that_says_nothing_is_not_waited_for(kind: str) -> None:
    with serving(in_turn(SILENCE)) as server:
        sink = open_sink(read_address(ADDRESSES[kind].format(port=server.port)))
        parcels = [Parcel(line, sink.pack(line)) for line in LINES]
        with pytest.raises(BusyError, match="did not answer"):
            sink.send(parcels, 0.2)
        sink.close()
        server.over.set()
    with pytest.raises(BusyError, match="did not answer"):  # nobody is there
        open_sink(read_address(ADDRESSES[kind].format(port=server.port))).send(parcels, 5.0)


@pytest.mark.parametrize("kind", ADDRESSES)
def test_a_wrong_secret_blames_no_line(kind: str) -> None:
    with serving(in_turn(Answer(403, b"forbidden"))) as server:
        address = ADDRESSES[kind].format(port=server.port).replace("//", "//me:s3cret-of-mine@")
        report = shipped(address, LINES)
    assert len(server.requests) == 1
    assert report.left == tuple(LINES)
    assert "answered 403" in report.why
    assert "s3cret" not in report.why


@pytest.mark.parametrize("kind", ["store", "loki", "otlp"])
def test_a_redirect_is_not_followed(kind: str) -> None:
    with serving(in_turn(Answer(302, b"", (("Location", "http://127.0.0.1:1/"),)))) as server:
        sink = open_sink(read_address(ADDRESSES[kind].format(port=server.port), "a-token"))
        with pytest.raises(UnusableError, match="answered 302"):
            sink.send([Parcel(LINES[0], sink.pack(LINES[0]))], 5.0)
        sink.close()


@pytest.mark.parametrize("kind", ADDRESSES)
def test_a_request_that_is_too_large_for_the_server_is_halved(kind: str) -> None:
    index = Index(lambda _: None)

    def respond(request: Request) -> Answer:
        if len(request.body) > 6_000:
            return Answer(413, b"too large")
        return GOOD.get(kind) or index(request)

    many = lines(*(clew_line("x" * 100, n=n) for n in range(40)))
    with serving(respond) as server:
        report = shipped(ADDRESSES[kind].format(port=server.port), many)
    assert report.sent == 40


def test_streams_and_functions_are_kept_apart() -> None:
    two = [*lines("a"), *lines("b", group="/aws/lambda/other"), *lines("c")]
    with serving(in_turn(Answer(200, b"{}"))) as server:
        shipped(ADDRESSES["store"].format(port=server.port), two)
        shipped(ADDRESSES["otlp"].format(port=server.port), two)
        shipped(ADDRESSES["loki"].format(port=server.port), two)
    batches = [json.loads(row) for row in server.requests[0].body.splitlines()]
    assert [len(one["logEvents"]) for one in batches] == [2, 1]
    assert batches[1]["logGroup"] == batch(group="/aws/lambda/other")["logGroup"]
    assert len(json.loads(server.requests[1].body)["resourceLogs"]) == 2
    assert len(protocols.loki(server.requests[2])) == 3

"""The wide line: what was received, what was sent, in as many lines as it takes."""

from __future__ import annotations

import json
from typing import Any

import pytest

import clew
from clew.invocation import Invocation, Received, Sent
from clew.log.wide import MAX_CHUNK, chunks, received_json, sent_json, write_invocation

from .lines import Line, logged

RECEIVED = clew.Correlation(
    {"x-correlation-id": "a"}, trace_id="1" * 32, span_id="2" * 16, parent_span_id="3" * 16
)
EDGE = clew.Correlation({"x-correlation-id": "a"}, trace_id="1" * 32, span_id="2" * 16)


def written(invocation: Invocation, error: BaseException | None = None) -> list[Line]:
    with logged() as lines:
        write_invocation(invocation, EDGE, error)
    return lines


def test_a_small_one_is_one_line() -> None:
    invocation = Invocation("aws:sns", {}, None)
    invocation.received.append(Received(RECEIVED, {"messageId": "m"}))
    invocation.sent.append(Sent("sns", "Publish", "arn", "4" * 16, RECEIVED))
    (line,) = written(invocation)
    assert (line["level"], line["message"], line["logger"]) == ("INFO", "invocation", "clew")
    assert (line["source"], line["outcome"]) == ("aws:sns", "ok")
    assert (line["chunk"], line["chunks"]) == (1, 1)
    assert line["durationMs"] >= 0
    assert line["startedAt"] <= line["timestamp"]
    assert (len(line["received"]), len(line["sent"])) == (1, 1)


def test_what_was_received() -> None:
    received = Received(RECEIVED, {"shardId": "s", "sequenceNumber": "7", "messageId": ""})
    received.outcome, received.attempts, received.ms = "done", 2, 1.23456
    assert json.loads(received_json(received)) == {
        "span": "2" * 16,
        "parent": "3" * 16,
        "trace": "1" * 32,
        "id": "a",
        "outcome": "done",
        "attempts": 2,
        "ms": 1.235,
        "shardId": "s",
        "sequenceNumber": "7",
    }
    at_the_edge = Received(EDGE, {})
    at_the_edge.error = "KeyError: " + "e" * 5_000
    shown = json.loads(received_json(at_the_edge))
    assert "parent" not in shown
    assert (shown["outcome"], len(shown["error"])) == ("pending", 1_000)


def test_what_was_sent() -> None:
    sent = Sent("http", "GET", "https://example.com/a", "4" * 16, RECEIVED)
    sent.at = 1_767_323_045.678
    assert json.loads(sent_json(sent)) == {
        "service": "http",
        "operation": "GET",
        "target": "https://example.com/a",
        "span": "4" * 16,
        "parent": "2" * 16,
        "trace": "1" * 32,
        "id": "a",
        "at": "2026-01-02T03:04:05.678Z",
        "outcome": "pending",
    }
    sent.outcome, sent.error, sent.status, sent.carried = "error", "e" * 5_000, 503, False
    sent.position = {"messageId": "m"}
    shown = json.loads(sent_json(sent))
    assert (shown["outcome"], shown["status"], shown["carried"]) == ("error", 503, False)
    assert (shown["messageId"], len(shown["error"])) == ("m", 1_000)


def test_a_large_batch_is_spread_over_lines_in_order() -> None:
    invocation = Invocation("aws:kinesis", {}, None)
    for number in range(3_000):
        invocation.received.append(Received(RECEIVED, {"sequenceNumber": str(number)}))
        invocation.sent.append(Sent("sns", "Publish", str(number), "4" * 16, RECEIVED))
    lines = written(invocation, KeyError("a"))
    assert [line["chunk"] for line in lines] == list(range(1, len(lines) + 1))
    assert {line["chunks"] for line in lines} == {len(lines)}
    assert [one["sequenceNumber"] for line in lines for one in line["received"]] == [
        str(number) for number in range(3_000)
    ]
    assert [one["target"] for line in lines for one in line["sent"]] == [
        str(number) for number in range(3_000)
    ]
    assert [line for line in lines if "exception" in line] == lines[:1]
    assert {line["level"] for line in lines} == {"ERROR"}


@pytest.mark.parametrize("letter", ["e", "é", "\U0001f40d"])
def test_a_long_error_leaves_room_for_the_entries(letter: str) -> None:
    """`logged` fails for a line of 200 kB."""
    error: BaseException = KeyError(letter * 300_000)
    for _ in range(60):
        outer = KeyError(letter * 300_000)
        outer.__cause__, error = error, outer
    invocation = Invocation("aws:kinesis", {}, None)
    invocation.received.extend(Received(RECEIVED, {"sequenceNumber": "7" * 56}) for _ in range(800))
    lines = written(invocation, error)
    assert len(lines) >= 2
    assert lines[0]["exception"]["message"].startswith(f"'{letter}")
    assert sum(len(line["received"]) for line in lines) == 800


def test_chunks_keep_to_the_limit() -> None:
    entry = '"' + "x" * 50_000 + '"'
    groups = chunks([entry] * 7, [entry] * 2, taken=100_000)
    sizes = [sum(len(one) for one in (*received, *sent)) for received, sent in groups]
    assert max(sizes) <= MAX_CHUNK
    assert sizes[0] <= MAX_CHUNK - 100_000
    assert sum(len(received) for received, _ in groups) == 7
    assert sum(len(sent) for _, sent in groups) == 2
    assert chunks([], []) == [([], [])]


def test_an_error_is_described() -> None:
    invocation: Any = Invocation("unknown", {}, None)
    (line,) = written(invocation, KeyError("a"))
    assert (line["level"], line["outcome"]) == ("ERROR", "error")
    assert line["exception"]["type"] == "KeyError"

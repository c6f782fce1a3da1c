"""Lambda's own words, JSON and text of every runtime, and stacks that came in pieces."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clew.shipping.lines import Origin
from clew.shipping.parse import lines_of, read_events

from .making import GROUP, ID, NOW, STREAM, batch, clew_line, lines

OTHER = "0b9af643-d073-4992-a7e3-33446fa39a3a"


def test_where_a_line_is_from() -> None:
    (line,) = lines("hello")
    assert (line.at_ms, line.event_id) == (NOW, "0" * 56)
    origin = line.origin
    assert (origin.log_group, origin.stream, origin.owner) == (GROUP, STREAM, "123456789012")
    assert (origin.function, origin.version, origin.filters) == ("orders", "$LATEST", ("clew",))
    shared = Origin("/shared", "2026/01/02/orders-2[17]0123456789abcdef0123456789abcdef")
    assert (shared.function, shared.version) == ("orders-2", "17")
    nobody = Origin("/ecs/app", "task/0123")
    assert (nobody.function, nobody.version) == ("", "")


def test_the_message_that_tests_the_connection_is_dropped() -> None:
    control = batch("CWL CONTROL MESSAGE: Checking health of destination Firehose.")
    assert lines_of({**control, "messageType": "CONTROL_MESSAGE"}) == []


def test_an_invocation_in_text() -> None:
    report = (
        f"REPORT RequestId: {ID}\tDuration: 128.83 ms\tBilled Duration: 330 ms\t"
        "Memory Size: 128 MB\tMax Memory Used: 74 MB\tInit Duration: 200.50 ms\t\n"
        "XRAY TraceId: 1-5e1b4151-5ac6c58dc39a6b6c5e2b8a1b\tSegmentId: 1a2b3c4d5e6f7a8b\t"
        "Sampled: true\t\n"
    )
    found = lines(
        "INIT_START Runtime Version: python:3.12.v36\tRuntime Version ARN: arn:aws:lambda:x\n",
        f"START RequestId: {ID} Version: 7\n",
        f"[INFO]\t2026-01-02T03:04:05.678Z\t{ID}\thello\n",
        "a print\n",
        f"END RequestId: {ID}\n",
        report,
        "afterwards\n",
    )
    assert [line.kind for line in found] == ["init", "start", "", "", "end", "report", ""]
    assert [line.request_id for line in found] == ["", ID, ID, ID, ID, ID, ""]
    assert found[0].facts == {"runtimeVersion": "python:3.12.v36"}
    assert found[1].facts == {"version": "7"}
    assert found[2].level == "INFO"
    assert found[5].facts == {
        "durationMs": 128.83,
        "billedDurationMs": 330,
        "memorySizeMB": 128,
        "maxMemoryUsedMB": 74,
        "initDurationMs": 200.5,
        "coldStart": True,
        "xrayTraceId": "1-5e1b4151-5ac6c58dc39a6b6c5e2b8a1b",
    }


def test_an_invocation_in_json() -> None:
    start = {
        "time": "2026-01-02T03:04:05.678Z",
        "type": "platform.start",
        "record": {"requestId": ID, "version": "$LATEST"},
    }
    report = {
        "time": "2026-01-02T03:04:06.678Z",
        "type": "platform.report",
        "record": {
            "requestId": ID,
            "metrics": {
                "durationMs": 101.51,
                "billedDurationMs": 300,
                "memorySizeMB": 512,
                "maxMemoryUsedMB": 33,
                "initDurationMs": 116.67,
                "somethingElse": "x",
            },
            "tracing": {
                "type": "X-Amzn-Trace-Id",
                "value": "Root=1-62e900b2-710d76f009d6e7785905449a;Parent=0efbd19962d95b05",
            },
            "status": "success",
        },
    }
    init = {
        "type": "platform.initReport",
        "record": {
            "initializationType": "on-demand",
            "phase": "init",
            "status": "timeout",
            "metrics": {"durationMs": 9999.5},
        },
    }
    found = lines(
        json.dumps(init),
        json.dumps(start),
        "a print",
        clew_line(),
        json.dumps(report),
        json.dumps({"type": "platform.runtimeDone", "record": {"requestId": ID}}),
    )
    kinds = ["initReport", "start", "", "", "report", "platform.runtimeDone"]
    assert [line.kind for line in found] == kinds
    assert [line.request_id for line in found] == ["", ID, ID, ID, ID, ID]
    assert found[0].facts == {
        "status": "timeout", "phase": "init", "initializationType": "on-demand",
        "initDurationMs": 9999.5, "problem": "timeout",
    }  # fmt: skip
    assert found[4].facts == {
        "durationMs": 101.51, "billedDurationMs": 300, "memorySizeMB": 512, "maxMemoryUsedMB": 33,
        "initDurationMs": 116.67, "status": "success", "coldStart": True,
        "xrayTraceId": "1-62e900b2-710d76f009d6e7785905449a",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("message", "problem", "request_id"),
    [
        (f"2026-01-02T03:04:05.678Z {ID} Task timed out after 3.00 seconds\n\n", "timeout", ID),
        (
            f"RequestId: {ID} Error: Runtime exited with error: signal: killed\nRuntime.ExitError",
            "killed",
            ID,
        ),
        (f"RequestId: {ID} Error: Runtime exited with error: exit status 1\n", "exited", ID),
        (f"RequestId: {ID} Process exited before completing request\n", "exited", ID),
        (
            "<--- Last few GCs --->\nFATAL ERROR: Reached heap limit Allocation failed - "
            "JavaScript heap out of memory",
            "out of memory",
            "",
        ),
        ("java.lang.OutOfMemoryError: Java heap space", "out of memory", ""),
        (
            "[ERROR] Runtime.ImportModuleError: Unable to import module 'app': No module named 'x'",
            "did not load",
            "",
        ),
    ],
    ids=range(7),
)
def test_bad_ends_are_recognised(message: str, problem: str, request_id: str) -> None:
    (line,) = lines(message)
    assert (line.facts, line.level, line.request_id) == ({"problem": problem}, "ERROR", request_id)


@pytest.mark.parametrize(
    ("report", "problem"),
    [
        ("Status: timeout", "timeout"),
        ("Status: error\tError Type: Runtime.ExitError", "exited"),
        ("Status: error\tError Type: Runtime.OutOfMemory", "out of memory"),
        ("Memory Size: 128 MB\tMax Memory Used: 128 MB\tStatus: error", "out of memory"),
        ("Memory Size: 128 MB\tMax Memory Used: 128 MB", None),
        ("Status: error", None),
    ],
)
def test_a_report_tells_of_a_bad_end(report: str, problem: str | None) -> None:
    (line,) = lines(f"REPORT RequestId: {ID}\tDuration: 3000.00 ms\t{report}")
    assert line.facts.get("problem") == problem


def test_a_bad_end_in_json() -> None:
    timed_out = clew_line(f"2026-01-02T03:04:05Z {ID} Task timed out after 3.00 seconds")
    harmless, bad = lines(timed_out, timed_out.replace('"INFO"', '"ERROR"'))
    assert harmless.facts == {}
    assert bad.facts == {"problem": "timeout"}


@pytest.mark.parametrize(
    ("message", "level", "request_id"),
    [
        (f"2026-01-02T03:04:05.678Z\t{ID}\tWARN\tfrom Node.js", "WARN", ID),
        ("2026-01-02T03:04:05.678Z\tundefined\tINFO\tbefore the first one", "INFO", ""),
        (f'{{"level": "warn", "function_request_id": "{ID}"}}', "WARN", ID),
        (f'{{"level": 30, "AWSRequestId": "{ID}"}}', "", ID),
        ("{not json", "", ""),
        ("REPORTING for duty", "", ""),
        ("START", "", ""),
    ],
)
def test_levels_and_ids_of_other_runtimes(message: str, level: str, request_id: str) -> None:
    (line,) = lines(message)
    assert (line.kind, line.level, line.request_id) == ("", level, request_id)


PYTHON = [
    "Traceback (most recent call last):",
    '  File "/var/task/app.py", line 3, in handler',
    "    one()",
    "ValueError: one",
    "",
    "During handling of the above exception, another exception occurred:",
    "",
    "Traceback (most recent call last):",
    '  File "/var/task/app.py", line 5, in handler',
    "KeyError: 'other'",
]
JAVA = [
    "java.lang.IllegalStateException: no order",
    "\tat com.example.Orders.find(Orders.java:12)",
    "Caused by: java.sql.SQLException: no table",
    "\tat com.example.Db.query(Db.java:80)",
    "\t... 12 more",
]


@pytest.mark.parametrize("stack", [PYTHON, JAVA], ids=["python", "java"])
def test_a_stack_that_came_in_pieces_is_one_line(stack: list[str]) -> None:
    stack = [one for one in stack if one]  # CloudWatch Logs has no empty events
    found = lines(clew_line(), *(f"{one}\n" for one in stack), "another print", clew_line())
    assert [line.events for line in found] == [1, len(stack), 1, 1]
    assert found[1].message == "\n".join(stack)
    assert found[1].event_id == f"{1:056d}"
    assert found[1].at_ms == NOW + 1


def test_what_stands_between_ends_a_stack() -> None:
    for between in (clew_line(), f"END RequestId: {ID}", '{"type": "platform.report"}'):
        found = lines("Traceback (most recent call last):", between, "  File x", "    y")
        assert [line.events for line in found] == [1, 1, 2]
    late = [(NOW, "Error: x", "a"), (NOW + 5_000, "    at y", "b"), (NOW, "    at z", "c")]
    assert [line.events for line in read_events(Origin(GROUP, STREAM), late)] == [1, 1, 1]


def test_a_problem_inside_a_stack_is_seen() -> None:
    (line,) = lines("<--- Last few GCs --->", "  JavaScript heap out of memory")
    assert (line.level, line.facts) == ("ERROR", {"problem": "out of memory"})


_PIECES = st.sampled_from(
    [
        *PYTHON, *JAVA, "  indented", "\ttab", "{", "[]", clew_line(), "null",
        f"START RequestId: {ID} Version: $LATEST", f"END RequestId: {OTHER}",
        "REPORT RequestId: x\tDuration: nan ms\tBilled Duration: 1e999 ms\tMemory Size: -3 MB",
        '{"type": "platform.report", "record": {"metrics": {"durationMs": NaN}, "tracing": 3}}',
        '{"type": "platform.start", "record": []}', '{"level": {}, "requestId": []}',
        "[" * 2_000, '{"a":' * 2_000, "\ud800", "\0",
    ]
)  # fmt: skip


@given(st.lists(st.one_of(_PIECES, st.text(max_size=40)), max_size=30))
def test_nothing_is_lost_or_doubled(messages: list[str]) -> None:
    found = lines(*messages)
    assert sum(line.events for line in found) == len(messages)
    at = 0
    for line in found:
        parts = messages[at : at + line.events]
        whole = parts[0] if line.events == 1 else "\n".join(p.removesuffix("\n") for p in parts)
        assert line.message == whole
        assert line.event_id == f"{at:056d}"
        at += line.events


_JSON: Any = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(
                [
                    "messageType", "logEvents", "logGroup", "logStream", "owner", "message", "id",
                    "timestamp", "subscriptionFilters", "type", "record", "level", "metrics",
                ]
            ),
            inner,
            max_size=6,
        ),
    ),
    max_leaves=20,
)  # fmt: skip


@given(_JSON, _JSON)
def test_a_batch_of_any_shape_is_read(value: Any, event: Any) -> None:
    if isinstance(value, dict):
        assert isinstance(lines_of(value), list)
    whole = {**batch(), "logEvents": [event, {"message": json.dumps(value)}], "logGroup": value}
    assert lines_of(whole)[-1].message == json.dumps(value)

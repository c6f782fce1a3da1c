"""What Lambda itself writes into the log of a function: as text, or as JSON. Pure.

Text: Lambda developer guide, "View CloudWatch logs for Lambda functions"; JSON: "Lambda Telemetry
API Event schema reference", whose events are the system log lines of Lambda's JSON log format.
"""

from __future__ import annotations

import math
import re
from typing import Any

#: How a line of Lambda's begins -> what kind it is.
WORDS = {
    "START": "start",
    "END": "end",
    "REPORT": "report",
    "INIT_START": "init",
    "INIT_REPORT": "initReport",
    "RESTORE_START": "restore",
    "RESTORE_REPORT": "restoreReport",
    "XRAY": "xray",
    "EXTENSION": "extension",
    "LOGS": "logs",
    "TELEMETRY": "telemetry",
}
#: The first characters of those, and what ends the first word.
FIRST = frozenset(word[0] for word in WORDS)
_WORD = re.compile(r"[A-Z_]{3,14}(?=[ \t])")

#: The types of JSON events that have a kind above; the others are named as they are.
_TYPES = {
    "platform.start": "start",
    "platform.report": "report",
    "platform.initStart": "init",
    "platform.initReport": "initReport",
    "platform.restoreStart": "restore",
    "platform.restoreReport": "restoreReport",
    "platform.extension": "extension",
    "platform.logsSubscription": "logs",
    "platform.telemetrySubscription": "telemetry",
}
_MAX_WORD = 256
#: As it stands in a REPORT line -> as the JSON format calls it.
_NUMBERS = {
    "Duration": "durationMs",
    "Billed Duration": "billedDurationMs",
    "Memory Size": "memorySizeMB",
    "Max Memory Used": "maxMemoryUsedMB",
    "Init Duration": "initDurationMs",
    "Restore Duration": "restoreDurationMs",
    "Billed Restore Duration": "billedRestoreDurationMs",
}
_TEXTS = {"Status": "status", "Error Type": "errorType", "Phase": "phase"}
_AROUND = re.compile(r"(?:START|END) RequestId: (\S{1,64})(?: Version: (\S{1,128}))?").match
_FIELD = re.compile(r"([A-Z][A-Za-z ]{2,30}): ([^\t\n]{1,512})")
_XRAY_ROOT = re.compile(r"Root=(1-[0-9a-fA-F]{8}-[0-9a-fA-F]{24})")

#: What a line has in it -> the problem that it tells of.
_PROBLEMS = (
    ("Task timed out after", "timeout"),
    ("Runtime.OutOfMemory", "out of memory"),
    ("OutOfMemoryError", "out of memory"),
    ("heap out of memory", "out of memory"),
    ("signal: killed", "killed"),
    ("Runtime.ExitError", "exited"),
    ("Runtime exited", "exited"),
    ("Process exited before completing request", "exited"),
    ("Runtime.ImportModuleError", "did not load"),
    ("Runtime.HandlerNotFound", "did not load"),
)


def word_of(message: str) -> str:
    """The kind of a text line of Lambda's; "" of any other."""
    found = _WORD.match(message)
    return WORDS.get(found[0], "") if found else ""


def facts_of_text(kind: str, message: str) -> tuple[str, dict[str, Any]]:
    """The request id in a text line of Lambda's, and what else it says."""
    if kind in ("start", "end") and (found := _AROUND(message)):
        return found[1], {"version": found[2]} if found[2] else {}
    request_id = ""
    facts: dict[str, Any] = {}
    for name, value in _FIELD.findall(message, message.find(" ") + 1):
        if name == "RequestId":
            request_id = value.strip()
        elif name in _NUMBERS:
            number = _number(value.partition(" ")[0])
            if number is not None:
                facts[_NUMBERS[name]] = number
        elif name in _TEXTS:
            facts[_TEXTS[name]] = value.strip()
        elif name == "Runtime Version":
            facts["runtimeVersion"] = value.strip()
        elif name in ("TraceId", "XRAY TraceId"):
            facts["xrayTraceId"] = value.strip()
    return request_id, _concluded(kind, facts)


def facts_of_event(found: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """Of a JSON event of Lambda's: its kind, its request id, and what else it says."""
    type_ = str(found.get("type"))[:_MAX_WORD]
    kind = _TYPES.get(type_, type_)
    record = found.get("record")
    if not isinstance(record, dict):
        return kind, "", {}
    facts: dict[str, Any] = {}
    metrics = record.get("metrics")
    for name, value in metrics.items() if isinstance(metrics, dict) else ():
        if name in _METRICS and (number := _number(value)) is not None:
            facts[name] = number
    for name, shown in _MEMBERS.items():
        if isinstance(value := record.get(name), str) and value:
            facts[shown] = value[:_MAX_WORD]
    if kind in ("initReport", "restoreReport") and "durationMs" in facts:
        facts["initDurationMs" if kind == "initReport" else "restoreDurationMs"] = facts.pop(
            "durationMs"
        )
    tracing = record.get("tracing")
    value = tracing.get("value") if isinstance(tracing, dict) else None
    if isinstance(value, str) and (root := _XRAY_ROOT.search(value, 0, 1024)):
        facts["xrayTraceId"] = root[1]
    request_id = record.get("requestId")
    return kind, request_id if isinstance(request_id, str) else "", _concluded(kind, facts)


_METRICS = frozenset(_NUMBERS.values()) | {"producedBytes"}
_MEMBERS = {
    "status": "status",
    "errorType": "errorType",
    "phase": "phase",
    "version": "version",
    "runtimeVersion": "runtimeVersion",
    "initializationType": "initializationType",
}


def problem_of(text: str) -> str:
    """How an invocation came to a bad end, if a line tells of that; else ""."""
    for words, problem in _PROBLEMS:
        if words in text:
            return problem
    return ""


def _concluded(kind: str, facts: dict[str, Any]) -> dict[str, Any]:
    """With what follows: the cold start, and the problem."""
    if kind == "report":
        if "initDurationMs" in facts or "restoreDurationMs" in facts:
            facts["coldStart"] = True
        used, size = facts.get("maxMemoryUsedMB"), facts.get("memorySizeMB")
        failed = facts.get("status") == "error"
        if failed and used is not None and size is not None and used >= size > 0:
            facts["problem"] = "out of memory"
    if "problem" not in facts:
        problem = problem_of(str(facts.get("errorType", "")))
        if facts.get("status") == "timeout":
            problem = "timeout"
        if problem:
            facts["problem"] = problem
    return facts


def _number(value: object) -> float | int | None:
    """A number that is no less than 0; None where there is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value) if len(value) < 32 else None
        except ValueError:
            return None
    if isinstance(value, float):
        if not math.isfinite(value) or value < 0:
            return None
        return int(value) if value.is_integer() and value < 1e15 else value
    return value if isinstance(value, int) and 0 <= value < 1 << 63 else None

"""How Lambda says that an invocation ended, or never began. Pure.

The words are those of the Lambda developer guide ("Troubleshoot execution issues in Lambda", "Log
formats", "Telemetry API Event reference") and, where they differ, of the local cloud.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from clew.stories.naming import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clew.stories.lines import Lines, TextLine

TIMED_OUT, OUT_OF_MEMORY, CRASHED = "timed out", "out of memory", "crashed"
COULD_NOT_START = "could not start"

#: What to search a log for, where a function may not have come as far as its handler.
NOT_STARTED = "Runtime."

_TIME = re.compile(r"Task timed out(?: after [0-9.]+ seconds)?|status timeout")
_MEMORY = re.compile(r"Runtime\.OutOfMemory(?:Error)?|MemoryError")
_CRASH = re.compile(r"Worker process died|Runtime exited[^\n]*|Runtime\.ExitError|signal: \w+")
_START = re.compile(
    r"Runtime\.(?:ImportModuleError|HandlerNotFound|UserCodeSyntaxError)(?:: .*)?"
    r"|Unable to import module .*"
)
_MEMORY_USED = re.compile(r"Memory Size: (\d+) MB\s+Max Memory Used: (\d+) MB")
#: Members of a REPORT line that are there only when something went wrong.
_STATUS = re.compile(r"Status: \w+|Error Type: [\w.]+")
_LAMBDAS = re.compile(
    r"Task timed out|Worker process died|Runtime exited|Runtime\.\w+|RequestId: |REPORT "
)


def is_telling(text: TextLine) -> bool:
    """Whether a line that Lambda writes around every invocation says more than usual."""
    return text.message.startswith("REPORT ") and _STATUS.search(text.message) is not None


def is_lambdas(text: TextLine) -> bool:
    """Whether Lambda wrote it, not the function."""
    return _LAMBDAS.search(text.message, 0, 200) is not None


def ending_of(texts: Iterable[TextLine]) -> tuple[str, str]:
    """(kind, Lambda's words) of how an invocation was ended, or ("", "").

    A process that is killed with all its memory in use ran out of it, whatever else is said: the
    kernel ends it without a word.
    """
    found: dict[str, str] = {}
    for text in texts:
        message = text.message
        used = _MEMORY_USED.search(message)
        full = used is not None and int(used[2][:12]) >= int(used[1][:12])
        for kind, pattern in ((OUT_OF_MEMORY, _MEMORY), (TIMED_OUT, _TIME), (CRASHED, _CRASH)):
            if match := pattern.search(message):
                found.setdefault(kind, match[0])
        if full and used is not None:
            found["memory full"] = f"{used[2]} of {used[1]} MB used"
    full_words = found.pop("memory full", "")
    if full_words and (CRASHED in found or OUT_OF_MEMORY in found):
        words = found.get(OUT_OF_MEMORY) or found[CRASHED]
        return OUT_OF_MEMORY, one_line(f"{words}, {full_words}")
    for kind in (OUT_OF_MEMORY, TIMED_OUT, CRASHED):
        if kind in found:
            return kind, one_line(found[kind])
    return "", ""


def failed_starts(lines: Lines) -> list[tuple[int, str, str]]:
    """(ms since the epoch, log group, Lambda's words) of each function that could not be loaded."""
    found = [
        (text.at_ms, text.log_group, one_line(match[0]))
        for text in lines.texts
        if "Runtime." in text.message or "Unable to import" in text.message
        if (match := _START.search(text.message, 0, 2000))
    ]
    for line in lines.ordinary:  # in Lambda's JSON log format
        kind, why = line.fields.get("errorType"), line.fields.get("errorMessage")
        if isinstance(kind, str) and isinstance(why, str) and _START.match(kind):
            found.append((line.at_ms, line.log_group, one_line(f"{kind}: {why}")))
    return sorted(found)

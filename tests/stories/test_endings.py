"""How Lambda says that an invocation ended, in its own words and in the local cloud's."""

from __future__ import annotations

import json

import pytest

from clew.stories.endings import ending_of, failed_starts, is_lambdas
from clew.stories.lines import RawLine, TextLine
from clew.stories.parse import read

from .runtime import Run, story_of

UUID = "4f0c1f0e-0d7a-4f3e-9d53-0a3a5b1f6f5e"
REPORT = f"REPORT RequestId: {UUID}\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\t"


def ended(*messages: str) -> tuple[str, str]:
    return ending_of(TextLine(1, "g", message) for message in messages)


@pytest.mark.parametrize(
    ("messages", "kind"),
    [
        (["2026-01-02T03:04:08.000Z 4f0c Task timed out after 3.00 seconds"], "timed out"),
        (["Task timed out (Lambda reports the status timeout)"], "timed out"),
        ([REPORT + "Memory Size: 128 MB\tMax Memory Used: 40 MB\tStatus: timeout"], ""),
        (["Worker process died"], "crashed"),
        (
            [f"RequestId: {UUID} Error: Runtime exited with error: signal: segmentation fault"],
            "crashed",
        ),
        (
            [
                f"RequestId: {UUID} Error: Runtime exited with error: signal: killed",
                REPORT + "Memory Size: 128 MB\tMax Memory Used: 60 MB\tStatus: error",
            ],
            "crashed",
        ),
        (
            [
                f"RequestId: {UUID} Error: Runtime exited with error: signal: killed",
                REPORT + "Memory Size: 128 MB\tMax Memory Used: 128 MB\tStatus: error",
            ],
            "out of memory",
        ),
        (
            [
                REPORT + "Memory Size: 128 MB\tMax Memory Used: 128 MB\tStatus: error\t"
                "Error Type: Runtime.OutOfMemory"
            ],
            "out of memory",
        ),
        # Full, but it was the time that was up.
        (
            [
                f"{UUID} Task timed out after 3.00 seconds",
                REPORT + "Memory Size: 128 MB\tMax Memory Used: 128 MB\tStatus: timeout",
            ],
            "timed out",
        ),
        (["a print of the function's"], ""),
        ([], ""),
    ],
)
def test_the_kind_of_an_ending(messages: list[str], kind: str) -> None:
    assert ended(*messages)[0] == kind


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        ({"status": "timeout"}, "timed out"),
        ({"status": "error", "errorType": "Runtime.ExitError"}, "crashed"),
        (
            {
                "status": "error",
                "errorType": "Runtime.ExitError",
                "metrics": {"memorySizeMB": 128, "maxMemoryUsedMB": 128},
            },
            "out of memory",
        ),
        ({"status": "error", "errorType": "Runtime.OutOfMemory"}, "out of memory"),
        ({"status": "success"}, "unfinished"),
        ({}, "unfinished"),
    ],
)
def test_lambdas_json_format_says_it_too(record: dict[str, object], kind: str) -> None:
    run = Run("slow", request_id=UUID)
    run.log(run.receive(), "starting")
    report = {"type": "platform.report", "record": {"requestId": UUID, **record}}
    run.text(json.dumps(report), at=3_000)
    (broken,) = story_of(run).breaks
    assert broken.kind == kind
    assert story_of(run).hops[0].ending == ("" if kind == "unfinished" else kind)


def test_a_function_that_could_not_be_loaded_says_why() -> None:
    text = "[ERROR] Runtime.ImportModuleError: Unable to import module 'app': No module named 'x'"
    in_json = json.dumps(
        {"level": "ERROR", "errorType": "Runtime.HandlerNotFound", "errorMessage": "no handler"}
    )
    lines = [RawLine(7, "/aws/lambda/a", "s", text), RawLine(3, "/aws/lambda/b", "s", in_json)]
    assert failed_starts(read([*lines, RawLine(1, "/aws/lambda/c", "s", "Runtime. fine")])) == [
        (3, "/aws/lambda/b", "Runtime.HandlerNotFound: no handler"),
        (7, "/aws/lambda/a", text.removeprefix("[ERROR] ")),
    ]


def test_lambdas_words_are_told_from_prints() -> None:
    assert is_lambdas(TextLine(1, "g", f"RequestId: {UUID} Error: Runtime exited"))
    assert not is_lambdas(TextLine(1, "g", "sending the letter"))

"""Functions under AWS's own runtime interface client, as Lambda runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import clew
from capture.events import (
    API_REQUEST_ID,
    FIELDS,
    XRAY_HEADER,
    XRAY_ROOT,
    attributes,
    kinesis,
    rest_api,
    sns,
    with_context,
)
from log.lines import Line, invocation, read_lines

from .runtime_api import RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Until

HERE = Path(__file__).parent
SRC = Path(clew.__file__).parents[1]


class Function:
    """A function that runs under the client."""

    def __init__(self, api: RuntimeApi, process: subprocess.Popen[bytes], out: Path) -> None:
        self.api = api
        self.process = process
        self._out = out
        self._read = 0
        self.said: list[Line] = []

    def written(self) -> str:
        """What stdout got since the last call."""
        with self._out.open("rb") as file:
            file.seek(self._read)
            data = file.read()
        self._read += len(data)
        return data.decode()

    def all_written(self) -> str:
        """What stdout got so far."""
        return self._out.read_text("utf-8")

    def lines(self) -> list[Line]:
        """`written`, every line of which is one of clew's; what it says of levels is kept apart."""
        lines = read_lines(self.written())
        self.said += [line for line in lines if line["message"].startswith("Lambda drops")]
        return [line for line in lines if line not in self.said]


@contextmanager
def running(tmp_path: Path, module: str, **environment: str) -> Iterator[Function]:
    """``python -m awslambdaric module.handler`` with a Runtime API of its own."""
    out, err, telemetry = (tmp_path / name for name in ("out", "err", "telemetry"))
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    with RuntimeApi() as api, out.open("wb") as stdout, err.open("wb") as stderr:
        with telemetry.open("wb") as frames:
            if environment.pop("framed", ""):
                environment["_LAMBDA_TELEMETRY_LOG_FD"] = str(frames.fileno())
            process = subprocess.Popen(
                [sys.executable, "-m", "awslambdaric", f"{module}.handler"],
                cwd=HERE / "functions",
                env={
                    **kept,
                    "PYTHONPATH": str(SRC),
                    "AWS_LAMBDA_RUNTIME_API": api.address,
                    "_HANDLER": f"{module}.handler",
                    "LAMBDA_TASK_ROOT": str(HERE / "functions"),
                    "AWS_LAMBDA_FUNCTION_NAME": "my-function",
                    "AWS_LAMBDA_FUNCTION_VERSION": "7",
                    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
                    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/my-function",
                    "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/02/[7]abc",
                    "AWS_REGION": "us-east-2",
                    **environment,
                },
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                pass_fds=[frames.fileno()],
            )
        try:
            yield Function(api, process, out)
        finally:
            process.kill()
            process.wait(20)
            assert err.read_text() == ""


FORMATS = pytest.mark.parametrize(
    "log_format",
    [
        {},
        {"AWS_LAMBDA_LOG_FORMAT": "Text", "framed": "1"},
        {"AWS_LAMBDA_LOG_FORMAT": "JSON"},
        {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO", "framed": "1"},
    ],
    ids=["default", "text-framed", "json", "json-framed"],
)


@FORMATS
def test_a_functions_life(tmp_path: Path, log_format: dict[str, str]) -> None:
    with running(tmp_path, "routes", **log_format) as function:
        # A cold start at the edge.
        event = rest_api({"User-Agent": "Mozilla/5.0"}, body="hello")
        outcome = function.api.invoke(event, "request-1", XRAY_HEADER)
        assert outcome == (
            "response",
            "request-1",
            {"statusCode": 200, "body": "hello", "headers": {"x-correlation-id": API_REQUEST_ID}},
        )
        serving, wide = function.lines()
        assert (serving["message"], serving["remaining"]) == ("serving", True)
        assert wide["message"] == "invocation"
        for line in (serving, wide):
            assert line["requestId"] == "request-1"
            assert (line["function"], line["version"]) == ("my-function", "7")
            assert line["coldStart"] is True
            assert line["xrayTraceId"] == XRAY_ROOT
            assert line["x-correlation-id"] == API_REQUEST_ID
            assert line["x-correlation-user-id"] == "42"

        # The next one is warm, has another trace, and nothing of the one before.
        event = rest_api({"debug-log-enabled": "true"}, body="again")
        function.api.invoke(event, "request-2")
        serving, detail, wide = function.lines()
        assert (detail["level"], detail["message"]) == ("DEBUG", "in detail")
        assert {line["requestId"] for line in (serving, detail, wide)} == {"request-2"}
        assert {line["coldStart"] for line in (serving, detail, wide)} == {False}
        assert "xrayTraceId" not in wide

        # Records.
        answer = function.api.invoke(kinesis(with_context(b'{"a":1}', FIELDS)), "request-3")
        assert answer.body == {"batchItemFailures": []}
        each, wide = function.lines()
        assert (each["message"], each["payload"]) == ("each", {"a": 1})
        assert each["x-correlation-id"] == "the-request"
        assert [one["outcome"] for one in wide["received"]] == ["done"]
        assert function.api.invoke(sns("hello", attributes(FIELDS)), "request-4").kind == "response"
        message, wide = function.lines()
        assert (message["text"], message["call-chain-length"]) == ("hello", "3")
        assert wide["requestId"] == "request-4"


@FORMATS
def test_an_error_is_reported_as_without_clew(tmp_path: Path, log_format: dict[str, str]) -> None:
    framed = "framed" in log_format
    with running(tmp_path, "routes", **log_format) as function:
        plain = function.api.invoke({"body": "undecorated"}, "request-1")
        of_the_runtime = function.written()
        decorated = function.api.invoke(rest_api(body="fail"), "request-2")
        text = function.written()

    assert (plain.kind, decorated.kind, decorated.request_id) == ("error", "error", "request-2")
    for name in ("errorType", "errorMessage"):
        assert decorated.body[name] == plain.body[name]
    assert decorated.body["errorMessage"] == "no more wine"
    assert decorated.body["stackTrace"][-1] == plain.body["stackTrace"][-1]
    assert "raise OutOfWine" in decorated.body["stackTrace"][-1]

    # The runtime's own line, which is text unless its format is JSON, is there once, as ever.
    own: list[str] = []
    theirs: list[str] = []
    for line in text.split("\n")[:-1]:
        (own if '"logger"' in line else theirs).append(line)
    lines = read_lines("".join(f"{line}\n" for line in own))
    drops_debug = "AWS_LAMBDA_LOG_LEVEL" in log_format
    messages = [line["message"] for line in lines if not line["message"].startswith("Lambda drops")]
    assert len(lines) - len(messages) == drops_debug
    assert messages == ["held back", "the event of the failed invocation", "invocation"]
    assert invocation(lines)["exception"]["type"] == "routes.OutOfWine"
    assert invocation(lines)["outcome"] == "error"
    if framed:
        assert (theirs, of_the_runtime) == ([], "")
        frames = (tmp_path / "telemetry").read_bytes()
        assert frames.count(b"\xa5\x5a\x00") == 2, "the runtime's two, and nothing of clew's"
    elif log_format.get("AWS_LAMBDA_LOG_FORMAT") == "JSON":
        (line,) = theirs
        assert json.loads(line)["errorMessage"] == "no more wine"
    else:
        assert len(theirs) == 1
        assert theirs[0].startswith("[ERROR] OutOfWine: no more wine")


@FORMATS
def test_a_function_that_only_decorates(tmp_path: Path, log_format: dict[str, str]) -> None:
    """The lines of libraries are clew's, once, in every format."""
    with running(tmp_path, "only_decorates", **log_format) as function:
        assert function.api.invoke({"a": 1}, "request-1").body == {"a": 1}
        *told, wide = function.lines()
        assert told[0]["message"] == "from a library"
        assert (told[0]["logger"], told[0]["own"]) == ("some.library", 1)
        assert told[0]["requestId"] == wide["requestId"] == "request-1"
        root_is_at_info = "AWS_LAMBDA_LOG_LEVEL" in log_format
        assert len(told) == 1 + root_is_at_info
    assert (tmp_path / "telemetry").read_bytes() == b""


def test_the_level_that_lambda_sets(tmp_path: Path) -> None:
    settings = {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "WARN"}
    with running(tmp_path, "routes", **settings) as function:
        function.api.invoke(rest_api({}, body="hello"), "request-1")
        assert [line["message"] for line in function.lines()] == ["invocation"]
        function.api.invoke(rest_api({"debug-log-enabled": "true"}, body="hello"), "request-2")
        messages = [line["message"] for line in function.lines()]
        assert messages == ["serving", "in detail", "invocation"], "DEBUG is for the whole chain"
        assert [line["message"][:26] for line in function.said] == [
            "Lambda drops INFO invocati",
            "Lambda drops DEBUG lines o",
        ]


def test_what_lambda_stops_has_said_where_it_was(tmp_path: Path, until: Until) -> None:
    with running(tmp_path, "routes") as function:
        assert function.api.invoke(rest_api(body="hello"), "request-1").kind == "response"
        function.written()
        function.api.begin(rest_api(body="hang"), "request-2", timeout_s=0.5)
        text = until(
            lambda: text if "the event of" in (text := function.all_written()) else "", "it is said"
        )
        function.process.kill()  # as Lambda does
    warning, wide, held, event = read_lines(text)[2:]
    assert warning["message"] == "the function is about to time out"
    assert 'routes.py", line' in warning["stack"][0]
    assert warning["stack"][-1].endswith("in wait")
    assert (wide["message"], wide["outcome"]) == ("invocation", "timeout")
    assert [one["outcome"] for one in wide["received"]] == ["timeout"]
    assert held["message"] == "before it hangs"
    assert event["event"]["body"] == "hang"
    assert {line["requestId"] for line in (warning, wide, held, event)} == {"request-2"}


def test_what_ends_the_process_ends_it(tmp_path: Path) -> None:
    with running(tmp_path, "routes") as function:
        function.api.events.put(
            (
                {
                    "Lambda-Runtime-Aws-Request-Id": "request-1",
                    "Lambda-Runtime-Deadline-Ms": "4102444800000",
                    "Lambda-Runtime-Invoked-Function-Arn": "arn",
                },
                json.dumps(rest_api({}, body="exit")).encode(),
            )
        )
        assert function.process.wait(20) == 3
        wide = invocation(function.lines())
        assert (wide["outcome"], wide["exception"]["type"]) == ("error", "SystemExit")


def test_an_import_that_fails_is_reported(tmp_path: Path) -> None:
    with running(tmp_path, "broken", AWS_LAMBDA_LOG_FORMAT="JSON") as function:
        outcome: Any = function.api.outcomes.get(timeout=20)
        assert (outcome.kind, outcome.body["errorType"]) == ("error", "KeyError")
        assert function.process.wait(20) == 1
        lines = [json.loads(line) for line in function.written().splitlines()]
        assert lines[0]["message"] == "so far so good"
        assert {line["level"] for line in lines[1:]} <= {"WARNING", "ERROR"}

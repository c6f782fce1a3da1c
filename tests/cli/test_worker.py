"""``clew worker run``, driven from outside."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest

from clew.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from clew.localcloud import LocalCloud

CLEW = [sys.executable, "-c", "from clew.cli import main; main()"]
HANDLER = """
import base64, json, os, time

def handler(event, context):
    assert 0 < context.get_remaining_time_in_millis() <= 900_000
    with open("handled", "a") as file:
        for record in event["Records"]:
            file.write(base64.b64decode(record["kinesis"]["data"]).decode() + "\\n")
    while os.path.exists("hold"):
        time.sleep(0.01)
    if os.path.exists("fail"):
        raise ValueError("told to fail")

value = 7
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "orders.py").write_text(HANDLER)
    return tmp_path


@pytest.fixture
def stream(cloud: LocalCloud, request: pytest.FixtureRequest) -> Iterator[str]:
    name = request.node.name.replace("[", "-").replace("]", "")[:100]
    kinesis = cloud.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    yield name
    kinesis.delete_stream(StreamName=name)


def command(cloud: LocalCloud, *arguments: str) -> list[str]:
    return [*CLEW, "worker", "run", "--local", cloud.name, *arguments]


class Run:
    """A command that runs, and the JSON lines that it writes."""

    def __init__(self, cloud: LocalCloud, directory: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            command(cloud, *arguments),
            cwd=directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def messages(self, message: str) -> list[dict[str, Any]]:
        return [line for line in list(self.lines) if line["message"] == message]

    def end(self, signum: signal.Signals) -> int:
        self.process.send_signal(signum)
        status = self.process.wait(20)
        self._reader.join(10)
        return status


@pytest.fixture
def run(cloud: LocalCloud, directory: Path) -> Iterator[Callable[..., Run]]:
    runs: list[Run] = []

    def started(*arguments: str) -> Run:
        runs.append(Run(cloud, directory, *arguments))
        return runs[-1]

    yield started
    for each in runs:
        each.process.kill()
        each.process.communicate()


def handled(directory: Path) -> list[str]:
    path = directory / "handled"
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_it_finishes_the_batch_under_way_and_goes_on_the_next_time(
    cloud: LocalCloud,
    directory: Path,
    stream: str,
    run: Callable[..., Run],
    until: Callable[..., Any],
    signum: signal.Signals,
) -> None:
    kinesis = cloud.client("kinesis")
    kinesis.put_record(StreamName=stream, PartitionKey="k", Data=b"one")
    (directory / "hold").touch()
    first = run("orders:handler", "--stream", stream)
    until(lambda: handled(directory), "the first is under way")
    stopping = threading.Timer(0.2, (directory / "hold").unlink)
    stopping.start()
    assert first.end(signum) == 0
    assert first.messages("shard released")
    assert first.lines[-1]["message"] == "stopped"
    kinesis.put_record(StreamName=stream, PartitionKey="k", Data=b"two")
    second = run("orders:handler", "--stream", stream, "--verbose")
    until(lambda: second.messages("batch"), "the next is handled")
    assert handled(directory) == ["one", "two"]
    (line,) = second.messages("batch")
    assert (line["level"], line["logger"], line["records"]) == ("DEBUG", "clew.worker", 1)
    assert second.end(signum) == 0


def test_it_tells_a_supervisor_and_prometheus_how_it_is(
    cloud: LocalCloud,
    directory: Path,
    stream: str,
    run: Callable[..., Run],
    until: Callable[..., Any],
) -> None:
    (directory / "fail").touch()
    running = run("orders.handler", "--stream", stream, "--retries", "0", "--health-port", "0")
    assert running.process.stderr is not None
    url = running.process.stderr.readline().strip()
    assert url.startswith("http://127.0.0.1:")
    until(lambda: running.messages("shard taken"), "it reads")
    cloud.client("kinesis").put_record(StreamName=stream, PartitionKey="k", Data=b"one")
    until(lambda: running.messages("batch discarded"), "it is given up")
    (failed,) = running.messages("batch failed")
    assert failed["level"] == "WARNING"
    assert failed["error"].startswith("ValueError: told to fail (")
    with urlopen(url) as answer:
        assert json.load(answer)["healthy"] is True
    with urlopen(url.replace("healthz", "metrics")) as answer:
        metrics = answer.read().decode()
    assert "clew_worker_running 1.0" in metrics
    assert "clew_worker_batch_failures_total 1.0" in metrics
    assert "clew_worker_records_discarded_total 1.0" in metrics
    assert 'clew_worker_shard_behind_seconds{shard="shardId-000000000000"} 0.0' in metrics


@pytest.fixture
def inside(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory, with this process in it: starting one for every sentence takes long."""
    monkeypatch.chdir(directory)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "orders", raising=False)
    return directory


Failed = Callable[..., tuple[int, str]]


@pytest.fixture
def failed(cloud: LocalCloud, capsys: pytest.CaptureFixture[str]) -> Failed:
    """Runs the command in this process; its status, and what it wrote to stderr."""

    def run(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(command(cloud, *arguments)[len(CLEW) :])
        assert isinstance(ended.value.code, int)
        return ended.value.code, capsys.readouterr().err

    return run


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothere:handler"], "There is no module nothere in "),
        (["orders:nobody"], "The module orders has no nobody"),
        (["orders:value"], "orders:value is not a function, but int"),
        (["orders"], "'orders' names no function"),
        (["orders:handler", "--stream", "none-such"], "There is no such stream as the Kinesis str"),
        (["orders:handler", "--table", "none-such"], "There is no such stream as the DynamoDB tab"),
        (["orders:handler", "--table", "t"], "give --stream or --table, and not both"),
        (["--function", "none-such"], "There is no Lambda function none-such; create it"),
        (["orders:handler", "--batch-size", "0"], "The batch size has to be from 1 to 10,000"),
        (
            ["orders:handler", "--max-age", "5s"],
            "The maximum record age (seconds) has to be from 60",
        ),
        (["orders:handler", "--from", "yesterday"], "TRIM_HORIZON, LATEST, AT_TIMESTAMP, not 'YES"),
        (["orders:handler", "--from", "31-12-2026"], "--from has to be a time"),
        (["orders:handler", "--filter", "{"], "The filter pattern '{' is not JSON"),
        (
            ["orders:handler", "--on-failure", "arn:aws:sqs:us-east-1:000000000000:none-such"],
            "The on-failure destination arn:aws:sqs:us-east-1:000000000000:none-such cannot be ",
        ),
        (["orders:handler", "--leases", "."], "The lease store . cannot be used"),
    ],
)
def test_what_cannot_be_run_gets_one_sentence(
    cloud: LocalCloud, inside: Path, stream: str, failed: Failed, arguments: list[str], said: str
) -> None:
    if "none-such" not in arguments[2:]:
        arguments = [*arguments, "--stream", stream]
    status, told = failed(*arguments)
    assert status == 1
    assert said in told
    assert told.count("\n") == 1
    assert not handled(inside)


def test_a_handler_or_a_function_has_to_be_named(inside: Path, failed: Failed) -> None:
    arn = "arn:aws:kinesis:us-east-1:000000000000:stream/s"
    for arguments in ([], ["orders:handler", "--function", "f"]):
        status, told = failed("--stream", arn, *arguments)
        assert status == 2
        assert "Name a handler as MODULE:FUNCTION, or --function" in told

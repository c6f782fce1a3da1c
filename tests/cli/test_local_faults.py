"""``clew local faults``, driven from outside, and what it shows of the mappings."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import click
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from clew.cli.duration import DURATION
from clew.localcloud import LocalCloud
from clew.localcloud.deploy import describe_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

CLEW = [sys.executable, "-c", "from clew.cli import main; main()"]
THROTTLED = "ProvisionedThroughputExceededException"


def story(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*CLEW, "story", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def clew(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*CLEW, "local", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def faulty() -> Iterator[LocalCloud]:
    with LocalCloud.start(name="faulty") as running:
        yield running


def test_faults_are_added_listed_and_cleared(faulty: LocalCloud) -> None:
    here = ("--name", faulty.name)
    added = clew(
        "faults", "add", "kinesis", "PutRecord", "--error", THROTTLED, "--rate", "0.3",
        "--for", "60s", *here,
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    said = f"kinesis PutRecord fail with {THROTTLED}, 30% of them, for 60 s."
    assert added.stdout == f"Added f1: {said}\n"
    latency = ("faults", "add", "sqs", "--latency", "500ms", "--seed", "7", "--json")
    slow = json.loads(clew(*latency, *here).stdout)
    assert (slow["latency_s"], slow["seed"], slow["until"]) == (0.5, 7, None)

    (kinesis, sqs) = json.loads(clew("faults", "list", "--json", *here).stdout)
    assert (kinesis["operations"], kinesis["rate"]) == (["PutRecord"], 0.3)
    assert sqs == slow
    listed = clew("faults", "list", *here).stdout
    assert THROTTLED in listed
    assert "0 of 0" in listed

    assert clew("faults", "clear", slow["id"], *here).stdout == "Cleared 1 fault.\n"
    assert clew("faults", "clear", *here).stdout == "Cleared 1 fault.\n"
    assert "No faults" in clew("faults", "list", *here).stdout


def test_what_clew_itself_reads_is_not_struck(faulty: LocalCloud) -> None:
    queue = json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}})
    faulty.client("cloudformation").create_stack(StackName="queue", TemplateBody=queue)
    client = faulty.client("logs", config=Config(retries={"total_max_attempts": 1}))
    for service in ("logs", "lambda", "cloudformation"):
        faulty.faults.add(
            service,
            error="ServiceUnavailableException" if service == "logs" else "",
            timeout=service != "logs",
        )
    try:
        with pytest.raises(ClientError):
            client.describe_log_groups()
        read = clew("logs", "--name", faulty.name)
        assert (read.returncode, read.stderr) == (0, "")
        stack = describe_stack(faulty.session(), "queue")
        assert stack is not None
        assert stack.name == "queue"
        told = story("12345678", "--name", faulty.name)
        assert told.stderr.startswith("clew: No log line has the id 12345678")
    finally:
        faulty.faults.clear()


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["add", "kinesi", "--timeout"], 1, "clew: There is no service kinesi; did you mean"),
        (["add", "kinesis"], 1, "clew: A fault is an error, a latency or a timeout"),
        (["add", "kinesis", "--latency", "soon"], 2, "'soon' is not like 500ms, 30s"),
        (["add", "kinesis", "--timeout", "--rate", "30"], 2, "Invalid value for '--rate'"),
        (["clear", "f9"], 1, "clew: There is no fault f9; see those there are with: "),
    ],
)
def test_mistakes_get_a_sentence(
    faulty: LocalCloud, arguments: list[str], status: int, said: str
) -> None:
    done = clew("faults", *arguments, "--name", faulty.name)
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("30s", 30), ("1.5m", 90), ("2h", 7200), ("1d", 86400)]
)
def test_a_duration_has_a_unit(text: str, seconds: float) -> None:
    assert DURATION.convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "5", "s", "-5s", "5 s", "5sec"])
def test_what_is_no_duration_is_a_usage_error(text: Any) -> None:
    with pytest.raises(click.BadParameter):
        DURATION.convert(text, None, None)

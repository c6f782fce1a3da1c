"""``clew story`` against a running local cloud."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from typing import TYPE_CHECKING

import pytest

from stories.runtime import Run

from .test_local import clew

if TYPE_CHECKING:
    from pathlib import Path

    from clew.localcloud import LocalCloud

pytestmark = pytest.mark.local_cloud


def put(cloud: LocalCloud, run: Run) -> None:
    """Put the lines of an invocation into the cloud's logs, as if it had just been."""
    logs = cloud.client("logs")
    stream = uuid.uuid4().hex
    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=run.group)
    logs.create_log_stream(logGroupName=run.group, logStreamName=stream)
    now_ms = int(time.time() * 1000)
    events = [{"timestamp": now_ms, "message": line.message} for line in run.lines]
    logs.put_log_events(logGroupName=run.group, logStreamName=stream, logEvents=events)


@pytest.fixture(scope="module")
def request_id(cloud: LocalCloud) -> str:
    """A request through two functions, whose second message nobody received."""
    request = str(uuid.uuid4())
    edge = Run("story-edge", source="aws:apigateway")
    received = edge.receive(request)
    edge.log(received, "hello [bold]there[/bold]")
    publish = edge.send(received, at=4)
    edge.send(received, "kinesis", "clicks", "PutRecord", at=5)
    edge.end()
    mail = Run("story-mail", at=20)
    mail.log(mail.receive(request, answers=publish), "mailing")
    mail.end()
    put(cloud, edge)
    put(cloud, mail)
    return request


def test_a_story_is_printed(cloud: LocalCloud, request_id: str) -> None:
    done = clew("story", request_id, "--name", cloud.name)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == f"Story of {request_id}"
    assert "│  INFO     hello [bold]there[/bold]" in lines
    assert "│  └─ story-mail  SNS  +20 ms  took 5 ms  done" in lines
    assert "BREAK  story-edge sent to the Kinesis stream clicks at 03:04:05.005 UTC, and" in lines
    assert "\x1b" not in done.stdout


def test_a_broken_story_fails_a_check(cloud: LocalCloud, request_id: str) -> None:
    assert clew("story", request_id[:8], "--check", "--name", "tests").returncode == 2
    whole = Run("story-whole")
    whole.receive("whole-story-1")
    whole.end()
    put(cloud, whole)
    assert clew("story", "whole-story-1", "--check", "--name", "tests").returncode == 0


def test_a_story_as_json(request_id: str) -> None:
    done = clew("story", request_id, "--json", "--since", "10m", "--wait", "0", "--name", "tests")
    assert done.returncode == 0
    story = json.loads(done.stdout)
    assert [hop["function"] for hop in story["hops"]] == ["story-edge", "story-mail"]
    assert [one["kind"] for one in story["breaks"]] == ["not received"]


def test_an_unknown_id_gets_one_sentence(request_id: str) -> None:
    wrong = request_id[:-3] + "xyz"
    done = clew("story", wrong, "--name", "tests")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"clew: No log line has the id {wrong} in ")
    assert "log groups of the local cloud tests from 20" in done.stderr
    assert request_id in done.stderr
    assert done.stderr.count("\n") == 1


def test_no_cloud_and_no_sense_are_said() -> None:
    nobody = clew("story", "12345678", "--name", "nobody")
    assert nobody.returncode == 1
    assert nobody.stderr.startswith("clew: No local cloud is called nobody; running: ")
    for wrong in (["--since", "x"], ["--wait", "-1"], ["--wait", "nan"]):
        assert clew("story", "12345678", *wrong).returncode == 2
    help_text = clew("story", "--help").stdout
    assert "Examples:" in help_text
    assert "--check" in help_text


def test_a_story_is_read_from_an_account(cloud: LocalCloud) -> None:
    request = str(uuid.uuid4())
    for function in ("account-shop-a", "account-b"):
        run = Run(function)
        run.receive(request)
        run.end()
        put(cloud, run)
    account = {
        "AWS_ENDPOINT_URL": cloud.endpoint_url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "CLEW_STATE_DIR": "/dev/null/no-local-cloud-is-asked",
    }
    told = clew("story", request, "--region", cloud.region, "--json", **account)
    assert told.returncode == 0, told.stderr
    functions = [hop["function"] for hop in json.loads(told.stdout)["hops"]]
    assert sorted(functions) == ["account-b", "account-shop-a"]
    some = ("--region", cloud.region, "--log-group", "/aws/lambda/account-shop-")
    told = clew("story", request, *some, "--json", **account)
    assert [hop["function"] for hop in json.loads(told.stdout)["hops"]] == ["account-shop-a"]
    missed = clew("story", "no-such-id", *some, **account)
    assert f"in 1 log group of CloudWatch Logs in {cloud.region} from 20" in missed.stderr


def test_an_account_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    nothing = {
        "AWS_CONFIG_FILE": str(tmp_path / "no"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "no"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(tmp_path),
    }
    for arguments, said in (
        (["--profile", "nobody"], "AWS cannot be used as it is configured here: "),
        (["--log-group", "/x"], "AWS cannot be used as it is configured here: You must specify"),
        (["--region", "eu-west-1"], "CloudWatch Logs in eu-west-1 could not be read: Unable to"),
    ):
        done = clew("story", "12345678", *arguments, **nothing)
        assert done.returncode == 1
        assert done.stderr.startswith(f"clew: {said}")
        assert done.stderr.count("\n") == 1
    both = clew("story", "12345678", "--name", "blue", "--region", "eu-west-1")
    assert both.returncode == 2
    assert "--name is of a local cloud" in both.stderr


def test_an_age_is_said_as_everywhere(request_id: str) -> None:
    said = ("--wait", "0", "--name", "tests")
    assert clew("story", request_id, "--since", "500m", *said).returncode == 0
    recent = clew("story", request_id, "--since", "1ms", *said)
    assert recent.returncode == 1
    assert "No log line has the id" in recent.stderr

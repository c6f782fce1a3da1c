"""``clew local`` and the command line around it, driven from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import requests

from clew.localcloud import LocalCloud, LocalCloudError

if TYPE_CHECKING:
    from collections.abc import Callable

PLAIN = Path(__file__).parents[1] / "localcloud" / "templates" / "plain" / "template.yaml"
CLEW = [sys.executable, "-c", "from clew.cli import main; main()"]


def clew(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [*CLEW, *map(str, arguments)]
    environment = os.environ | variables
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env=environment
    )


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_up_runs_until_it_is_told_to_end(signum: signal.Signals, until: Callable[..., Any]) -> None:
    command = [*CLEW, "local", "up", str(PLAIN), "--json", "-p", "Greeting=ahoy"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        told = json.loads(running.stdout.readline())
        requests.get(told["outputs"]["EdgeUrl"], timeout=10).raise_for_status()
        logged = clew("local", "logs", "Edge", "--name", told["name"], "--json")
        messages = [json.loads(line)["message"] for line in logged.stdout.splitlines()]
        assert "edge says ahoy" in messages
        below = psutil.Process(running.pid).children(recursive=True)
        assert len(below) >= 3
        running.send_signal(signum)
        status = running.wait(20)
    assert status == (0 if signum == signal.SIGINT else 128 + signum)
    until(lambda: not any(process.is_running() for process in below), "every process has ended")
    assert not Path(told["log_path"]).exists()


def test_a_detached_cloud_is_listed_read_and_ended() -> None:
    up = clew("local", "up", PLAIN, "--detach", "--name", "aside")
    assert up.returncode == 0, up.stderr
    assert "The local cloud aside runs at http://127.0.0.1:" in up.stdout
    try:
        assert "aside" in clew("local", "status").stdout
        (facts,) = [
            cloud
            for cloud in json.loads(clew("local", "status", "--json").stdout)
            if cloud["name"] == "aside"
        ]
        assert facts["stacks"] == ["plain"]
        (mapping,) = facts["mappings"]
        assert mapping["function"].startswith("plain-Drained-")
        assert mapping["source"] in clew("local", "status").stdout
        nobody = clew("local", "logs", "Nobody", "--name", "aside")
        assert nobody.returncode == 1
        assert nobody.stderr.startswith("clew: There is no function Nobody here")
    finally:
        down = clew("local", "down", "aside")
    assert down.stdout == "Ended aside.\n"
    assert clew("local", "down", "aside").returncode == 1


def test_up_ends_cleanly_when_it_is_ended_from_outside() -> None:
    command = [*CLEW, "local", "up", str(PLAIN), "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        name = json.loads(running.stdout.readline())["name"]
        assert clew("local", "down", name).returncode == 0
        assert running.wait(20) == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "clew: There is no template at "),
        ("Resources: [", "this is not valid YAML: "),
        ("Resources: {Fleet: {Type: AWS::GameLift::Fleet}}", "Fleet (AWS::GameLift::Fleet)"),
    ],
)
def test_a_bad_template_gets_one_line(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "template.yaml"
    if text is not None:
        path.write_text(text)
    done = clew("local", "up", path)
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_debug_shows_the_traceback_wherever_it_stands(tmp_path: Path) -> None:
    for arguments in (["--debug", "local", "up"], ["local", "up", "--debug"]):
        done = clew(*arguments, tmp_path / "no.yaml")
        assert "Traceback" in done.stderr
        assert done.stderr.splitlines()[-1].startswith("clew: There is no template at ")


@pytest.mark.parametrize(
    ("missing", "arguments", "extra"),
    [
        ("click", ["--help"], "ops"),
        ("psutil", ["local", "status"], "local"),
        ("samtranslator", ["local", "up", str(PLAIN)], "local"),
        ("click", ["local", "up", str(PLAIN)], "local"),
        ("boto3", ["story", "12345678"], "local"),
        ("boto3", ["story", "12345678", "--region", "eu-west-1"], "ops"),
        ("click", ["worker", "run", "x:y", "--stream", "s", "--local"], "local"),
    ],
)
def test_a_missing_extra_gets_one_line(missing: str, arguments: list[str], extra: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; from clew.cli import main; main()"
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert f"pip install 'clew[{extra}]'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_help_loads_no_group() -> None:
    code = (
        "import sys, contextlib\n"
        "from clew.cli import main\n"
        "with contextlib.suppress(SystemExit): main(['--help'])\n"
        "sys.exit(any(name in sys.modules for name in ('boto3', 'rich', 'clew.cli.local')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "local" in done.stdout
    assert done.returncode == 0


def test_usage_errors_say_so_and_exit_with_two() -> None:
    for arguments in (["nonsense"], ["local", "up", "t.yaml", "-p", "x"], ["local", "up"]):
        done = clew(*arguments)
        assert done.returncode == 2
        assert "Error: " in done.stderr


def test_an_account_is_read_without_what_a_local_cloud_needs() -> None:
    code = "import sys; sys.modules['psutil'] = None; from clew.cli import main; main()"
    command = [sys.executable, "-c", code, "story", "12345678", "--profile", "nobody"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "AWS cannot be used as it is configured here" in done.stderr


def test_a_local_cloud_without_its_extra_is_one_sentence() -> None:
    code = (
        "import sys; sys.modules['botocore.exceptions'] = None\n"
        "from clew.errors import ClewError\n"
        "try:\n    from clew.localcloud import LocalCloud\n"
        "except ClewError as error: print(error)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == (
        "clew.localcloud needs botocore, which is not installed; "
        "install it with: pip install 'clew[local]'.\n"
    )


@pytest.mark.parametrize("arguments", [["-h"], ["local", "-h"], ["local", "up", "-h"]])
def test_the_command_line_is_a_module_too(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "clew", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Usage: {' '.join(['clew', *arguments[:-1]])} ")


def test_following_logs_ends_with_the_cloud() -> None:
    with LocalCloud.start(name="followed") as cloud:
        other = LocalCloud.connect("followed")
        lines = other.follow_log_lines()
        cloud.stop()
        assert list(lines) == []
        with pytest.raises(LocalCloudError, match="The local cloud followed has been ended; see"):
            other.log_lines()
        # As it is between the last look at whether it runs, and the reading of its lines.
        other.__class__ = type("Alive", (LocalCloud,), {"alive": True})
        assert list(other.follow_log_lines()) == []

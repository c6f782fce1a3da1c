"""``clew ui`` from outside: what it refuses, what it prints, and that it leaves nothing behind."""

from __future__ import annotations

import signal
import subprocess
import tempfile
from typing import TYPE_CHECKING

import pytest
import requests

from clew.stories.lines import RawLine
from clew.stories.store import Store

from .test_local import CLEW, clew

if TYPE_CHECKING:
    from pathlib import Path

    from clew.localcloud import LocalCloud

TOKEN = "a-token-of-the-tests"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    path = tmp_path / "logs.db"
    with Store(path, write=True) as store:
        store.add([RawLine(1_767_323_045_000, "/aws/lambda/f", "s", "a line in a store")])
    return path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--store", "{}/nothing.db"], "clew: There is no store at "),
        (["--store", "{}/logs.db", "--host", "0.0.0.0"], "they need a token: say --token"),
        (["--store", "{}/logs.db", "--token", "short"], "give 16 characters or more"),
        (["--store", "{}/logs.db", "--host", "203.0.113.7", "--token", TOKEN], "cannot be had"),
        (["--store", "{}/logs.db", "--local"], "--store is of a file, --local of a local cloud"),
        (["--region", "eu-west-1"], "--profile and --region go with --store"),
        (["--local", "no-such-cloud"], "ocal cloud is "),
        (["--port", "70000"], "70000"),
        (["--store", "{}/logs.db", "--keep", "1d"], "--keep goes with --store and --token"),
    ],
)
def test_what_it_cannot_do_it_says(logs: Path, arguments: list[str], said: str) -> None:
    done = clew("ui", *(one.format(logs.parent) for one in arguments))
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_store_is_served_read_by_somebody_else_meanwhile(logs: Path) -> None:
    command = [*CLEW, "ui", "--store", str(logs), "--port", "0", "--open", "/live"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as ui:
        assert ui.stdout is not None
        said = ui.stdout.readline()
        url = said.split()[-1]
        assert said.startswith("clew ui is at http://127.0.0.1:")
        assert url.endswith("/live")
        assert "a line in a store" in requests.get(url, timeout=10).text
        with Store(logs, write=True) as store:  # it is not in the way of who writes
            store.add([RawLine(1_767_323_046_000, "/aws/lambda/f", "s", "a line that came later")])
        assert "a line that came later" in requests.get(url, timeout=10).text
        ui.send_signal(signal.SIGINT)
    assert ui.returncode == 0


@pytest.mark.local_cloud
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_of_a_local_cloud_nothing_is_left_behind(
    cloud: LocalCloud, tmp_path: Path, signum: signal.Signals
) -> None:
    command = [*CLEW, "ui", "--local", cloud.name, "--port", "0"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(tmp_path))
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as ui:
            assert ui.stdout is not None
            url = ui.stdout.readline().split()[-1]
            assert f"the local cloud {cloud.name}" in requests.get(url, timeout=10).text
            assert [one.name.startswith("clew-ui-") for one in tmp_path.iterdir()] == [True]
            ui.send_signal(signum)
    assert ui.returncode == 0
    assert list(tmp_path.iterdir()) == []
    assert tempfile.gettempdir() != str(tmp_path)


def test_what_is_too_old_goes(logs: Path) -> None:
    command = [*CLEW, "ui", "--store", str(logs), "--port", "0", "--token", TOKEN, "--keep", "1d"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as ui:
        assert ui.stdout is not None
        url = ui.stdout.readline().split()[-1]
        headers = {"authorization": f"Bearer {TOKEN}"}
        assert requests.get(url, headers=headers, timeout=10).status_code == 200
        ui.send_signal(signal.SIGINT)
    assert ui.returncode == 0
    with Store(logs) as store:
        assert store.stats().lines == 0

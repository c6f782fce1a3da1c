"""Clouds start side by side, and nothing survives the process that started them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import requests

from clew.localcloud import LocalCloud, LocalCloudError, emulator
from clew.localcloud.state import find_cloud, running_clouds

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.local_cloud

PLAIN = Path(__file__).parent / "templates" / "plain" / "template.yaml"

_PARENT = """
import json, sys, time, psutil, requests
from pathlib import Path
from clew.localcloud import LocalCloud
with LocalCloud.start(sys.argv[1]) as cloud:
    requests.get(cloud.outputs["EdgeUrl"], timeout=10).raise_for_status()
    below = [process.pid for process in psutil.Process().children(recursive=True)]
    print(json.dumps({"pids": below, "run_dir": str(cloud.log_path.parent)}), flush=True)
    sys.stdin.read()
"""


def test_two_clouds_run_side_by_side() -> None:
    with LocalCloud.start(PLAIN, name="twin") as one, LocalCloud.start(PLAIN, name="twin") as two:
        assert one.endpoint_url != two.endpoint_url
        assert (one.name, two.name) == ("twin", "twin-2")
        assert {"twin", "twin-2"} <= {record.name for record in running_clouds()}
        requests.get(one.outputs["EdgeUrl"], timeout=10).raise_for_status()
        assert one.log_lines("Edge")
        assert not two.log_lines("Edge")
        with pytest.raises(LocalCloudError, match=r"Several local clouds .*twin, twin-2.*name one"):
            find_cloud()
        with LocalCloud.connect("twin") as again:
            assert again.outputs == one.outputs
        assert one.alive, "a cloud that was only connected to was ended"
    assert not {"twin", "twin-2"} & {record.name for record in running_clouds()}


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_survives_the_parent(signum: signal.Signals, until: Callable[..., Any]) -> None:
    command = [sys.executable, "-c", _PARENT, str(PLAIN)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        assert parent.stdout is not None
        told = json.loads(parent.stdout.readline())
        assert len(told["pids"]) >= 3, "the guard, the emulator and a function's worker"
        os.kill(parent.pid, signum)
        parent.wait(20)
    until(lambda: not any(map(psutil.pid_exists, told["pids"])), "every process has ended")
    until(lambda: not Path(told["run_dir"]).exists(), "the files are gone")


def test_a_killed_guard_takes_the_emulator_with_it(until: Callable[..., Any]) -> None:
    cloud = LocalCloud.start()
    try:
        guard = psutil.Process(find_cloud(cloud.name).pid)
        below = guard.children(recursive=True)
        guard.kill()
        if sys.platform == "linux":
            until(lambda: not any(p.is_running() for p in below), "the emulator has ended")
    finally:
        cloud.stop()


def test_a_taken_port_gets_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(LocalCloudError, match=f"Port {port} on 127.0.0.1 is taken; choose"):
            LocalCloud.start(port=port)


def test_the_port_of_another_cloud_is_taken(
    cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(cloud.endpoint_url.rpartition(":")[2])
    before = {record.name for record in running_clouds()}
    with pytest.raises(LocalCloudError, match=f"Port {port} on 127.0.0.1 is taken; choose"):
        LocalCloud.start(PLAIN, port=port, stack_name="astray")
    # Whoever takes it between the look and the start: that one's answer is not taken for ours.
    monkeypatch.setattr(emulator, "is_free", lambda _port: True)
    with pytest.raises(LocalCloudError, match=f"Port {port} on 127.0.0.1 is taken; choose"):
        LocalCloud.start(PLAIN, port=port, stack_name="astray")
    stacks = cloud.client("cloudformation").list_stacks()["StackSummaries"]
    assert "astray" not in {stack["StackName"] for stack in stacks}
    assert {record.name for record in running_clouds()} == before


def test_a_port_is_free_again_as_soon_as_its_cloud_has_ended() -> None:
    with LocalCloud.start(PLAIN) as cloud:
        port = int(cloud.endpoint_url.rpartition(":")[2])
        requests.get(cloud.outputs["EdgeUrl"], timeout=10).raise_for_status()
    with LocalCloud.start(port=port) as again:
        assert again.endpoint_url == cloud.endpoint_url


def test_a_killed_emulator_gets_one_sentence_with_its_log(until: Callable[..., Any]) -> None:
    cloud = LocalCloud.start()
    try:
        (emulator,) = psutil.Process(find_cloud(cloud.name).pid).children()
        emulator.kill()
        until(lambda: not cloud.alive, "it is noticed")
        with pytest.raises(LocalCloudError, match="does not answer any more; its log is") as caught:
            cloud.deploy(PLAIN)
        assert str(cloud.log_path) in str(caught.value)
        assert cloud.log_path.read_text()
        with pytest.raises(LocalCloudError, match="ended by itself"):
            cloud.wait()
    finally:
        cloud.stop()
        cloud.log_path.unlink()
        cloud.log_path.parent.rmdir()


def test_another_version_of_the_emulator_gets_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pinned = [need for need in metadata.requires("clew") or () if need.startswith("ministack")]
    assert pinned[0].split(";")[0].strip() == f"ministack=={emulator.EMULATOR_VERSION}"
    monkeypatch.setattr(emulator, "EMULATOR_VERSION", "9.9.9")
    with pytest.raises(LocalCloudError, match=r"ministack 9\.9\.9, not in version .* install it"):
        LocalCloud.start()


def test_a_failed_deployment_leaves_nothing(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text("Resources: {Fleet: {Type: AWS::GameLift::Fleet}}")
    before = {record.name for record in running_clouds()}
    children = psutil.Process().children(recursive=True)
    with pytest.raises(LocalCloudError, match="Fleet"):
        LocalCloud.start(template)
    assert {record.name for record in running_clouds()} == before
    assert psutil.Process().children(recursive=True) == children


def test_a_detached_cloud_runs_until_it_is_ended(until: Callable[..., Any]) -> None:
    code = "from clew.localcloud import LocalCloud; LocalCloud.start(name='left', detach=True)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
    with LocalCloud.connect("left") as cloud:
        assert cloud.client("sns").list_topics()["Topics"] == []
    cloud.stop()
    assert not cloud.alive
    until(lambda: not cloud.log_path.parent.exists(), "the files are gone")

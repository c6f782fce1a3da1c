"""One emulator in a child process: started, found ready, ended."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import psutil

from clew.localcloud import _guard
from clew.localcloud.environment import LOOPBACK, emulator_environment
from clew.localcloud.errors import LocalCloudError

# The very version: clew puts functions of its own around some of this one's.
EMULATOR_VERSION = "1.5.33"
READY_TIMEOUT_S = 30.0
METRICS_PERIOD_S = 60.0  # as on AWS
_STOP_TIMEOUT_S = 10.0
_POLL_S = 0.03
_PORT_ATTEMPTS = 5
_HEALTH_PATH = "/_ministack/health"
_RUN_PATH = "/_clew/run"
_PORT_TAKEN = "is already in use"


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process id together with when that process was created.

    Process ids are used again; with the creation time (seconds since the epoch) two processes
    are never taken for one another.
    """

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> ProcessIdentity:
        """The identity of a running process; raises ``psutil.NoSuchProcess``."""
        return cls(pid, psutil.Process(pid).create_time())

    def process(self) -> psutil.Process | None:
        """The process, if it still runs."""
        with contextlib.suppress(psutil.NoSuchProcess):
            found = psutil.Process(self.pid)
            running = found.status() != psutil.STATUS_ZOMBIE
            # create_time can differ by a clock tick between two readings on some systems.
            if running and abs(found.create_time() - self.created) < 1.0:
                return found
        return None


def end_process(identity: ProcessIdentity) -> None:
    """End a guard and everything under it. Nothing happens if it has ended already.

    Raises:
        LocalCloudError: It still runs after 10 seconds.
    """
    guard = identity.process()
    if guard is None:
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        below = guard.children(recursive=True)
        guard.terminate()
        _, alive = psutil.wait_procs([guard, *below], timeout=_STOP_TIMEOUT_S)
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        _, alive = psutil.wait_procs(alive, timeout=_STOP_TIMEOUT_S)
        if alive:
            pids = ", ".join(str(process.pid) for process in alive)
            raise LocalCloudError(
                f"The local cloud's processes {pids} do not end; end them with kill -9."
            )


def free_port() -> int:
    """A TCP port that was free on loopback a moment ago."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


class Emulator:
    """A running emulator. Make one with :meth:`start`."""

    def __init__(
        self,
        guard: subprocess.Popen[bytes],
        *,
        port: int,
        region: str,
        run_dir: Path,
        pipe: int | None,
    ) -> None:
        self.port = port
        self.region = region
        self.run_dir = run_dir
        self.identity = ProcessIdentity.of(guard.pid)
        self._guard = guard
        self._pipe = pipe

    @classmethod
    def start(
        cls,
        *,
        region: str = "us-east-1",
        port: int | None = None,
        detach: bool = False,
        enforce_limits: bool = False,
        metrics_period_s: float = METRICS_PERIOD_S,
        log_level: str = "INFO",
        timeout_s: float = READY_TIMEOUT_S,
    ) -> Emulator:
        """Start one and return when it answers.

        Args:
            region: The region that its resources live in.
            port: The loopback port; a free one if not given.
            detach: Let it outlive this process.
            enforce_limits: Refuse what a Kinesis shard would not take or give on AWS.
            metrics_period_s: Seconds between two publications of Kinesis metrics.
            log_level: How much it writes to its log.
            timeout_s: How long it may take to answer, in seconds.

        Raises:
            LocalCloudError: It is not installed, the port is taken, or it did not answer in time.
        """
        _check_installed()
        options = ["--metrics-period", str(metrics_period_s)]
        options += ["--enforce-limits"] if enforce_limits else []
        if port is not None and not is_free(port):
            raise _taken(port)
        for _ in range(_PORT_ATTEMPTS):
            chosen = port or free_port()
            emulator = cls._spawn(region, chosen, detach, log_level, options)
            try:
                emulator._wait_ready(timeout_s)
            except _PortTakenError:
                emulator.stop()
                if port is None:
                    continue  # somebody was faster; the next free port is as good
                raise _taken(port) from None
            except BaseException:
                emulator.stop(keep_log=True)
                raise
            return emulator
        raise LocalCloudError(
            f"No free port was found on {LOOPBACK} in {_PORT_ATTEMPTS} attempts; name one."
        )

    @classmethod
    def _spawn(
        cls, region: str, port: int, detach: bool, log_level: str, options: list[str]
    ) -> Emulator:
        run_dir = Path(tempfile.mkdtemp(prefix="clew-local-"))
        work_dir = run_dir / _guard.WORK_DIRECTORY
        (work_dir / "tmp").mkdir(parents=True)
        environment = emulator_environment(
            os.environ, work_dir=work_dir, port=port, region=region, log_level=log_level
        )
        reading, writing = (-1, None) if detach else os.pipe()
        command = [sys.executable, "-I", str(_guard.__file__), str(reading), str(run_dir)]
        command += [sys.executable, "-m", "clew.localcloud.seam", "--run", run_dir.name, *options]
        try:
            with (run_dir / "emulator.log").open("wb") as log:
                guard = subprocess.Popen(  # noqa: S603 - our own command line
                    command,
                    cwd=work_dir,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=() if detach else (reading,),
                    # Ctrl-C in a terminal goes to the whole foreground group; the guard is to
                    # end when its starter has, not before.
                    start_new_session=True,
                )
        finally:
            if reading >= 0:
                os.close(reading)
        return cls(guard, port=port, region=region, run_dir=run_dir, pipe=writing)

    @property
    def endpoint_url(self) -> str:
        """Where it answers: ``http://127.0.0.1:PORT``."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def log_path(self) -> Path:
        """The file it writes its log to."""
        return self.run_dir / "emulator.log"

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._guard.poll() is None

    def stop(self, *, keep_log: bool = False) -> None:
        """End it and every process under it, and remove its files. May be called again."""
        if self._pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                if keep_log:
                    os.write(self._pipe, _guard.KEEP_LOG)
            os.close(self._pipe)
            self._pipe = None
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._guard.wait(_STOP_TIMEOUT_S)
        end_process(self.identity)
        self._guard.wait(_STOP_TIMEOUT_S)
        if not keep_log:
            shutil.rmtree(self.run_dir, ignore_errors=True)

    def _wait_ready(self, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            status = self._guard.poll()
            if status is not None:
                if _PORT_TAKEN in self.log_path.read_text(errors="replace"):
                    raise _PortTakenError
                raise LocalCloudError(
                    f"The emulator ended with status {status} before it answered; "
                    f"its log is {self.log_path}."
                )
            # Another cloud's answer on this port is not this one's.
            if _run_on(self.port) == self.run_dir.name:
                return
            time.sleep(_POLL_S)
        raise LocalCloudError(
            f"The emulator did not answer on {self.endpoint_url} within {timeout_s:g} s; "
            f"its log is {self.log_path}."
        )


def _check_installed() -> None:
    try:
        found = metadata.version("ministack")
    except metadata.PackageNotFoundError:
        found = None
    if found != EMULATOR_VERSION:
        which = f"not in version {found}" if found else "which is not installed"
        raise LocalCloudError(
            f"The local cloud needs the emulator ministack {EMULATOR_VERSION}, {which}; "
            "install it with: pip install 'clew[local]'."
        )


class _PortTakenError(Exception):
    """The emulator found its port taken."""


def _taken(port: int) -> LocalCloudError:
    return LocalCloudError(
        f"Port {port} on {LOOPBACK} is taken; choose another one, or none to let "
        "clew find a free one."
    )


def is_free(port: int) -> bool:
    """Whether nobody listens on this TCP port of loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # A cloud that ended a moment ago leaves connections behind, and those are in nobody's way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def answers(port: int) -> bool:
    """Whether an emulator answers on this loopback port, whoever started it."""
    return _get(port, _HEALTH_PATH) is not None


def _run_on(port: int) -> str | None:
    """Which run of clew's emulator answers on this loopback port, if one does."""
    try:
        answer = json.loads(_get(port, _RUN_PATH) or b"{}")
    except ValueError:
        return None
    run = answer.get("run") if isinstance(answer, dict) else None
    return run if isinstance(run, str) else None


def _get(port: int, path: str) -> bytes | None:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=1.0)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return body if response.status == http.HTTPStatus.OK else None

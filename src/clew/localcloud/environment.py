"""The environment that the emulator, and through it every function, runs in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# A function inherits the emulator's environment whole, and on AWS it would see nothing of the
# user's shell. So variables are let through by name: what an interpreter needs to start and find
# its libraries, and what a machine behind a proxy needs to reach the internet.
_LET_THROUGH = (
    "PATH",
    "PYTHONPATH",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "TZDIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "http_proxy",
    "https_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
)

LOOPBACK = "127.0.0.1"
_NO_DOCKER = "unix:///nonexistent/clew-does-not-use-docker.sock"


def emulator_environment(
    inherited: Mapping[str, str], *, work_dir: Path, port: int, region: str, log_level: str
) -> dict[str, str]:
    """What the emulator gets instead of ``inherited``, the environment of the caller.

    No ``AWS_*`` variable is let through, and the files that boto3 would read are pointed at
    nothing, so that a function in the local cloud cannot reach a real account by accident.
    """
    environment = {name: inherited[name] for name in _LET_THROUGH if name in inherited}
    no_proxy = ",".join(filter(None, [inherited.get("NO_PROXY") or inherited.get("no_proxy")]))
    no_proxy = ",".join(filter(None, [no_proxy, LOOPBACK, "localhost"]))
    return environment | {
        "HOME": str(work_dir),
        "TMPDIR": str(work_dir / "tmp"),
        "LANG": "C.UTF-8",
        "TZ": ":UTC",  # as on AWS: "Using Lambda environment variables", reserved variables
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
        # The pipes between the emulator and its functions are text in the locale's encoding.
        "PYTHONUTF8": "1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "GATEWAY_PORT": str(port),
        "BIND_HOST": LOOPBACK,
        # Also the host in the URLs that it hands out. "localhost" may resolve to ::1 first.
        "MINISTACK_HOST": LOOPBACK,
        "MINISTACK_REGION": region,
        "LOG_LEVEL": log_level,
        "PERSIST_STATE": "0",
        "STATE_DIR": str(work_dir / "state"),
        "S3_DATA_DIR": str(work_dir / "s3"),
        # Both would listen on fixed ports, where two clouds would meet.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # It would remove containers that another emulator on this machine has left running.
        "DOCKER_HOST": _NO_DOCKER,
    }

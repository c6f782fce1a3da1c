"""What the emulator and the functions see of the user's shell."""

from __future__ import annotations

from pathlib import Path

from clew.localcloud.environment import emulator_environment


def test_nothing_of_the_users_aws_settings_gets_through() -> None:
    shell = {
        "PATH": "/bin",
        "AWS_ACCESS_KEY_ID": "AKIAREAL",
        "AWS_SECRET_ACCESS_KEY": "real",
        "AWS_SESSION_TOKEN": "real",
        "AWS_PROFILE": "production",
        "AWS_ENDPOINT_URL": "https://example.com",
        "GITHUB_TOKEN": "real",
        "GATEWAY_PORT": "1",
    }
    given = emulator_environment(
        shell, work_dir=Path("/w"), port=7, region="eu-west-1", log_level="INFO"
    )
    assert given["PATH"] == "/bin"
    assert given["GATEWAY_PORT"] == "7"
    assert given["BIND_HOST"] == "127.0.0.1"
    assert not {"AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_ENDPOINT_URL", "GITHUB_TOKEN"} & set(given)
    assert "real" not in given.values()


def test_loopback_never_goes_through_a_proxy() -> None:
    shell = {"HTTPS_PROXY": "http://proxy", "no_proxy": "corp"}
    given = emulator_environment(shell, work_dir=Path("/w"), port=7, region="r", log_level="INFO")
    assert given["HTTPS_PROXY"] == "http://proxy"
    assert given["NO_PROXY"] == given["no_proxy"] == "corp,127.0.0.1,localhost"

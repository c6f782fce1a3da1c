"""``clew dlq`` from outside: what it says of itself, and where it looks."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

import pytest

from .test_local import clew

if TYPE_CHECKING:
    from pathlib import Path

    from clew.localcloud import LocalCloud

pytestmark = pytest.mark.local_cloud


def test_every_command_has_examples() -> None:
    assert "Examples:" in clew("dlq", "--help").stdout
    for command in ("list", "show", "redrive", "replay", "purge"):
        told = clew("dlq", command, "--help")
        assert told.returncode == 0
        for said in ("Examples:", f"clew dlq {command} ", "--local", "--profile", "--region"):
            assert said in told.stdout


def test_a_queue_of_an_account_is_read(cloud: LocalCloud, tmp_path: Path) -> None:
    client, name = cloud.client("sqs"), f"account-dead-{uuid.uuid4().hex[:8]}"
    url = client.create_queue(QueueName=name)["QueueUrl"]
    client.send_message(QueueUrl=url, MessageBody="a message")
    account = {
        "AWS_ENDPOINT_URL": cloud.endpoint_url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "XDG_STATE_HOME": str(tmp_path),
        "CLEW_STATE_DIR": "",
    }
    listed = clew("dlq", "list", name, "--region", cloud.region, "--json", **account)
    assert listed.returncode == 0, listed.stderr
    (letter,) = json.loads(listed.stdout)
    assert letter["message"]["body"] == "a message"
    moved = clew(
        *("dlq", "redrive", name, "--to", "source", "--yes", "--region", cloud.region), **account
    )
    assert moved.returncode == 1
    assert "Nothing says which queue it came from" in moved.stderr
    assert (tmp_path / "clew" / "redrive.db").exists(), "the journal's place"


def test_an_account_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    nothing = {
        "AWS_CONFIG_FILE": str(tmp_path / "no"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "no"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(tmp_path),
    }
    for arguments, said in (
        (["--profile", "nobody"], "AWS cannot be used as it is configured here: "),
        (["--region", "eu-west-1"], "The queue orders-dead cannot be reached: Unable to locate"),
        ([], "The queue orders-dead cannot be reached: You must specify a region"),
    ):
        done = clew("dlq", "list", "orders-dead", *arguments, **nothing)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"clew: {said}")
        assert done.stderr.count("\n") == 1
    done = clew("dlq", "list", "orders-dead", "--local", "nobody")
    assert done.stderr.startswith("clew: No local cloud is called nobody; ") or (
        done.stderr.startswith("clew: No local cloud is running")
    )

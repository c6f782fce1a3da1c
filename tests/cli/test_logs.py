"""``clew logs`` from outside, in the local cloud and from files."""

from __future__ import annotations

import io
import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from clew.cli import main
from shipping.ingest import TOKEN, ingesting
from shipping.making import batch, clew_line
from shipping.server import Answer, in_turn, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from clew.localcloud import LocalCloud

    Clew = Callable[..., tuple[int, str, str]]


@pytest.fixture
def clew(capsys: pytest.CaptureFixture[str]) -> Clew:
    """Run a command line: its exit status, and what it printed."""

    def run(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


@contextmanager
def groups(cloud: LocalCloud, *names: str) -> Iterator[str]:
    """Log groups, and a function that ships, for a while; what all their names begin with."""
    name, logs, lambda_ = f"logs-{uuid4().hex[:8]}", cloud.client("logs"), cloud.client("lambda")
    lambda_.create_function(
        FunctionName=f"{name}-ship",
        Runtime="python3.12",
        Role="arn:aws:iam::000000000000:role/none",
        Handler="app.handler",
        Code={"ZipFile": _zip()},
    )
    made = [f"/aws/lambda/{name}-{each}" for each in names]
    for group in made:
        logs.create_log_group(logGroupName=group)
    yield name
    for group in made:
        logs.delete_log_group(logGroupName=group)
    lambda_.delete_function(FunctionName=f"{name}-ship")


def _zip() -> bytes:
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): pass\n")
    return buffer.getvalue()


def test_every_command_has_examples(clew: Clew) -> None:
    for command in ("status", "subscribe", "unsubscribe", "ship", "template"):
        status, told, _ = clew("logs", command, "--help")
        assert status == 0
        assert "Examples:" in told
        assert "clew logs " in told


@pytest.mark.local_cloud
def test_groups_are_subscribed_and_unsubscribed(clew: Clew, cloud: LocalCloud) -> None:
    logs = cloud.client("logs")
    with groups(cloud, "a", "b", "full", "ship") as name:
        where = ("--local", "tests", "--function", f"{name}-ship")
        for theirs in ("x", "y"):
            logs.put_subscription_filter(
                logGroupName=f"/aws/lambda/{name}-full", filterName=theirs, filterPattern="",
                destinationArn="arn:aws:kinesis:us-east-1:000000000000:stream/s",
            )  # fmt: skip
        logs.put_retention_policy(logGroupName=f"/aws/lambda/{name}-b", retentionInDays=7)

        def status(*more: str) -> tuple[int, dict[str, Any], dict[str, Any]]:
            code, out, _ = clew("logs", "status", f"{name}-*", "--json", *where, *more)
            found = json.loads(out)
            by_name = {one["group"].rpartition("-")[2]: one for one in found["groups"]}
            return code, by_name, found

        code, found, whole = status("--check")
        assert code == 2
        assert {key: one["covered"] for key, one in found.items()} == dict.fromkeys(found, False)
        assert [one["name"] for one in found["full"]["filters"]] == ["x", "y"]
        assert whole["prices"]["ingestedPerGB"] == 0.5
        assert "aws.amazon.com/cloudwatch/pricing" in whole["prices"]["source"]

        said = clew("logs", "subscribe", f"{name}-*", "--retention", 30, "--dry-run", *where)
        assert said[0] == 0
        assert said[1].splitlines() == [
            f"/aws/lambda/{name}-a: would be subscribed, keeps lines for 30 days",
            f"/aws/lambda/{name}-b: would be subscribed",
            f"/aws/lambda/{name}-full: not subscribed (it has 2 filters already (x, y), as many as"
            " there may be), keeps lines for 30 days",
            f"/aws/lambda/{name}-ship: not subscribed (it is the shipping function's own log,"
            " which would go round for ever), keeps lines for 30 days",
        ]
        assert not any(one["covered"] for one in status()[1].values())

        code, out, _ = clew("logs", "subscribe", f"{name}-*", "--retention", "30", "--json", *where)
        assert [one["action"] for one in json.loads(out)["groups"]] == [
            "subscribe", "subscribe", "refuse", "refuse",
        ]  # fmt: skip
        code, found, _ = status("--check")
        assert code == 0
        assert {key: one["covered"] for key, one in found.items()} == {
            "a": True, "b": True, "full": False, "ship": False,
        }  # fmt: skip
        assert {key: one["retentionDays"] for key, one in found.items()} == {
            "a": 30, "b": 7, "full": 30, "ship": 30,
        }  # fmt: skip
        # The log of a function that is told of the shipping function's own is not shipped back.
        logs.put_subscription_filter(
            logGroupName=f"/aws/lambda/{name}-ship", filterName="z", filterPattern="",
            destinationArn=f"arn:aws:lambda:us-east-1:000000000000:function:{name}-full",
        )  # fmt: skip
        out = clew("logs", "subscribe", f"{name}-full", "--dry-run", *where)[1]
        assert "which would go to and fro" in out
        logs.delete_subscription_filter(logGroupName=f"/aws/lambda/{name}-ship", filterName="z")
        assert "is subscribed already" in clew("logs", "subscribe", f"{name}-a", *where)[1]
        code, out, _ = clew("logs", "status", f"{name}-*", *where)
        assert "2 of 4 log groups are shipped" in out
        assert "round for ever" in " ".join(out.split())

        said = clew("logs", "unsubscribe", f"{name}-*", "--dry-run", *where)
        assert said[1].count("would be unsubscribed (clew)") == 2
        assert clew("logs", "unsubscribe", f"{name}-*", *where)[0] == 0
        _, found, _ = status()
        assert [len(found[key]["filters"]) for key in ("a", "b", "full", "ship")] == [0, 0, 2, 0]
        assert clew("logs", "unsubscribe", f"{name}-*", *where)[1].startswith("No log group")


@pytest.mark.local_cloud
def test_a_function_that_is_not_there_is_said(clew: Clew, cloud: LocalCloud) -> None:
    code, _, err = clew("logs", "status", "--local", "tests", "--function", "nobody")
    assert code == 1
    assert err.startswith("clew: There is no function nobody here; deploy what")
    assert clew("logs", "status", "--local", "tests", "--region", "eu-west-1")[0] == 2


def test_files_are_shipped_once(
    clew: Clew, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivered = tmp_path / "delivered.json"
    delivered.write_text(json.dumps(batch("one", "  and more", clew_line())) + "\n")
    plain = tmp_path / "plain.log"
    plain.write_text("a line\nthe same\nthe same\n")
    monkeypatch.setenv("CLEW_SHIP_TOKEN", TOKEN)
    with ingesting(tmp_path / "logs.db") as to:
        said = clew("logs", "ship", delivered, plain, "--to", to.address)
        assert said == (0, f"Shipped 5 lines to {to.address}.\n", "")
        assert to.added == [(5, 0)]
        monkeypatch.setenv("CLEW_SHIP_TO", to.address)
        code, out, _ = clew("logs", "ship", delivered, plain, "--json")
        assert (code, json.loads(out)["sent"]) == (0, 5)
        assert to.added[1] == (0, 5)
        # What a store wrote goes to another one, by standard input.
        exported = tmp_path / "exported.ndjson"
        assert clew("store", "export", to.store.path, exported)[0] == 0
        with ingesting(tmp_path / "other.db") as other:
            stdin = io.TextIOWrapper(io.BytesIO(exported.read_bytes()))
            monkeypatch.setattr(sys, "stdin", stdin)
            said = clew("logs", "ship", "-", "--to", other.address, "--log-group", "/x")
            assert said[1] == f"Shipped 5 lines to {other.address}.\n"
            messages = sorted(one.message for one in other.store.entries())
            assert messages == sorted(one.message for one in to.store.entries())


@pytest.mark.local_cloud
def test_files_are_shipped_to_a_bucket(clew: Clew, cloud: LocalCloud, tmp_path: Path) -> None:
    plain = tmp_path / "plain.log"
    plain.write_text("a line\nanother\n")
    bucket = f"shipped-{uuid4().hex[:8]}"
    cloud.client("s3").create_bucket(Bucket=bucket)
    said = clew("logs", "ship", plain, "--to", f"s3://{bucket}/here", "--local", "tests", "--json")
    assert (said[0], json.loads(said[1])["sent"]) == (0, 2)
    (found,) = cloud.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert found["Key"].startswith("here/")


def test_what_is_not_shipped_is_said(
    clew: Clew, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLEW_SHIP_TO", raising=False)
    plain = tmp_path / "plain.log"
    plain.write_text("a line\n")
    code, _, err = clew("logs", "ship", plain)
    assert code == 1
    assert err.startswith("clew: CLEW_SHIP_TO does not say where logs are to go")
    with serving(in_turn(Answer(400, b"\x1b[31mno such field"))) as server:
        to = f"loki+http://me:s3cret@127.0.0.1:{server.port}"
        code, out, err = clew("logs", "ship", plain, "--to", to)
    assert code == 1
    assert "Shipped 0 lines" in out
    assert "1 were refused: " in err
    assert "?[31mno such field" in err
    assert "s3cret" not in out + err
    plain.write_text("a line\n" * 30_000)
    with serving(in_turn(Answer(200), Answer(401))) as server:
        to = f"store+http://127.0.0.1:{server.port}"
        code, out, err = clew("logs", "ship", plain, "--to", to)
        assert len(server.requests) == 2
    assert code == 1
    assert "Shipped 10,000 lines" in out
    assert "0 were refused, and it ended with 10,000 in hand: store+http" in err


def test_the_template_is_written_once(clew: Clew, tmp_path: Path) -> None:
    folder = tmp_path / "shipping"
    assert clew("logs", "template", folder)[0] == 0
    assert (folder / "function" / "requirements.txt").read_text() == "clew\n"
    assert "AWS::Serverless-2016-10-31" in (folder / "template.yaml").read_text()
    assert clew("logs", "template", folder)[0] == 1
    assert clew("logs", "template", folder, "--force")[0] == 0


def test_a_store_is_not_needed_to_ship(tmp_path: Path) -> None:
    """What the function loads has neither a command line nor a store in it."""
    import subprocess

    code = (
        "import sys, clew.shipping.handlers, clew.shipping.sinks.loki, clew.shipping.subscribing;"
        "bad = [m for m in sys.modules if m.split('.')[0] in ('click', 'rich', 'opensearchpy') or"
        " m.startswith(('clew.stories', 'clew.cli', 'clew.localcloud'))];"
        "sys.exit(str(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

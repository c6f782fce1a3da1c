"""``clew store`` and ``clew story --store``, from outside."""

from __future__ import annotations

import io
import json
import sys
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from clew.cli import main
from clew.stories.store import Store

from .lines import request, requests

if TYPE_CHECKING:
    from collections.abc import Callable
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


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Store(tmp_path / "logs.db", write=True) as store:
        store.add([*requests(20), *request("\x1b[31mred", 5_000)])
    return store.path


def test_lines_go_in_and_out(clew: Clew, path: Path, tmp_path: Path) -> None:
    lines = tmp_path / "lines.ndjson.zst"
    assert clew("store", "export", path, lines) == (0, f"Wrote 84 lines to {lines}.\n", "")
    other = tmp_path / "other.db"
    assert clew("store", "import", other, lines)[:2] == (0, "Stored 84 lines.\n")
    again = clew("store", "import", other, lines, "--durable")
    assert again == (0, "Stored 0 lines, 84 were there.\n", "")


def test_lines_come_from_standard_input(
    clew: Clew, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b"one\ntwo\n"))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert clew("store", "import", path, "-", "--log-group", "mine")[1] == "Stored 2 lines.\n"
    found = json.loads(clew("store", "search", path, "two", "--json")[1])
    assert found["functions"] == {"mine": 1}


def test_a_search_is_printed(clew: Clew, path: Path) -> None:
    status, out, _ = clew("store", "search", path, "placed", "order", "--limit", "2")
    *lines, _, counts, more = out.splitlines()
    assert (status, len(lines)) == (0, 2)
    assert "INFO     order placed  card=visa  id=request-19" in lines[0]
    assert "\\x1b[31mred" in lines[1]
    assert counts == "21 lines: edge 21; INFO 21"
    _, out, _ = clew("store", "search", path, "placed", *more.split()[2:], "--json")
    assert len(json.loads(out)["lines"]) == 19
    assert clew("store", "search", path, '"(')[1] == "No line has all of that.\n"
    found = json.loads(clew("store", "search", path, "--level", "warning", "--json")[1])
    assert (found["total"], found["levels"]) == (21, {"WARNING": 21})
    assert found["lines"][0]["at"].startswith("2026-01-02T")
    by_field = clew("store", "search", path, "--field", "id=request-3", "--json")[1]
    assert json.loads(by_field)["total"] == 4


def test_what_was_not_meant(clew: Clew, path: Path, tmp_path: Path) -> None:
    for words, said in {
        ("search", path, "--field", "x"): "'x' is not like user-id=42",
        ("search", path, "--level", "loud"): "There is no level 'loud'",
        ("prune", path): "Say --older-than or --larger-than",
        ("prune", path, "--larger-than", "huge"): "'huge' is not like 500MB",
        ("prune", tmp_path / "none", "--older-than", "1d"): "There is no store at",
        ("import", path): "Name a SOURCE, or --local.",
        ("import", path, tmp_path / "none"): "none cannot be read: No such file",
        ("stats", tmp_path / "none"): "There is no store at",
    }.items():
        status, out, err = clew("store", *words)
        assert (status != 0, out) == (True, ""), words
        assert said in err
    status, _, err = clew("story", "request-1", "--store", path, "--name", "blue")
    assert status == 2
    assert "--store is of a file, --name is of a local cloud" in " ".join(err.split())


def test_stats_and_prune(clew: Clew, path: Path) -> None:
    status, out, _ = clew("store", "stats", path, "--check")
    assert status == 0
    assert "lines      84\n" in out
    assert out.endswith("damage     none\n")
    told: dict[str, Any] = json.loads(clew("store", "stats", path, "--json")[1])
    assert (told["lines"], told["levels"]) == (84, {"INFO": 63, "WARNING": 21})
    assert clew("store", "prune", path, "--older-than", "99999999d")[1] == "Deleted 0 lines.\n"
    assert clew("store", "prune", path, "--larger-than", "1kB")[1] == "Deleted 84 lines.\n"


def test_a_story_is_read_from_a_store(clew: Clew, path: Path) -> None:
    status, out, _ = clew("story", "request-7", "--store", path, "--check")
    assert (status, out.splitlines()[0]) == (0, "Story of request-7")
    status, _, err = clew("story", "request-99", "--store", path)
    assert (status, err.startswith("clew: No log line has the id request-99 in the store ")) == (
        1,
        True,
    )
    assert clew("story", "request-7", "--store", path, "--since", "1s")[0] == 1


def test_lines_come_from_a_local_cloud_and_its_s3(
    cloud: LocalCloud, clew: Clew, path: Path, tmp_path: Path
) -> None:
    group, bucket = f"/aws/lambda/store-{uuid.uuid4().hex[:8]}", f"store-{uuid.uuid4().hex[:8]}"
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    event = {"timestamp": int(time.time() * 1000), "message": "from the cloud"}
    logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[event])
    status, out, err = clew("store", "import", path, "--local", cloud.name)
    assert (status, err) == (0, ""), err
    assert out.startswith("Stored ")
    found = clew("store", "search", path, "from", "cloud", "--json")[1]
    assert group in {one["log_group"] for one in json.loads(found)["lines"]}

    cloud.client("s3").create_bucket(Bucket=bucket)
    target = f"s3://{bucket}/a/lines.gz"
    assert clew("store", "export", path, target, "--local", cloud.name)[0] == 0
    other = tmp_path / "other.db"
    source = f"s3://{bucket}/a/"
    status, out, _ = clew("store", "import", other, source, "--local", cloud.name)
    assert (status, out.startswith("Stored ")) == (0, True)
    with Store(path) as one, Store(other) as same:
        assert list(one.entries()) == list(same.entries())

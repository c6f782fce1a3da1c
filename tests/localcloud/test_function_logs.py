"""What a function writes is in its log when its invocation is over, all of it."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from clew.localcloud import LocalCloud

pytestmark = pytest.mark.local_cloud

SOURCE = """
import os, sys

def handler(event, context):
    for number in range(event["lines"]):
        print("line", number, "x" * event.get("width", 1))
    if event.get("rest"):
        sys.stderr.write(event["rest"])
    if event.get("fail"):
        raise RuntimeError("told to fail")
    if event.get("die"):
        os._exit(3)
"""


@pytest.fixture(scope="module")
def function(cloud: LocalCloud) -> Any:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", SOURCE)
    client = cloud.client("lambda")
    client.create_function(
        FunctionName="talks",
        Runtime="python3.12",
        Role="arn:aws:iam::000000000000:role/r",
        Handler="app.handler",
        Code={"ZipFile": buffer.getvalue()},
    )
    return client


def _lines(cloud: LocalCloud, function: Any, event: dict[str, Any]) -> list[str]:
    """The lines of one invocation."""
    before = sum(line.message.startswith("START ") for line in cloud.log_lines("talks"))
    function.invoke(FunctionName="talks", Payload=json.dumps(event))
    messages = [line.message for line in cloud.log_lines("talks")]
    starts = [at for at, message in enumerate(messages) if message.startswith("START ")]
    assert len(starts) == before + 1
    return messages[starts[-1] :]


@pytest.mark.parametrize("event", [{"lines": 1}, {"lines": 2_000}, {"lines": 20, "width": 9_000}])
def test_every_line_is_there_at_once(
    cloud: LocalCloud, function: Any, event: dict[str, Any]
) -> None:
    for _ in range(3):
        said = [line for line in _lines(cloud, function, event) if line.startswith("line ")]
        assert [int(line.split()[1]) for line in said] == list(range(event["lines"]))


def test_a_line_without_an_end_is_not_lost(cloud: LocalCloud, function: Any) -> None:
    _lines(cloud, function, {"lines": 0, "rest": "half a"})
    told = _lines(cloud, function, {"lines": 0, "rest": " line\n"})
    assert "half a line" in told


@pytest.mark.parametrize("end", ["fail", "die"])
def test_the_last_words_of_a_function_that_fails_are_there(
    cloud: LocalCloud, function: Any, end: str
) -> None:
    told = _lines(cloud, function, {"lines": 3, end: True})
    assert sum(line.startswith("line ") for line in told) == 3
    after = _lines(cloud, function, {"lines": 1})
    assert sum(line.startswith("line ") for line in after) == 1

"""One letter against local code."""

from __future__ import annotations

import io
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from .conftest import Queue, dead_letters, dead_messages, one_sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from clew.localcloud import LocalCloud

    from .conftest import Ran, Stream

    Dlq = Callable[..., Ran]

CODE = """
import logging, os
import clew

log = clew.get_logger(__name__)
DEAD = "http://127.0.0.1:1/000000000000/never-written"


def place(record):
    log.debug("placing \\x1b[31m", extra={"post": record.payload})
    assert clew.current().debug and clew.current().id == record.correlation.id
    post = record.payload if isinstance(record.payload, dict) else {"n": record.payload}
    with open("seen", "a") as file:
        file.write(f"{clew.current().id} {os.environ.get('AWS_ENDPOINT_URL')}\\n")
    if post["n"] == 2:
        raise KeyError("name")


policy = clew.retry(times=3, backoff="10m", then=clew.dead_letter(DEAD))
handler = clew.kinesis_handler(on_failure=policy, lanes=4)(place)
messages = clew.sqs_handler(on_failure=policy)(place)
again = clew.retry_handler(on_failure=policy)(handler)


async def awaited(record):
    place(record)


coroutine = clew.kinesis_handler(on_failure=policy)(awaited)


def plain(event, context):
    assert context.get_remaining_time_in_millis() > 0
    print("plain", event["Records"][0]["kinesis"]["partitionKey"])
    return {"batchItemFailures": [{"itemIdentifier": "x"}]} if os.path.exists("fail") else None


def leaves(event, context):
    raise SystemExit(3)


class Odd(BaseException):
    def __str__(self):
        raise RuntimeError("it has none")

    __repr__ = __str__


def odd(event, context):
    raise Odd


def answers_oddly(event, context):
    answer = {("a", 1): Odd(), "nan": float("nan")}
    answer["self"] = answer
    return answer
"""


@pytest.fixture(autouse=True)
def _code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The user's module, imported anew, and an environment that is put back."""
    (tmp_path / "posts_code.py").write_text(CODE)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = dict(os.environ)
    yield
    sys.modules.pop("posts_code", None)
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


@pytest.mark.parametrize("handler", ["handler", "again", "coroutine"])
def test_it_runs_with_debug_and_without_a_policy(
    dlq: Dlq, cloud: LocalCloud, queue: Queue, stream: Stream, tmp_path: Path, handler: str
) -> None:
    dead_letters(queue, 3, stream)
    good = dlq("replay", queue.name, "request-1", "--handler", f"posts_code:{handler}")
    assert good.status == 0
    assert 'DEBUG    placing \\x1b[31m  post={"n":1}  id=request-1' in good.out
    assert good.out.splitlines()[-1].startswith("done after ")
    seen = (tmp_path / "seen").read_text().splitlines()
    assert seen == [f"request-1 {cloud.endpoint_url}"]
    bad = dlq("replay", queue.name, "request-2", "--handler", f"posts_code:{handler}")
    assert bad.status == 1
    assert "FAILED after " in bad.out
    assert "KeyError: 'name'" in bad.out
    assert "in place" in bad.out
    assert "Traceback" not in bad.err
    assert len((tmp_path / "seen").read_text().splitlines()) == 2, "one attempt"
    assert queue.visible == 3, "and no other letter"


def test_lines_and_outcome_for_a_script(dlq: Dlq, queue: Queue) -> None:
    dead_letters(queue, 3)
    ran = dlq("replay", queue.name, "request-2", "--handler", "posts_code:handler", "--json")
    assert ran.status == 1
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert (lines[0]["level"], lines[0]["message"]) == ("DEBUG", "placing \x1b[31m")
    assert lines[-1]["outcome"] == "failed"
    assert lines[-1]["error"] == {"type": "KeyError", "message": "'name'"}


def test_an_error_without_a_text_and_an_answer_that_is_no_json_are_told(
    dlq: Dlq, queue: Queue
) -> None:
    dead_letters(queue, 3)
    words = ["replay", queue.name, "request-2", "--handler"]
    ran = dlq(*words, "posts_code:odd")
    assert (ran.status, ran.err) == (1, "")
    assert "ms: Odd: <Odd: its text raised RuntimeError>" in ran.out
    ran = dlq(*words, "posts_code:odd", "--json")
    told = {"type": "Odd", "message": "<Odd: its text raised RuntimeError>"}
    assert json.loads(ran.out.splitlines()[-1])["error"] == told
    ran = dlq(*words, "posts_code:answers_oddly", "--json")
    assert (ran.status, ran.err) == (0, "")
    assert json.loads(ran.out.splitlines()[-1])["value"]["nan"] == "nan"
    assert "returned {" in dlq(*words, "posts_code:answers_oddly").out


def test_it_runs_from_files(dlq: Dlq, queue: Queue, tmp_path: Path) -> None:
    dead_letters(queue, 3)
    shown = dlq("show", queue.name, "request-1", "--json")
    (tmp_path / "shown.json").write_text(shown.out)
    (tmp_path / "envelope.json").write_text(shown.json["message"]["body"])
    assert dlq("purge", queue.name, "--yes", "--export", "all.ndjson").status == 0
    assert queue.visible == 0
    for words in (["shown.json"], ["envelope.json"], ["all.ndjson", "request-1"]):
        ran = dlq("replay", *words, "--handler", "posts_code:handler")
        assert (ran.status, "id=request-1" in ran.out) == (0, True), ran
    with one_sentence(dlq("replay", "all.ndjson", "--handler", "posts_code:handler")) as said:
        assert "all.ndjson has 3 such letters, and one is run; name one by its ID: " in said
    for text, told in (
        ("nonsense", "has no dead letter: it is not JSON"),
        ('{"a": 1}', "has no dead letter; clew dlq show QUEUE ID --json prints one"),
        ('{"clewDeadLetter": 9}', "has the format '9'"),
    ):
        (tmp_path / "x.json").write_text(text)
        with one_sentence(dlq("replay", "x.json", "--handler", "posts_code:handler")) as said:
            assert told in said


def test_a_message_has_its_own_ids(dlq: Dlq, cloud: LocalCloud, queue: Queue) -> None:
    source = Queue(cloud, "orders")
    ids = {"x-correlation-id": {"DataType": "String", "StringValue": "request-9"}}
    source.send("7", MessageAttributes=ids)
    dead_messages(queue, source)
    ran = dlq("replay", queue.name, "request-9", "--handler", "posts_code:messages")
    assert (ran.status, "id=request-9" in ran.out) == (0, True), ran


def test_a_plain_handler_gets_the_event(dlq: Dlq, queue: Queue, tmp_path: Path) -> None:
    dead_letters(queue, 3)
    ran = dlq("replay", queue.name, "request-2", "--handler", "posts_code.plain")
    assert (ran.status, ran.out.splitlines()[0]) == (0, "plain key-2")
    (tmp_path / "fail").touch()
    ran = dlq("replay", queue.name, "request-2", "--handler", "posts_code:plain")
    assert (ran.status, "returned the record in batchItemFailures" in ran.out) == (1, True)
    ran = dlq("replay", queue.name, "request-2", "--handler", "posts_code:leaves")
    assert (ran.status, "SystemExit: 3" in ran.out) == (1, True)


def test_pdb_stands_where_it_failed(
    dlq: Dlq, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead_letters(queue, 3)
    monkeypatch.setattr(sys, "stdin", io.StringIO("p 'seen ' + repr(post)\nq\n"))
    ran = dlq("replay", queue.name, "request-2", "--handler", "posts_code:handler", "--pdb")
    assert ran.status == 1
    assert "\"seen {'n': 2}\"" in ran.out
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    ran = dlq("replay", queue.name, "request-1", "--handler", "posts_code:handler", "--pdb")
    assert (ran.status, "Pdb" in ran.out) == (0, False), "nothing to look at"


def test_a_debugger_is_waited_for(
    dlq: Dlq, queue: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead_letters(queue, 2)
    monkeypatch.setitem(sys.modules, "debugpy", None)
    words = ("replay", queue.name, "request-1", "--handler", "posts_code:handler")
    ran = dlq(*words, "--debugpy", "5678")
    assert ran.status == 1
    assert ran.err.splitlines()[-1] == (
        "clew: --debugpy needs debugpy, which is not installed; "
        "install it with: pip install debugpy."
    )
    both = dlq(*words, "--debugpy", "5678", "--pdb")
    assert (both.status, "--pdb or --debugpy" in both.err) == (2, True)


def test_what_cannot_be_run_gets_one_sentence(dlq: Dlq, queue: Queue) -> None:
    dead_letters(queue, 1)
    for words, said in (
        ([queue.name, "request-0", "--handler", "no_such:f"], "There is no module no_such"),
        ([queue.name, "request-0", "--handler", "posts_code:no"], "has no no"),
        ([queue.name, "--handler", "posts_code:handler"], "name a letter by its ID"),
        ([queue.name, "request-7", "--handler", "posts_code:handler"], "has no letter request-7"),
    ):
        with one_sentence(dlq("replay", *words)) as sentence:
            assert said in sentence
    missing: Any = dlq("replay", queue.name, "request-0")
    assert (missing.status, "--handler" in missing.err) == (2, True)

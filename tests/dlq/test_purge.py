"""Letters thrown away: each is in a file first."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from typing import TYPE_CHECKING

from clew.dlq.export import letters_in

from .conftest import Queue, dead_letters, one_sentence

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from clew.localcloud import LocalCloud

    from .conftest import Ran

    Dlq = Callable[..., Ran]
CLEW = [sys.executable, "-c", "from clew.cli import main; main()"]


def test_what_is_meant_is_kept_and_deleted(dlq: Dlq, queue: Queue, tmp_path: Path) -> None:
    dead_letters(queue, 12)
    attributes = {"a": {"DataType": "Binary", "BinaryValue": b"\xff"}}
    queue.send("a plain message", MessageAttributes=attributes)
    ran = dlq("purge", queue.name, "--error", "KeyError: 7", "--yes", "--json")
    assert (ran.status, ran.json["kept"], ran.json["deleted"]) == (0, 1, 1)
    assert (queue.visible, queue.hidden) == (12, 0)
    (path,) = tmp_path.glob("*.ndjson")
    assert str(path) == ran.json["export"]
    ((letter, _),) = letters_in(path)
    assert letter.correlation_id == "request-7"
    assert letter.envelope is not None
    assert letter.envelope.record().payload == {"n": 7}
    ran = dlq("purge", queue.name, "--yes", "--export", str(path))
    assert ran.out == f"Deleted 12 dead letters of {queue.name}; kept in {path}\n"
    letters = [letter for letter, _ in letters_in(path)]
    assert len({letter.id for letter in letters}) == 13, "it was added to"
    (plain,) = [letter for letter in letters if letter.kind == "message"]
    assert plain.payload == b"a plain message"
    assert plain.message.attributes == attributes
    assert queue.visible == 0
    ran = dlq("purge", queue.name)
    assert ran == (f"Nothing to delete in {queue.name}.\n", "", 0)


def test_it_asks_first(dlq: Dlq, queue: Queue, tmp_path: Path) -> None:
    dead_letters(queue, 2)
    ran = dlq("purge", queue.name)
    assert (ran.status, "nobody to ask here; give --yes" in ran.err) == (2, True)
    assert (queue.visible, [*tmp_path.glob("*.ndjson")]) == (2, [])


def test_a_fifo_queue_is_emptied_to_its_end(dlq: Dlq, cloud: LocalCloud) -> None:
    queue = Queue(cloud, FifoQueue="true", ContentBasedDeduplication="true")
    for n in range(25):
        queue.send(str(n), MessageGroupId="g")
    assert "more were not seen: a FIFO queue shows" in dlq("list", queue.name).out
    ran = dlq("purge", queue.name, "--yes", "--json", "--export", "f.ndjson")
    assert (ran.json["deleted"], queue.visible) == (25, 0)


def test_a_full_disk_deletes_nothing(cloud: LocalCloud, dlq: Dlq, queue: Queue) -> None:
    dead_letters(queue, 20)
    with one_sentence(dlq("purge", queue.name, "--yes", "--export", "/dev/full")) as said:
        assert "Nothing was deleted: /dev/full cannot be written: No space left" in said
    assert (queue.visible, queue.hidden) == (20, 0)
    with one_sentence(dlq("purge", queue.name, "--yes", "--export", "/dev/null/x")) as said:
        assert "Nothing was deleted: " in said
    assert queue.visible == 20


def test_a_file_that_ends_in_the_middle_deletes_nothing(
    cloud: LocalCloud, dlq: Dlq, queue: Queue, tmp_path: Path
) -> None:
    """The first letters fit, and the last ones do not."""
    dead_letters(queue, 20)
    path = tmp_path / "some.ndjson"

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    command = [*CLEW, "dlq", "purge", queue.name, "--yes", "--export", str(path)]
    done = subprocess.run(
        [*command, "--local", cloud.name],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=small_files,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 1
    assert done.stderr.startswith("clew: Nothing was deleted: ")
    assert done.stderr.count("\n") == 1
    assert (queue.visible, queue.hidden) == (20, 0)
    assert json.loads(path.read_text().splitlines()[0])["kind"] == "letter"
    assert not path.read_text().endswith("\n"), "its last line was cut off"

    ran = dlq("purge", queue.name, "--yes", "--json", "--export", str(path))
    assert (ran.json["deleted"], queue.visible) == (20, 0)
    kept = letters_in(path)
    assert sorted(letter.correlation_id for letter, _ in kept) == sorted(
        f"request-{n}" for n in range(20)
    ), "each once, none behind the end of a line that was cut off"

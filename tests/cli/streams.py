"""``clew streams`` in this process, in the local cloud of the tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from clew.cli import main
from clew.scaling.managed.store import Store, describe_table

if TYPE_CHECKING:
    from pathlib import Path

    from clew.localcloud import LocalCloud


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command came to."""

    status: int
    out: str
    err: str


@dataclass(slots=True)
class Streams:
    """A table, a stack and streams of a test's own, and a streams.yml in a folder."""

    cloud: LocalCloud
    capsys: pytest.CaptureFixture[str]
    folder: Path
    mark: str = field(default_factory=lambda: f"t{uuid4().hex[:8]}")

    @property
    def table(self) -> str:
        return f"{self.mark}-table"

    @property
    def store(self) -> Store:
        return Store(self.cloud.client("dynamodb"), self.table)

    @property
    def stack(self) -> str:
        return f"clew-streams-{self.mark}"

    def make_table(self) -> None:
        self.cloud.client("dynamodb").create_table(**describe_table(self.table))

    def write(self, text: str) -> None:
        """A streams.yml in which ``MARK`` stands for what all names of this test begin with."""
        (self.folder / "streams.yml").write_text(text.replace("MARK", self.mark))

    def create(self, name: str, shards: int = 1) -> str:
        """A stream that is there already; its name."""
        kinesis = self.cloud.client("kinesis")
        kinesis.create_stream(StreamName=f"{self.mark}-{name}", ShardCount=shards)
        return f"{self.mark}-{name}"

    def open_shards(self, name: str) -> int:
        kinesis: Any = self.cloud.client("kinesis")
        said = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        return int(said["OpenShardCount"])

    def run(self, command: str, *arguments: str, table: bool = True, file: bool = False) -> Ran:
        """``clew streams COMMAND``, where this test's things are."""
        words = ["streams", command, *arguments]
        if command not in ("validate", "schema", "template"):
            words += ["--local", self.cloud.name]
        if table:
            words += ["--table", self.table]
        if file:
            words += ["--file", str(self.folder / "streams.yml"), "--env", self.mark]
        return clew(self.capsys, *words)


def clew(capsys: pytest.CaptureFixture[str], *words: str) -> Ran:
    """A command line, in this process."""
    with pytest.raises(SystemExit) as raised:
        main(list(words))
    out, err = capsys.readouterr()
    return Ran(int(raised.value.code or 0), out, err)

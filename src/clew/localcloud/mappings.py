"""The event source mappings on streams of a local cloud, and how each is doing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clew.localcloud.control import ask

if TYPE_CHECKING:
    from collections.abc import Mapping

_PATH = "/_clew/mappings"
_SOON = "/_clew/mappings/soon"


@dataclass(frozen=True, slots=True)
class MappedShard:
    """How far one shard is."""

    shard_id: str
    #: Milliseconds that the last read was behind the newest record.
    lag_ms: int
    #: Records handled: with success, or discarded.
    records: int
    #: How often the batch that is under way has been tried again.
    retries: int
    #: What came of the last batch, in one line, or "" before the first.
    last_outcome: str


@dataclass(frozen=True, slots=True)
class StreamMapping:
    """One event source mapping on a Kinesis or DynamoDB stream."""

    uuid: str
    #: The function's physical name, with the alias or version behind a colon.
    function: str
    source_arn: str
    #: "starting", "running", "failed", "stopped" or "disabled".
    state: str
    last_outcome: str
    #: Why it failed, in one sentence, or "".
    reason: str
    shards: tuple[MappedShard, ...]

    @property
    def source(self) -> str:
        """The name of the stream or table."""
        return self.source_arn.split(":", 5)[5].split("/")[1]


def read_mappings(port: int) -> list[StreamMapping]:
    """The mappings of the local cloud on this port.

    Raises:
        LocalCloudError: It does not answer.
    """
    return [_mapping(facts) for facts in ask(port, "GET", _PATH)]


def prepare_mappings(port: int) -> None:
    """Have the process that runs mappings started, while what there is to run is deployed."""
    ask(port, "POST", _SOON)


def _mapping(facts: Mapping[str, Any]) -> StreamMapping:
    qualifier = facts["qualifier"]
    return StreamMapping(
        uuid=facts["uuid"],
        function=facts["function"] + (f":{qualifier}" if qualifier else ""),
        source_arn=facts["source_arn"],
        state=facts["state"],
        last_outcome=facts["last_outcome"],
        reason=facts["reason"],
        shards=tuple(MappedShard(**shard) for shard in facts["shards"]),
    )

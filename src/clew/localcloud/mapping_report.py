"""Puts what a mapping's worker tells into a few words for each shard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clew.streams.worker import events

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clew.streams.worker import ShardStatus, WorkerEvent

# What Lambda says of a mapping's last batch ("LastProcessingResult").
_OK, _PROBLEM = "OK", "PROBLEM: Function call failed"


class MappingReport:
    """What came of the batches of one mapping. Told by one thread at a time."""

    def __init__(self) -> None:
        self._outcomes: dict[str, str] = {}
        self._retries: dict[str, int] = {}
        self._last = ""
        self._result = ""

    def add(self, event: WorkerEvent) -> None:
        """Take one event of the worker."""
        outcome = _in_words(event)
        if outcome is None:
            return
        self._outcomes[event.shard_id] = self._last = outcome
        # The attempts of the batch that is under way, beyond its first.
        failed = event.kind in {events.FAILED, events.NOT_INVOKED}
        self._retries[event.shard_id] = event.fields["attempt"] - 1 if failed else 0
        self._result = _OK if event.kind == events.BATCH else _PROBLEM

    def facts(self, state: str, reason: str, shards: Mapping[str, ShardStatus]) -> dict[str, Any]:
        """How the mapping is doing, as JSON values."""
        return {
            "state": state,
            "reason": reason,
            "last_outcome": self._last,
            "result": self._result,
            "shards": [
                {
                    "shard_id": shard_id,
                    "lag_ms": shard.behind_ms,
                    "records": shard.records,
                    "retries": self._retries.get(shard_id, 0),
                    "last_outcome": self._outcomes.get(shard_id, ""),
                }
                for shard_id, shard in sorted(shards.items())
            ],
        }


def _in_words(event: WorkerEvent) -> str | None:
    """One line on an event that says what came of a batch, or None."""
    fields = event.fields
    records = f"{fields.get('records')} record{'' if fields.get('records') == 1 else 's'}"
    match event.kind:
        case events.BATCH:
            return f"{records} done"
        case events.FAILED:
            return f"{records} failed: {fields['error']}"
        case events.NOT_INVOKED:
            return f"{records} not handed over: {fields['error']}"
        case events.DISCARDED:
            where = fields["destination"] or "nowhere"
            return f"{records} discarded to {where}: {fields['condition']}"
    return None

"""What was done to a stream, by whom, why and at what price: one record of each action. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from clew.scaling.model import KEY_SPACE
from clew.scaling.words import count, duration, usd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clew.scaling.managed.apply import Progress

#: What an action may come to.
DONE, NOTHING, WAITING, HANDED_OVER, FAILED = "done", "nothing", "waiting", "handed over", "failed"
#: How wide a picture of the shards is, in characters, and how many shards make one.
_WIDE, _MOST_DRAWN = 64, 48


@dataclass(frozen=True, slots=True)
class Audit:
    """One action, or why there was none."""

    id: str
    at_s: float
    stream: str
    who: str
    outcome: str
    why: str
    shards_before: int = 0
    shards_after: int = 0
    closed_shards: int = 0
    plan: str = ""
    method: str = ""
    splits: int = 0
    merges: int = 0
    update_calls: int = 0
    took_s: float = 0.0
    usd_month_before: float = 0.0
    usd_month: float = 0.0
    usd_once: float = 0.0
    hot_keys: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    map_before: str = ""
    map_after: str = ""

    def to_json(self) -> dict[str, Any]:
        """For the table and the log."""
        return {**asdict(self), "hot_keys": list(self.hot_keys), "notes": list(self.notes)}

    def headline(self) -> str:
        """In one line."""
        if self.outcome == DONE:
            way = f"{count(self.shards_before, 'shard')} to {self.shards_after}"
            return f"{self.stream}: from {way}, in {duration(self.took_s)}"
        return f"{self.stream}: {self.outcome}"

    def text(self) -> str:
        """For a message to the team."""
        said = [self.headline(), f"Asked by {self.who}. {self.why}"]
        if self.plan:
            said.append(self.plan)
        if self.outcome == DONE and self.usd_month != self.usd_month_before:
            said.append(
                f"{usd(self.usd_month)} a month instead of {usd(self.usd_month_before)}, and"
                f" {usd(self.usd_once)} once."
            )
        said += [*self.hot_keys, *self.notes]
        if self.map_after and self.map_after != self.map_before:
            said.append(f"before {self.map_before}\nafter  {self.map_after}")
        return "\n".join(said)


def done_so_far(progress: Progress) -> dict[str, Any]:
    """The members of an `Audit` that a plan's progress gives."""
    return {
        "splits": progress.splits,
        "merges": progress.merges,
        "update_calls": progress.calls,
    }


def shard_map(cuts: Sequence[int]) -> str:
    """The hash-key space and its shards as one line of text: ``|####|####|##|##|``."""
    shards = len(cuts) + 1
    if shards > _MOST_DRAWN:
        return f"|{'#' * _WIDE}| ({shards} shards)"
    cells = max(16, min(_WIDE, 4 * shards))
    ends = (0, *cuts, KEY_SPACE)
    drawn = ("#" * max(1, round(cells * (b - a) / KEY_SPACE)) for a, b in pairwise(ends))
    return f"|{'|'.join(drawn)}|"

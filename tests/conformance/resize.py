"""Resizes of a stream by clew's own splits and merges, and by UpdateShardCount: what each takes.

What was done is counted in the shards that the stream lists, open and closed, not in what a plan
says of itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from math import gcd
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from clew.scaling.limits import Limits
from clew.scaling.managed.apply import Progress, carry_out
from clew.scaling.managed.desired_by_hand import prepare
from clew.scaling.managed.desired_now import look_at
from clew.scaling.managed.lock import Held, Lock
from clew.scaling.managed.observe import list_shards
from clew.scaling.managed.settings import ManagedStream
from clew.scaling.managed.store import Store, describe_table
from clew.scaling.managed.tools import Tools
from clew.scaling.situation import Situation
from clew.scaling.uniform import steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from clew.localcloud import LocalCloud

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "resharding.md"
KNOWN = (1, 7, 3, 20, 5)
_SEED, _RANDOM, _LARGEST = 20_261_125, 20, 12


@dataclass(frozen=True, slots=True)
class Done:
    """What one resize took, and what the stream has then."""

    calls: int
    splits: int
    merges: int
    widths: tuple[int, ...]  # of the open shards, in the order of their hash keys

    @property
    def operations(self) -> int:
        """How many splits and merges."""
        return self.splits + self.merges


@dataclass(frozen=True, slots=True)
class Resize:
    """The same resize both ways."""

    before: int
    after: int
    own: Done
    update: Done

    @property
    def least(self) -> int:
        """The fewest splits and merges from even shards to even shards: N + M - 2 gcd(N, M)."""
        return self.before + self.after - 2 * gcd(self.before, self.after)


class Resized:
    """A managed stream, with a table of its own."""

    def __init__(self, cloud: LocalCloud, shards: int, settings: ManagedStream) -> None:
        self.settings, self.stream = settings, settings.name
        self.kinesis, dynamodb = cloud.client("kinesis"), cloud.client("dynamodb")
        table = f"table-of-{self.stream}"
        dynamodb.create_table(**describe_table(table))
        self.kinesis.create_stream(StreamName=self.stream, ShardCount=shards)
        self.tools = Tools(
            kinesis=self.kinesis,
            cloudwatch=cloud.client("cloudwatch"),
            store=Store(dynamodb, table),
            sns=cloud.client("sns"),
            lambda_=cloud.client("lambda"),
        )

    def close(self) -> None:
        """Leave no stream in a cloud that others share."""
        self.kinesis.delete_stream(StreamName=self.stream)


def random_sizes() -> tuple[int, ...]:
    """From where the known ones end on."""
    random = Random(_SEED)
    found = [KNOWN[-1]]
    while len(found) <= _RANDOM:
        found += [size for size in [random.randint(1, _LARGEST)] if size != found[-1]]
    return tuple(found)


def resizes(cloud: LocalCloud, sizes: Sequence[int]) -> Iterator[Resize]:
    """Two streams through these sizes: one by own operations, and one by UpdateShardCount."""
    name, most = f"resized-{uuid4().hex[:8]}", max(sizes)
    settings = ManagedStream(name, min_shards=1, max_shards=most, method="operations")
    own = Resized(cloud, sizes[0], settings)
    update = Resized(cloud, sizes[0], replace(settings, name=f"{name}-by-calls"))
    try:
        for before, after in pairwise(sizes):
            yield Resize(
                before,
                after,
                _counted(own, after, _by_operations),
                _counted(update, after, _by_calls),
            )
    finally:
        own.close()
        update.close()


def _by_operations(on: Resized, to: int) -> int:
    found = prepare(on.tools, look_at(on.tools, on.settings), "a test", to=to, even=True)
    lock = Lock(on.tools.store, on.tools.clock)
    held = lock.take(on.stream, "a test", cooled=False)
    assert isinstance(held, Held)
    progress, plan = Progress(), found.begun.plan
    carry_out(on.tools, lock, held, plan, situation=Situation(), progress=progress)
    assert len(plan.operations) == progress.splits + progress.merges
    lock.free(held)
    return progress.calls


def _by_calls(on: Resized, to: int) -> int:
    """In steps of at most double and at least half, as AWS takes them."""
    counts = steps(len(list_shards(on.tools, on.stream).opened), to, Limits()) or ()
    for count in counts:
        on.kinesis.update_shard_count(
            StreamName=on.stream, TargetShardCount=count, ScalingType="UNIFORM_SCALING"
        )
    return len(counts)


def _counted(on: Resized, to: int, resize: Callable[[Resized, int], int]) -> Done:
    known = {shard["ShardId"] for shard in _listed(on)}
    calls = resize(on, to)
    listed = _listed(on)
    new = [shard for shard in listed if shard["ShardId"] not in known]
    merged = sum("AdjacentParentShardId" in shard for shard in new)
    ranges = sorted(
        (int(shard["HashKeyRange"]["StartingHashKey"]), int(shard["HashKeyRange"]["EndingHashKey"]))
        for shard in listed
        if "EndingSequenceNumber" not in shard["SequenceNumberRange"]
    )
    widths = tuple(last - first + 1 for first, last in ranges)
    return Done(calls, (len(new) - merged) // 2, merged, widths)


def _listed(on: Resized) -> list[dict[str, Any]]:
    pages = on.kinesis.get_paginator("list_shards").paginate(StreamName=on.stream)
    return [shard for page in pages for shard in page["Shards"]]


def table(found: Sequence[Resize]) -> str:
    """Side by side, as the documentation has it."""
    lines = [
        "| from | to | least | own operations | UpdateShardCount | its operations |",
        "| ---: | ---: | ---: | --- | --- | --- |",
    ]
    lines += [
        f"| {one.before} | {one.after} | {one.least} | {_said(one.own)} |"
        f" {_times(one.update.calls, 'call')} | {_said(one.update)} |"
        for one in found
    ]
    return "\n".join(lines) + "\n"


def total(found: Sequence[Resize]) -> str:
    """Of all of them, in a sentence."""
    own = sum(one.own.operations for one in found)
    update = sum(one.update.operations for one in found)
    calls = sum(one.update.calls for one in found)
    return f"{len(found)} resizes: {own} own operations; {calls} calls, which make {update}."


def _said(done: Done) -> str:
    splits, merges = _times(done.splits, "split"), _times(done.merges, "merge")
    return f"{done.operations}: {splits}, {merges}"


def _times(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"

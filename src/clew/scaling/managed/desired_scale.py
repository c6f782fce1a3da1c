"""A change of a stream's shards that a person asks for, under the same guards as the functions'.

The plan stands in the table while it is carried out: whoever is interrupted goes on with the same
command, and if nobody does, the functions finish it at their next run.
"""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from clew.errors import ClewError
from clew.scaling.managed import alarms, audit
from clew.scaling.managed.action import situation_of
from clew.scaling.managed.apply import Progress, carry_out
from clew.scaling.managed.audit import Audit, done_so_far, shard_map
from clew.scaling.managed.desired_now import locked
from clew.scaling.managed.lock import Busy, Lock, LostError
from clew.scaling.managed.notice import tell
from clew.scaling.managed.observe import list_shards, when_active
from clew.scaling.words import duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clew.scaling.managed.desired_by_hand import ByHand
    from clew.scaling.managed.lock import Held
    from clew.scaling.managed.tools import Tools


def execute(tools: Tools, found: ByHand, progress: Progress, *, force: bool) -> Audit:
    """Carry it out, and set the alarms.

    Raises:
        ClewError: Another action has the stream in hand, or the last one is too recent.
        StuckError: The service does not let it get any further.
        KeyboardInterrupt: What is left stands in the table.
    """
    settings, begun = found.settings, found.begun
    lock = Lock(tools.store, tools.clock)
    try:
        with _locked(tools, lock, settings.name, cooled=not (force or found.resumed)) as taken:
            held, freed = taken
            record = _carry_out(tools, lock, held, found, progress)
            freed |= {
                "cool_s": settings.cool_down_s,
                "went_up": record.shards_after >= begun.plan.before,
                "went_down": record.shards_after < begun.plan.before,
            }
    except LostError as error:
        raise ClewError(
            f"Another action has taken {settings.name} over, and goes on; see clew streams status."
        ) from error
    # Last: whoever finds the plan after a crash does the end of this again.
    tools.store.forget_plan(settings.name, begun.id)
    tell(tools, settings, record)
    return record


def _carry_out(tools: Tools, lock: Lock, held: Held, found: ByHand, progress: Progress) -> Audit:
    settings, begun = found.settings, found.begun
    if not found.resumed:
        tools.store.put_plan(settings.name, begun.to_json())
    try:
        carry_out(
            tools, lock, held, begun.plan, situation=situation_of(settings), progress=progress
        )
        state, listed = when_active(tools, settings.name), list_shards(tools, settings.name)
        note = alarms.set_alarms(tools, settings, state, listed, reset=True)
    except BaseException as error:
        said = str(error) or "It was interrupted; the next run goes on."
        record = _audit(tools, found, progress, audit.WAITING, said)
        tools.store.put_audit(settings.name, record.to_json())
        raise
    shards = listed.shard_map()
    record = replace(
        _audit(tools, found, progress, audit.DONE),
        shards_after=len(shards),
        closed_shards=listed.closed,
        map_after=shard_map(shards.cuts),
        notes=tuple(one for one in (note, progress.note) if one),
    )
    tools.store.put_audit(settings.name, record.to_json())
    return record


@contextmanager
def _locked(
    tools: Tools, lock: Lock, stream: str, *, cooled: bool
) -> Iterator[tuple[Held, dict[str, object]]]:
    """The lock, and what is to be remembered when it is let go."""
    before = locked(tools, stream).owner
    ended = before if _ended(before) else ""  # this machine's, and its process is gone
    held = lock.take(stream, _owner(), ended=ended, cooled=cooled)
    if isinstance(held, Busy):
        left = duration(max(held.until_s - tools.clock(), 1.0))
        if held.reason == "held":
            who = locked(tools, stream).owner or before
            raise ClewError(
                f"Another action has {stream} in hand ({who}), for {left} at least; wait, and"
                " see clew streams status."
            )
        raise ClewError(
            f"The last action on {stream} is too recent: it is left alone for {left} more, or use"
            " --force."
        )
    freed: dict[str, object] = {}
    try:
        yield held, freed
    finally:
        lock.free(held, **freed)  # type: ignore[arg-type]


def _owner() -> str:
    return f"cli:{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"


def _ended(owner: str) -> bool:
    """Whether it was a command line on this machine, and its process is not there any more."""
    kind, _, rest = owner.partition(":")
    host, _, rest = rest.partition(":")
    pid = rest.partition(":")[0]
    if kind != "cli" or host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False  # it is another user's
    return False


def _audit(tools: Tools, found: ByHand, progress: Progress, outcome: str, more: str = "") -> Audit:
    plan = found.begun.plan
    return Audit(
        id=found.begun.id,  # one record, however often it is gone on with
        at_s=found.begun.began_s,
        stream=found.settings.name,
        who=found.begun.who,
        outcome=outcome,
        why=f"{found.begun.why} {more}".strip(),
        shards_before=plan.before,
        shards_after=plan.after,
        plan=found.begun.words,
        method=plan.method,
        took_s=tools.clock() - found.begun.began_s,
        usd_month_before=plan.usd_month_before,
        usd_month=plan.usd_month,
        usd_once=plan.usd_once,
        map_before=shard_map(found.begun.open_before),
        map_after=shard_map(plan.cuts),
        **done_so_far(progress),
    )

"""The page of streams: shards and how full they are, readers that are behind, what was done."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clew.errors import ClewError
from clew.stories.web import words
from clew.stories.web.render import page

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from clew.scaling.managed.desired_now import Now
    from clew.scaling.managed.settings import ManagedStream
    from clew.stories.web.site import Site

MAX_STREAMS = 60
_KEPT_S = 5.0
_AT_ONCE = 8
_RECORDS = 5
#: The picture of shards, in user units.
WIDE, TALL = 1000, 60


@dataclass(frozen=True, slots=True)
class Drawn:
    """One shard in the picture."""

    x: float
    wide: float
    high: float
    tone: str
    title: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One stream."""

    name: str
    problem: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    full: float = 0.0
    tone: str = "ok"
    shards: tuple[Drawn, ...] = ()
    by_shard: bool = False
    remarks: tuple[tuple[str, str], ...] = ()  # a tone and a sentence
    readers: tuple[tuple[str, str, str, str], ...] = ()  # function, state, behind, last outcome
    actions: tuple[tuple[str, str, str], ...] = ()  # when, what, why


def streams(request: Request) -> Response:
    """``/streams``."""
    site: Site = request.app.state.site
    if site.session is None:
        return page(request, "streams.html", shown=None, more=0)
    shown, more = site.cache.get("streams", lambda: _look(site), _KEPT_S)
    return page(request, "streams.html", shown=shown, more=more)


def _look(site: Site) -> tuple[list[Shown], int]:
    from clew.scaling.managed.desired_state import asking, read_settings, tools_of

    tools = tools_of(site.session, site.table)
    names: list[str] = []
    with asking("kinesis"):
        for one in site.session.client("kinesis").get_paginator("list_streams").paginate():
            names += one["StreamNames"]
            if len(names) > MAX_STREAMS * 4:
                break
    try:
        managed = read_settings(site.session, site.table)
    except ClewError:
        managed = {}
    mappings = site.cloud.mappings() if site.cloud is not None else []
    names.sort(key=lambda name: (name not in managed, name))

    def look(name: str) -> Shown:
        return _one(tools, name, managed.get(name), mappings)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(look, names[:MAX_STREAMS])), max(len(names) - MAX_STREAMS, 0)


def _one(tools: Any, name: str, settings: ManagedStream | None, mappings: list[Any]) -> Shown:
    from clew.scaling.managed.desired_now import look_at
    from clew.scaling.managed.desired_state import asking
    from clew.scaling.managed.settings import ManagedStream

    try:
        with asking("kinesis"):
            wanted = settings or ManagedStream(name, 1, 10_000)
            now = look_at(tools, wanted, records=_RECORDS)
    except ClewError as error:
        return Shown(name, problem=str(error))
    return of_stream(now, settings, mappings)


def of_stream(now: Now, settings: ManagedStream | None, mappings: list[Any]) -> Shown:
    """A stream that was looked at, for the page."""
    readers = [one for one in mappings if one.source_arn == now.state.arn]
    lags = [shard.lag_ms for one in readers for shard in one.shards]
    age_s = max([now.measured.iterator_age_s, *(lag / 1000 for lag in lags)])
    target = settings.target if settings else 0.75
    return Shown(
        now.state.name,
        facts=tuple(_facts(now, settings, age_s)),
        full=now.utilisation,
        tone=_tone(now.utilisation, target),
        shards=tuple(_drawn(now, target)),
        by_shard=now.by_shard,
        remarks=tuple(_remarks(now, settings, age_s)),
        readers=tuple(
            (
                one.function,
                one.state,
                words.length(max((shard.lag_ms for shard in one.shards), default=0)),
                one.reason or one.last_outcome,
            )
            for one in readers
        ),
        actions=tuple(_action(record) for record in now.done),
    )


def _tone(full: float, target: float) -> str:
    return "bad" if full >= 1 else "warn" if full > target else "ok"


def _facts(now: Now, settings: ManagedStream | None, age_s: float) -> list[tuple[str, str]]:
    shards = f"{len(now.shards):,}"
    if settings is not None:
        low, high = settings.bounds
        shards += f" ({low:,} to {high:,})"
    facts = [
        ("shards", shards),
        ("in", f"{words.size(now.asked.bytes_per_s)}/s"),
        ("records", words.rate(now.asked.records_per_s)),
        ("iterator age", words.length(age_s * 1000)),
        ("retention", f"{now.state.retention_h:.0f} h"),
    ]
    if now.closed:
        facts.insert(1, ("closed", f"{now.closed:,}"))
    if now.state.mode == "on-demand":
        facts.append(("mode", "on-demand"))
    return facts


def _drawn(now: Now, target: float) -> list[Drawn]:
    from clew.scaling.limits import Limits
    from clew.scaling.model import KEY_SPACE

    limits = Limits()
    drawn = []
    for shard in now.shards.shards:
        full = shard.load.shards(limits)
        x = WIDE * shard.start / KEY_SPACE
        wide = WIDE * (shard.end - shard.start) / KEY_SPACE
        high = min(max(full, 0.0), 1.0) * TALL
        share = 100 * (shard.end - shard.start) / KEY_SPACE
        title = f"{shard.id}: {words.share(full)} full, {share:.3g}% of the hash keys"
        drawn.append(Drawn(x, wide, high, _tone(full, target), title))
    return drawn


def _remarks(now: Now, settings: ManagedStream | None, age_s: float) -> list[tuple[str, str]]:
    said = []
    if not now.state.active:
        said.append(("warn", f"It is {now.state.status.lower()}."))
    if now.refused:
        said.append(("bad", f"It refused {now.refused:,.0f} records in the last five minutes."))
    if age_s >= 60:
        said.append(("warn", f"Its readers are {words.length(age_s * 1000)} behind."))
    if now.ringing:
        said.append(("bad", f"In alarm: {', '.join(now.ringing)}."))
    elif settings is not None and not now.alarms and now.state.mode != "on-demand":
        said.append(("warn", "It has no alarms: see clew streams apply."))
    hot_keys = next((one["hot_keys"] for one in now.done if one.get("hot_keys")), ())
    said += [("bad", str(key)) for key in hot_keys]
    if now.under_way:
        said.append(("ok", f"Under way: {now.under_way.get('words', 'a change')}"))
    if settings is None:
        said.append(("dim", "Nobody scales it; see clew streams init."))
    return said


def _action(record: dict[str, Any]) -> tuple[str, str, str]:
    from clew.scaling.words import count

    who = record.get("who", "somebody")
    before, after = record.get("shards_before", 0), record.get("shards_after", 0)
    done = record.get("outcome") == "done"
    what = f"{before} to {count(after, 'shard')}" if done else str(record.get("outcome", ""))
    at_ms = int(float(record.get("at_s", 0)) * 1000)
    return (
        f"{words.day(at_ms)} {words.clock(at_ms)[:8]}",
        f"{what}, by {who}",
        record.get("why", ""),
    )

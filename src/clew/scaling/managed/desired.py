"""What applying a ``streams.yml`` would change, stream by stream, and what may not be. Pure.

What there is of streams, settings and the stack goes in as :class:`Account`; each stream of the
file, and each that is in none any more, comes out as a :class:`Change`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from clew.scaling.managed.config_yaml import ConfigError
from clew.scaling.prices import HOURS_A_MONTH, Prices
from clew.scaling.words import count, duration, usd

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clew.scaling.managed.config_resolve import Resolved, Wanted
    from clew.scaling.managed.settings import ManagedStream

STREAM_TYPE = "AWS::Kinesis::Stream"

_LABELS = {
    "min_shards": "min", "max_shards": "max", "alarm_at": "scale_up.alarm_at",
    "up_over_s": "scale_up.over", "down_below": "scale_down.below",
    "down_over_s": "scale_down.over", "down_every_s": "scale_down.every",
    "cool_down_s": "cool_down", "retention_h": "retention",
    "notify_topic": "notify.topic", "notify_webhook": "notify.webhook",
    "iterator_age_alarm_s": "iterator_age",
}  # fmt: skip
_PARTS = {"target", "alarm_at", "down_below", "closed_shard_rate"}


@dataclass(frozen=True, slots=True)
class Existing:
    """A stream that there is."""

    name: str
    arn: str
    status: str
    mode: str  # "provisioned" or "on-demand"
    shards: int  # open ones
    retention_h: float


@dataclass(frozen=True, slots=True)
class Account:
    """What there is."""

    stack_name: str
    existing: Mapping[str, Existing] = field(default_factory=dict)
    #: Of every stream that is managed in the account and region, whatever its environment.
    settings: Mapping[str, ManagedStream] = field(default_factory=dict)
    #: The template that the stack was last deployed with; None if there is no stack.
    template: Mapping[str, Any] | None = None

    @property
    def created_here(self) -> dict[str, Mapping[str, Any]]:
        """The streams that the stack created, as its template has them, by name."""
        return {
            resource["Properties"]["Name"]: resource
            for resource in (self.template or {}).get("Resources", {}).values()
            if resource["Type"] == STREAM_TYPE
        }


@dataclass(frozen=True, slots=True)
class Change:
    """What applying does to one stream."""

    kind: str  # "create", "adopt", "change", "same" or "forget"
    name: str
    said: tuple[str, ...]  # sentences
    usd_before: float = 0.0  # a month, for open shards
    usd_after: float = 0.0
    usd_most: float = 0.0  # with as many shards as it may have
    #: (hours now, hours wanted) of an existing stream whose records are to be kept otherwise.
    retention: tuple[float, float] | None = None
    #: What is lost by it, if anything is; it has to be allowed.
    loses: str = ""


@dataclass(frozen=True, slots=True)
class Diff:
    """All of it."""

    env: str
    stack_name: str
    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()

    @property
    def losses(self) -> tuple[Change, ...]:
        """The changes that have to be allowed."""
        return tuple(one for one in self.changes if one.loses)

    @property
    def nothing(self) -> bool:
        """Whether streams and settings stay as they are; alarms may change even so."""
        return all(one.kind == "same" for one in self.changes)


def adapted(resolved: Resolved, account: Account) -> Resolved:
    """With the retention that a stream has where the file says none: that is left as it is."""
    streams = []
    for one in resolved.streams:
        found = account.existing.get(one.name)
        if found is not None and "retention" not in one.entry.said:
            kept = replace(one.settings, retention_h=found.retention_h)
            one = replace(one, settings=kept)  # noqa: PLW2901
        streams.append(one)
    return replace(resolved, streams=tuple(streams))


def compare(resolved: Resolved, account: Account, prices: Prices | None = None) -> Diff:
    """What is different.

    Raises:
        ConfigError: A stream cannot be managed as the file says: all such, each with its line and
            its ARN.
    """
    priced = prices or Prices()
    problems = list(_conflicts(resolved, account))
    if problems:
        raise ConfigError(*problems)
    changes, notes = [], []
    for wanted in resolved.streams:
        found = account.existing.get(wanted.name)
        if found and found.mode == "on-demand" and wanted.settings.mode != "on-demand":
            notes.append(  # a pattern's: one that is named was refused
                f"{wanted.name} is left out: it is in on-demand mode, where AWS changes its shards."
            )
            continue
        changes.append(_change(wanted, found, account.settings.get(wanted.name), priced))
    names = {one.name for one in changes}
    ours = {name for name, one in account.settings.items() if one.env == resolved.env}
    gone = (ours | set(account.created_here)) - names
    changes += [_forgotten(name, account) for name in sorted(gone)]
    notes += [
        f"No stream matches {entry.name} yet; apply again when there is one."
        for entry in resolved.idle
    ]
    return Diff(resolved.env, account.stack_name, tuple(changes), tuple(notes))


def _conflicts(resolved: Resolved, account: Account) -> Iterable[str]:
    for wanted in resolved.streams:
        found, where = account.existing.get(wanted.name), wanted.where
        managed = account.settings.get(wanted.name)
        if managed is not None and managed.env != resolved.env:
            yield (
                f"{where}: {wanted.name} is managed in the environment {managed.env or '(none)'}"
                " already; a stream is in one at a time."
            )
        if found is None:
            if wanted.name in account.created_here:
                yield (
                    f"{where}: {wanted.name} was created by the stack {account.stack_name} and has"
                    " been deleted since; take it out of the file, apply, and put it in again."
                )
            if wanted.settings.mode == "on-demand" and wanted.settings.desired:
                yield f"{where}: {wanted.name} cannot be on-demand and have a desired number."
            continue
        on_demand = found.mode == "on-demand"
        if on_demand and wanted.settings.mode != "on-demand" and not wanted.by_pattern:
            yield (
                f"{where}: {found.arn} is in on-demand mode, where AWS changes its shards: say"
                " mode: on-demand to only watch it, or switch it to provisioned first (aws kinesis"
                " update-stream-mode)."
            )
        if not on_demand and wanted.settings.mode == "on-demand":
            yield (
                f"{where}: {found.arn} is in provisioned mode, and clew does not switch it: do that"
                " with aws kinesis update-stream-mode, or leave mode out."
            )
        if found.status == "DELETING":
            yield f"{where}: {found.arn} is being deleted; apply again when it is gone."


def _change(
    wanted: Wanted, found: Existing | None, before: ManagedStream | None, prices: Prices
) -> Change:
    settings = wanted.settings

    def month(shards: int, retention_h: float) -> float:
        if settings.mode == "on-demand":
            return prices.stream_hour * HOURS_A_MONTH
        return prices.shard_hours(shards * HOURS_A_MONTH, retention_h)

    shards = found.shards if found else wanted.first_shards
    after = month(shards, settings.retention_h)
    most = month(settings.bounds[1], settings.retention_h)
    if found is None:
        return Change("create", wanted.name, _created(wanted), 0.0, after, most)
    said, loses, kept = [], "", None
    if before is None:
        source = f" (by {wanted.entry.name})" if wanted.by_pattern else ""
        said.append(
            f"Manage the stream that there is{source}, with {count(shards, 'shard')} now and"
            f" {_bounds(settings)}."
        )
    else:
        said += [f"{what}." for what in _differences(before, settings)]
    if found.retention_h != settings.retention_h:
        kept = (found.retention_h, settings.retention_h)
        said.append(f"Keep its records for {_hours(kept[1])} instead of {_hours(kept[0])}.")
        if kept[1] < kept[0]:
            loses = f"records that are older than {_hours(kept[1])}"
    kind = "adopt" if before is None else "change" if said else "same"
    low, high = settings.bounds
    if settings.mode != "on-demand" and not low <= shards <= high:
        said.append(
            f"It has {count(shards, 'shard')}, which is not {_bounds(settings)}: the functions"
            " bring it there."
        )
    was = month(shards, found.retention_h)
    return Change(kind, wanted.name, tuple(said), was, after, most, kept, loses)


def _created(wanted: Wanted) -> tuple[str, ...]:
    settings = wanted.settings
    if settings.mode == "on-demand":
        return (f"Create it in on-demand mode, records kept for {_hours(settings.retention_h)}.",)
    return (
        f"Create it with {count(wanted.first_shards, 'shard')} ({_bounds(settings)}), records"
        f" kept for {_hours(settings.retention_h)}.",
    )


def _forgotten(name: str, account: Account) -> Change:
    found = account.existing.get(name)
    here = name in account.settings
    said = ["Scale it no longer: its settings and alarms go."] if here else ["Its alarms go."]
    if found is not None:
        said.append(f"The stream itself stays, with all its records ({found.arn}).")
    return Change("forget", name, tuple(said), loses="its settings and alarms")


def _differences(before: ManagedStream, after: ManagedStream) -> list[str]:
    """``max 16 -> 32``, for each setting that is another now. Tags are the creation's alone."""
    found = []
    for one in fields(after):
        was, now = getattr(before, one.name), getattr(after, one.name)
        if was != now and one.name not in ("name", "env", "retention_h", "tags"):
            label = _LABELS.get(one.name, one.name)
            found.append(f"{label}: {_value(one.name, was)} -> {_value(one.name, now)}")
    return found


def _value(name: str, value: Any) -> str:
    if value is None or value in ("", ()):
        return "none"
    if name == "notify_webhook":  # whoever has all of it may post
        return f"{urlsplit(value).hostname} (...{value[-4:]})"
    if name == "schedule":
        return ", ".join(f"{one.minimum} from {one.start} to {one.end}" for one in value)
    if name in _PARTS:
        return f"{value:.4g}" if name == "closed_shard_rate" else f"{value * 100:.4g}%"
    if name.endswith("_s"):
        return duration(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _bounds(settings: ManagedStream) -> str:
    low, high = settings.bounds
    return f"always {low}" if low == high else f"between {low} and {high}"


def _hours(hours: float) -> str:
    return f"{hours / 24:.4g} days" if hours >= 48 and not hours % 24 else f"{hours:g} hours"


def price(change: Change) -> str:
    """What a change is to the bill for open shards, in words."""
    if change.kind == "forget" or not change.usd_after:
        return ""
    now = f"{usd(change.usd_after)} a month"
    if change.kind != "create" and abs(change.usd_before - change.usd_after) > 0.005:
        now += f" instead of {usd(change.usd_before)}"
    most = f", up to {usd(change.usd_most)}" if change.usd_most > change.usd_after + 0.005 else ""
    return now + most

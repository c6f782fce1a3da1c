"""From what ``streams.yml`` says, and the streams that there are, to the settings of each. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from clew.scaling.managed.config import ConfigError
from clew.scaling.managed.settings import ManagedStream, Minimum
from clew.scaling.model import ScalingError
from clew.stories.visible import visible

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from clew.scaling.managed.config import Config, Entry
    from clew.scaling.managed.config_model import Stream

_MOST_TAGS = 49  # a stream has 50 at most (AddTagsToStream), and one is clew's
_SOME = "of-that-pattern"  # a stream of a pattern that has none


@dataclass(frozen=True, slots=True)
class Wanted:
    """One stream: its settings, and what it has them from."""

    settings: ManagedStream
    entry: Entry
    where: str  # streams.yml:12

    @property
    def name(self) -> str:
        """The stream's."""
        return self.settings.name

    @property
    def by_pattern(self) -> bool:
        """Whether a pattern adopted it."""
        return self.entry.is_pattern

    @property
    def first_shards(self) -> int:
        """With how many it is created."""
        return self.settings.desired or self.settings.min_shards


@dataclass(frozen=True, slots=True)
class Resolved:
    """Every stream of one environment, by name, and the patterns that matched nothing."""

    env: str
    streams: tuple[Wanted, ...]
    idle: tuple[Entry, ...] = ()

    def names(self) -> tuple[str, ...]:
        """Those of the streams."""
        return tuple(one.name for one in self.streams)


def resolve(config: Config, env: str, existing: Collection[str] = ()) -> Resolved:
    """The settings of each stream that the file names, or that a pattern of it adopts.

    A name counts before a pattern, and of two patterns that with more letters of its own.

    Raises:
        ConfigError: Settings contradict each other, with all such faults of the file.
    """
    entries = config.entries(env)
    patterns = [entry for entry in entries if entry.is_pattern]
    patterns.sort(key=lambda entry: (-_letters(entry.name), entry.line))
    named = {entry.name: entry for entry in entries if not entry.is_pattern}
    used = set()
    for name in sorted(set(existing) - set(named)):
        adopts = next((one for one in patterns if fnmatchcase(name, one.name)), None)
        if adopts is not None:
            named[name] = adopts
            used.add(adopts.name)
    problems: dict[str, None] = {}
    streams = []
    for name, entry in sorted(named.items()):
        try:
            streams.append(_wanted(config, env, name, entry))
        except ConfigError as error:
            problems |= dict.fromkeys(error.problems)
    for entry in patterns:  # one that matches nothing yet can be wrong too
        if entry.name not in used:
            try:
                _wanted(config, env, _SOME, entry)
            except ConfigError as error:
                problems |= dict.fromkeys(error.problems)
    if problems:
        raise ConfigError(*problems)
    idle = tuple(entry for entry in patterns if entry.name not in used)
    return Resolved(env, tuple(streams), idle)


def resolve_all(config: Config, env: str) -> dict[str, ManagedStream]:
    """The settings of each name and each pattern, by what stands in the file."""
    resolve(config, env)
    return {
        entry.name: _wanted(config, env, _SOME if entry.is_pattern else entry.name, entry).settings
        for entry in config.entries(env)
    }


def _letters(pattern: str) -> int:
    return sum(letter not in "*?" for letter in pattern)


def _wanted(config: Config, env: str, name: str, entry: Entry) -> Wanted:
    from clew.scaling.managed.config_model import Stream

    said = Stream.model_validate(entry.said)
    who = visible(entry.name)

    def fault(what: str, *keys: str) -> ConfigError:
        return ConfigError(f"{config.where(entry, *keys)}: {what}")

    if said.max is None and said.desired is None and said.mode != "on-demand":
        raise fault(f"{who} has no max: say how many shards it may have at most.")
    least = said.min
    if least is None:
        least = min(said.desired, said.max or said.desired) if said.desired else 1
    most = said.max if said.max is not None else max(said.desired or 1, least)
    if least > most:
        later = "min" if _line(config, entry, "min") >= _line(config, entry, "max") else "max"
        raise fault(f"min of {who} is {least}, which is more than its max of {most}.", later)
    for key, wrong in (
        ("desired", _wrong_desired(said, least, most)),
        ("retention", _wrong_retention(said.retention)),
        ("tags", _wrong_tag(said.tags or {})),
    ):
        if wrong:
            raise fault(f"{key} of {who} {wrong}", key)
    for number, one in enumerate(said.schedule or (), 1):
        if not least <= one.min <= most:
            raise fault(
                f"schedule[{number}].min of {who} is {one.min}, which is not between its min of"
                f" {least} and its max of {most}.",
                "schedule",
            )
    try:
        settings = _settings(env, name, said, least, most)
    except ScalingError as error:
        _, _, what = str(error).partition("': ")
        raise fault(f"{who}: {what or error}") from error
    return Wanted(settings, entry, config.where(entry))


def _wrong_desired(said: Stream, least: int, most: int) -> str:
    """What is wrong with the number of shards that it always has, or ""."""
    if said.desired is None or least <= said.desired <= most:
        return ""
    if said.min is None:
        return f"is {said.desired}, which is more than its max of {most}."
    return f"is {said.desired}, which is not between its min of {least} and its max of {most}."


def _wrong_retention(seconds: float | None) -> str:
    """What is wrong with how long records are kept, or ""."""
    if seconds is None or (seconds % 3600 == 0 and seconds >= 86_400):
        return ""
    return "has to be whole hours, 24h at least."


def _wrong_tag(tags: Mapping[str, str]) -> str:
    """Why AWS would refuse one of these tags when it creates the stream, or ""."""
    if len(tags) > _MOST_TAGS:
        return f"are {len(tags)}, and a stream can have {_MOST_TAGS} of its own."
    for name, value in tags.items():
        if not name or len(name) > 128 or len(value) > 256:
            return (
                f"have {visible(name[:40])}, which is too long, or empty; a tag may have 128"
                " letters, and its value 256."
            )
        if name.lower().startswith("aws:"):
            return f"have {visible(name)}, but AWS keeps what begins with aws: for itself."
        if not all(one.isalnum() or one in " _.:/=+-@" for one in name + value):
            return (
                f"have {visible(name)}: {visible(value)}, and a tag has letters, digits, spaces and"
                " _.:/=+-@ only."
            )
    return ""


def _line(config: Config, entry: Entry, key: str) -> int:
    path = entry.paths.get((key,))
    return config.document.line(path) if path else 0


def _settings(env: str, name: str, said: Stream, least: int, most: int) -> ManagedStream:
    """The settings; what nobody said is left to the defaults of ManagedStream."""
    up, down, notify = said.scale_up, said.scale_down, said.notify
    given: dict[str, object] = {
        "desired": said.desired,
        "target": said.target,
        "alarm_at": up and up.alarm_at,
        "up_over_s": up and up.over,
        "down_below": down and down.below,
        "down_over_s": down and down.over,
        "down_every_s": down and down.every,
        "predictive": said.predictive,
        "cool_down_s": said.cool_down,
        "retention_h": said.retention and said.retention / 3600,
        "closed_shard_rate": said.closed_shard_rate,
        "isolate_hot_keys": said.isolate_hot_keys,
        "shard_alarms": said.shard_alarms,
        "mode": said.mode,
        "method": said.method,
        "notify_topic": notify and notify.topic,
        "notify_webhook": notify and notify.webhook,
        "iterator_age_alarm_s": said.iterator_age,
        "tags": said.tags,
        "schedule": tuple(
            Minimum(one.from_, one.to, one.min, one.days or tuple(range(7)), one.timezone or "UTC")
            for one in said.schedule or ()
        ),
    }
    known = {key: value for key, value in given.items() if value is not None}
    return ManagedStream(name, least, most, env=env, **known)  # type: ignore[arg-type]

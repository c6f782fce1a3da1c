"""The shape of ``streams.yml``: every key, what it may hold, and what it means. Pure.

A key that is left out says nothing: what it comes to is the next outer level's, and in the end the
default of :class:`~clew.scaling.managed.settings.ManagedStream`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

# pydantic reads them when the classes are made.
from clew.scaling.managed.config_units import (  # noqa: TC001
    Days,
    Part,
    Rate,
    Seconds,
    TimeOfDay,
    Zone,
)

_Count: TypeAlias = Annotated[int, Field(ge=1, le=10_000)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


class ScaleUp(_Section):
    """When the stream gets more shards."""

    alarm_at: Part | None = Field(None, description="How full the stream is when it is due.")
    over: Seconds | None = Field(
        None, description="The time whose peak the new shards have to hold; a minute at least."
    )


class ScaleDown(_Section):
    """When the stream gets fewer shards."""

    below: Part | None = Field(None, description="All of `over` has to have been below this.")
    over: Seconds | None = Field(None, description="How long it has to have been quiet.")
    every: Seconds | None = Field(
        None, description="At most once in this time [default: 1.5 times the retention]."
    )


class Minimum(_Section):
    """Never under `min` shards from one time of the day to another."""

    from_: TimeOfDay = Field(alias="from", description="From this time of the day on.")
    to: TimeOfDay = Field(description="Until then; earlier than `from`: past midnight.")
    min: _Count = Field(description="Never fewer shards than these meanwhile.")
    days: Days | None = Field(None, description="On these days [default: every day].")
    timezone: Zone | None = Field(None, description="Whose clock, such as Europe/London [UTC].")


class Notify(_Section):
    """Who is told of what was done."""

    topic: str | None = Field(
        None, pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$",
        description="An SNS topic, by its ARN.",
    )  # fmt: skip
    webhook: str | None = Field(
        None,
        pattern=r"^(https://|http://(127\.0\.0\.1|localhost)[:/])[^\s]{1,2000}$",
        description="An https URL that takes JSON by POST.",
    )


class Stream(_Section):
    """How one stream, or each that a pattern adopts, is scaled."""

    min: _Count | None = Field(None, description="Never fewer shards [1].")
    max: _Count | None = Field(None, description="Never more shards; has to be said.")
    desired: _Count | None = Field(
        None, description="Always so many shards, whatever the load [as the load asks]."
    )
    target: Part | None = Field(None, description="How full a shard should be at most [75%].")
    retention: Seconds | None = Field(
        None, description="How long records are kept [24h; as it is]."
    )
    mode: Literal["provisioned", "on-demand"] | None = Field(
        None, description="on-demand: AWS changes the shards, and clew only watches [provisioned]."
    )
    method: Literal["auto", "operations", "update-shard-count"] | None = Field(
        None, description="By which calls shards are changed [auto: the best for each change]."
    )
    scale_up: ScaleUp | None = Field(None, description="When it gets more shards.")
    scale_down: ScaleDown | None = Field(None, description="When it gets fewer shards.")
    schedule: list[Minimum] | None = Field(None, description="Minimums at times of the day.")
    predictive: bool | None = Field(
        None, description="Follow what two weeks of metrics show as usual [false]."
    )
    cool_down: Seconds | None = Field(
        None, description="Leave the stream alone for so long after a change [2m]."
    )
    shard_alarms: bool | None = Field(
        None, description="Alarms on each shard, too; CloudWatch bills its metrics [false]."
    )
    isolate_hot_keys: bool | None = Field(
        None, description="Give a key that no shard can hold a shard of its own [false]."
    )
    closed_shard_rate: Rate | None = Field(
        None, description="What a closed shard is taken to cost, of an open one [0]."
    )
    iterator_age: Seconds | None = Field(
        None, description="Raise an alarm when records are read this late [no alarm]."
    )
    notify: Notify | None = Field(None, description="Who is told of what was done.")
    tags: dict[str, str] | None = Field(None, description="Tags of a stream that clew creates.")


class Environment(_Section):
    """What is different in one environment."""

    region: str | None = Field(None, pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="Its region.")
    defaults: Stream | None = Field(None, description="Over the defaults of the file.")
    streams: dict[str, Stream | None] | None = Field(
        None, description="Over the streams of the file, by the same names."
    )


class StreamsFile(_Section):
    """The streams of a team, how each is scaled, and what differs from environment to another."""

    version: Literal[1] = Field(description="Of this format.")
    defaults: Stream | None = Field(None, description="Of every stream that says nothing else.")
    streams: dict[str, Stream | None] = Field(
        description="By name. {env} stands for the environment, and * for anything: a pattern"
        " adopts the streams that there are."
    )
    environments: dict[str, Environment | None] | None = Field(None, description="By name.")


def keys_by_section() -> dict[str, frozenset[str]]:
    """The keys of each section, by what leads to it."""
    models: dict[str, type[BaseModel]] = {
        "file": StreamsFile, "stream": Stream, "environment": Environment, "scale_up": ScaleUp,
        "scale_down": ScaleDown, "schedule": Minimum, "notify": Notify,
    }  # fmt: skip
    return {
        name: frozenset(one.alias or key for key, one in model.model_fields.items())
        for name, model in models.items()
    }


def json_schema() -> dict[str, Any]:
    """What an editor checks the file by."""
    schema = _plain(StreamsFile.model_json_schema(by_alias=True))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "streams.yml",
    }


def _plain(schema: Any, key: str = "") -> Any:
    """Without what only Python means: titles, and that what is left out is None."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _plain(one, name) for name, one in schema.items() if name != "default"}
    if key not in ("properties", "$defs"):
        found.pop("title", None)
    if key != "additionalProperties" and {"type": "null"} in found.get("anyOf", []):
        rest = [one for one in found.pop("anyOf") if one != {"type": "null"}]
        found |= rest[0] if len(rest) == 1 else {"anyOf": rest}
    return found

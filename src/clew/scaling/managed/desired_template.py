"""The CloudFormation template of an environment: the streams that clew creates, and alarms. Pure.

A stream's resource is written once, when the stream is created, and from then on stays letter for
letter what was deployed. So CloudFormation has never a reason to touch it: neither the number of
its shards, which the scaling functions change, nor the stream itself, which it would replace for
some changes. What else there is to change of it is changed by calls of its own. An alarm is written
again only when its settings change: the functions let its threshold follow the shards.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from clew.scaling.managed.config_yaml import ConfigError
from clew.scaling.managed.desired import STREAM_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clew.scaling.managed.config_resolve import Wanted
    from clew.scaling.managed.desired import Account

#: "CloudFormation quotas": a template in the request, one in S3, and resources of a stack.
MAX_BODY, MAX_S3_BODY, MAX_RESOURCES = 51_200, 1_000_000, 500

ALARM_TYPE = "AWS::CloudWatch::Alarm"
_NOTHING_TYPE = "AWS::CloudFormation::WaitConditionHandle"
OWN_TYPES = (STREAM_TYPE, ALARM_TYPE, _NOTHING_TYPE)

_KEPT = "Retain"
#: What the functions set again whenever the number of shards has changed.
_FOLLOWS = ("Threshold", "AlarmDescription")


def stack_name(env: str) -> str:
    """The stack of an environment."""
    return f"clew-streams-{env}" if env else "clew-streams"


def stack_template(
    streams: Iterable[Wanted],
    account: Account,
    alarms: Mapping[str, Sequence[Mapping[str, Any]]],
) -> dict[str, Any]:
    """The whole template.

    Args:
        streams: Those that are to be managed.
        account: What there is.
        alarms: Of each stream, by its name, the arguments of PutMetricAlarm.

    Raises:
        ConfigError: It has more resources than a stack may have.
    """
    deployed = account.created_here
    before_all = (account.template or {}).get("Resources", {})
    resources: dict[str, Any] = {}
    for wanted in streams:
        name = wanted.name
        if name in deployed:
            resources[logical_id("Stream", name)] = deployed[name]
        elif name not in account.existing:
            resources[logical_id("Stream", name)] = _stream(wanted)
        same = account.settings.get(name) == wanted.settings
        for alarm in alarms.get(name, ()):
            place = logical_id("Alarm", str(alarm["AlarmName"]))
            before = before_all.get(place)
            if before and same and _fixed(before["Properties"]) == _fixed(alarm):
                resources[place] = before
                continue
            resources[place] = {"Type": ALARM_TYPE, "Properties": dict(alarm)}
    if len(resources) > MAX_RESOURCES:
        raise ConfigError(
            f"The streams and their alarms come to {len(resources)} resources, and a stack may have"
            f" {MAX_RESOURCES}; put some of the streams into a file of their own."
        )
    if not resources:  # a stack has one at least
        resources["Nothing"] = {"Type": _NOTHING_TYPE}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Kinesis streams and their alarms, by: clew streams apply.",
        "Resources": resources,
    }


def body(template: Mapping[str, Any]) -> str:
    """It as text, the shortest."""
    return json.dumps(template, separators=(",", ":"))


def _fixed(alarm: Mapping[str, Any]) -> dict[str, Any]:
    """An alarm without what follows the number of shards."""
    return {key: value for key, value in alarm.items() if key not in _FOLLOWS}


def _stream(wanted: Wanted) -> dict[str, Any]:
    settings = wanted.settings
    properties: dict[str, Any] = {
        "Name": settings.name,
        "RetentionPeriodHours": int(settings.retention_h),
        "Tags": [
            {"Key": key, "Value": value}
            for key, value in ({"clew:env": settings.env} | dict(settings.tags)).items()
            if value
        ],
    }
    if settings.mode == "on-demand":
        properties["StreamModeDetails"] = {"StreamMode": "ON_DEMAND"}
    else:
        properties["ShardCount"] = wanted.first_shards
    return {
        "Type": STREAM_TYPE,
        "DeletionPolicy": _KEPT,
        "UpdateReplacePolicy": _KEPT,
        "Properties": properties,
    }


def logical_id(kind: str, name: str) -> str:
    """A name for a resource: readable, and never the same for two."""
    words = re.sub(r"[^A-Za-z0-9]+", " ", name).split()
    readable = "".join(word[:1].upper() + word[1:] for word in words)[:80]
    return f"{kind}{readable}{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def changed_alarms(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> dict[str, int]:
    """How many alarms are ``"created"``, ``"changed"`` and ``"removed"`` between two templates."""
    old, new = (_alarms(one or {}) for one in (before, after))
    return {
        "created": len(new.keys() - old.keys()),
        "changed": sum(old[name] != new[name] for name in old.keys() & new.keys()),
        "removed": len(old.keys() - new.keys()),
    }


def _alarms(template: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: json.dumps(one["Properties"], sort_keys=True)
        for name, one in template.get("Resources", {}).items()
        if one["Type"] == ALARM_TYPE
    }

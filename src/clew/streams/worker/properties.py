"""Reads a mapping's settings from CloudFormation's or the Lambda API's names."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from clew.streams.worker.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_REPORT = "ReportBatchItemFailures"

# What says nothing about how the stream is read: identity, tags, encryption, what the service
# answers beside the settings.
_WITHOUT_EFFECT = {
    "Enabled",
    "EventSourceMappingArn",
    "FilterCriteriaError",
    "FunctionArn",
    "FunctionName",
    "Id",
    "KMSKeyArn",
    "KmsKeyArn",
    "LastModified",
    "LastProcessingResult",
    "LoggingConfig",
    "MetricsConfig",
    "ResponseMetadata",
    "State",
    "StateTransitionReason",
    "Tags",
    "UUID",
}
# Settings of other event sources.
_OTHER_SOURCES = {
    "AmazonManagedKafkaEventSourceConfig",
    "DocumentDBEventSourceConfig",
    "ProvisionedPollerConfig",
    "Queues",
    "ScalingConfig",
    "SelfManagedEventSource",
    "SelfManagedKafkaEventSourceConfig",
    "SourceAccessConfigurations",
    "Topics",
}


def read_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `MappingSettings`. Raises `SettingsError`."""
    settings: dict[str, Any] = {}
    for name, value in properties.items():
        if value is None or name in _WITHOUT_EFFECT or (name in _OTHER_SOURCES and not value):
            continue
        if name in _OTHER_SOURCES:
            raise SettingsError(f"{name} is not a setting of a stream; leave it out.")
        if name not in _READERS:
            known = ", ".join(sorted(_READERS))
            raise SettingsError(f"An event source mapping has no {name}; a stream's has: {known}.")
        argument, read = _READERS[name]
        settings[argument] = read(name, value)
    for name in ("EventSourceArn", "StartingPosition"):
        if _READERS[name][0] not in settings:
            raise SettingsError(f"The event source mapping has no {name}; give it one.")
    if settings["starting_position"] != "AT_TIMESTAMP":
        settings.pop("starting_at", None)  # the service answers it beside any position
    return settings


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise SettingsError(f"{name} has to be a string, not {value!r}.")
    return value


def _whole(name: str, value: Any) -> int:
    # CloudFormation parameters are strings, also where the property is a number.
    if isinstance(value, str) and value.removeprefix("-").isdecimal():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise SettingsError(f"{name} has to be a whole number, not {value!r}.")
    return value


def _truth(name: str, value: Any) -> bool:
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise SettingsError(f"{name} has to be true or false, not {value!r}.")
    return value


def read_time(name: str, value: Any) -> float:
    """Seconds since the epoch, from a number, a datetime or text. Raises `SettingsError`."""
    try:
        if isinstance(value, str):
            return float(value) if _is_number(value) else _parsed(value).timestamp()
        if isinstance(value, datetime):
            return value.timestamp()
        return float(value)
    except (TypeError, ValueError):
        raise SettingsError(
            f"{name} has to be a time: seconds since the epoch, or like 2026-01-02T03:04:05Z; "
            f"it is {value!r}."
        ) from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _parsed(text: str) -> datetime:
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _reports(name: str, value: Any) -> bool:
    kinds = value if isinstance(value, list | tuple) else [value]
    if unknown := [kind for kind in kinds if kind != _REPORT]:
        raise SettingsError(f"{name} can only hold {_REPORT}, not {unknown[0]!r}.")
    return bool(kinds)


def _destination(name: str, value: Any) -> str | None:
    match value:
        case {"OnFailure": {"Destination": str(arn)}}:
            return arn or None
        case {} if not value.get("OnFailure"):
            return None
    raise SettingsError(f"{name} has to be OnFailure with a Destination, not {value!r}.")


def _patterns(name: str, value: Any) -> tuple[str, ...]:
    filters = value.get("Filters", []) if hasattr(value, "get") else None
    if not isinstance(filters, list | tuple):
        raise SettingsError(f"{name} has to hold a list of Filters, not {value!r}.")
    patterns = []
    for each in filters:
        pattern = each.get("Pattern") if hasattr(each, "get") else None
        if not isinstance(pattern, str):
            raise SettingsError(f"A filter in {name} has to have a Pattern, JSON in a string.")
        patterns.append(pattern)
    return tuple(patterns)


_READERS: dict[str, tuple[str, Callable[[str, Any], Any]]] = {
    "BatchSize": ("batch_size", _whole),
    "BisectBatchOnFunctionError": ("bisect_on_error", _truth),
    "DestinationConfig": ("on_failure_destination", _destination),
    "EventSourceArn": ("source_arn", _text),
    "FilterCriteria": ("filter_patterns", _patterns),
    "FunctionResponseTypes": ("report_batch_item_failures", _reports),
    "MaximumBatchingWindowInSeconds": ("batching_window_s", _whole),
    "MaximumRecordAgeInSeconds": ("maximum_record_age_s", _whole),
    "MaximumRetryAttempts": ("maximum_retry_attempts", _whole),
    "ParallelizationFactor": ("parallelization_factor", _whole),
    "StartingPosition": ("starting_position", _text),
    "StartingPositionTimestamp": ("starting_at", read_time),
    "TumblingWindowInSeconds": ("tumbling_window_s", _whole),
}

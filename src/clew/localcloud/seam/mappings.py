"""Takes the mappings on streams away from the emulator's poller, and has them run by a worker.

The mappings themselves stay where they were: creating, listing, changing and deleting them is
the emulator's, by API and by CloudFormation alike.
"""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from ministack.services import dynamodb, kinesis, lambda_svc
from ministack.services.cloudformation import provisioners

from clew.localcloud.seam.closed_shards import all_shards
from clew.localcloud.seam.emulator_parts import around

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Esm = dict[str, Any]

_STREAM = re.compile(r"arn:[\w-]+:(?:kinesis:.*:stream/|dynamodb:.*/stream/)")
_RESOURCE = "AWS::Lambda::EventSourceMapping"
# What the emulator does not keep of a mapping.
_DROPPED = ("StartingPositionTimestamp", "TumblingWindowInSeconds")
# What AWS answers for a stream where nothing was asked ("CreateEventSourceMapping").
_DEFAULTS: dict[str, Any] = {
    "BisectBatchOnFunctionError": False,
    "MaximumRecordAgeInSeconds": -1,
    "MaximumRetryAttempts": -1,
    "ParallelizationFactor": 1,
    "TumblingWindowInSeconds": 0,
}
_DEFAULT_BATCH_SIZE = 100
# Set on a mapping that begins at the latest record: whether the stream had any by then.
_LATEST_OF = "clew_latest_of"
_NOTHING, _SOMETHING = "nothing", "something"
_SETTINGS = (
    "BatchSize",
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "EventSourceArn",
    "FilterCriteria",
    "FunctionResponseTypes",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "StartingPosition",
    "StartingPositionTimestamp",
    "TumblingWindowInSeconds",
)


def install(runs: Callable[[str], bool]) -> None:
    """Put clew's keeping of stream mappings around the emulator's.

    Args:
        runs: Whether the mapping of a uuid has begun to be run.
    """

    def described(original: Callable[..., Any], esm: Esm) -> dict[str, Any]:
        facts: dict[str, Any] = original(esm)
        facts.pop(_LATEST_OF, None)
        if esm.get(_LATEST_OF) == _SOMETHING and not runs(esm["UUID"]):
            # Records that are put from here on could still be missed.
            facts["State"] = "Creating" if facts["State"] == "Enabled" else facts["State"]
        return facts

    around(lambda_svc, "_iter_all_esms", _without_streams)
    around(lambda_svc, "_validate_event_source_arn", _with_consumers)
    around(lambda_svc, "_create_esm", _created_by_api)
    around(lambda_svc, "_update_esm", _updated_by_api)
    around(lambda_svc, "_esm_response", described)
    handlers = provisioners._RESOURCE_HANDLERS[_RESOURCE]
    for way in ("create", "update"):
        handlers[way] = _by_template(way, handlers[way])


def definitions() -> list[dict[str, Any]]:
    """Every mapping on a stream, for the board."""
    return [
        {
            "uuid": esm["UUID"],
            "account": account,
            "region": region,
            "function": esm["FunctionName"],
            "qualifier": _qualifier(esm),
            "source_arn": esm["EventSourceArn"],
            "enabled": _truth(esm.get("Enabled", True)),
            "role": _role(account, region, esm),
            "settings": _settings(esm),
        }
        for account, region, esm in _all_esms()
        if _is_stream(esm)
    ]


def tell(uuid: str, outcome: str) -> None:
    """Let a mapping say its latest result."""
    for _account, _region, esm in _all_esms():
        if esm["UUID"] == uuid:
            esm["LastProcessingResult"] = outcome


class Runner:
    """The process that runs the mappings: started when there is one to run, kept running.

    It is in the emulator's process group, and so ends with it.
    """

    def __init__(self, arguments: list[str], wanted: Callable[[], bool]) -> None:
        self._command = [sys.executable, "-m", "clew.localcloud.mapping_runner", *arguments]
        self._wanted = wanted
        self._process: subprocess.Popen[bytes] | None = None

    def look(self) -> None:
        """Start it if it is needed and does not run."""
        if self._process is not None and self._process.poll() is None:
            return
        if self._wanted():
            self._process = subprocess.Popen(self._command)  # noqa: S603 - our own command line


def _all_esms() -> Iterator[tuple[str, str, Esm]]:
    for (account, region, _uuid), esm in list(lambda_svc._esms._data.items()):
        yield account, region, esm


def _is_stream(esm: Esm) -> bool:
    return _STREAM.match(str(esm.get("EventSourceArn", ""))) is not None


def _without_streams(original: Callable[[], Any]) -> Iterator[Any]:
    for account, region, esm in original():
        if not _is_stream(esm):
            yield account, region, esm


def _with_consumers(original: Callable[..., Any], arn: Any) -> Any:
    """A consumer with enhanced fan-out is a source as well as its stream is."""
    return original(arn.partition("/consumer/")[0] if isinstance(arn, str) else arn)


def _created_by_api(original: Callable[..., Any], data: dict[str, Any]) -> Any:
    if not _is_stream(data):
        return original(data)
    before = set(lambda_svc._esms.keys())
    answer = original({"BatchSize": _DEFAULT_BATCH_SIZE, **data})
    for uuid in set(lambda_svc._esms.keys()) - before:
        _complete(lambda_svc._esms[uuid], data)
        answer = lambda_svc.json_response(
            lambda_svc._esm_response(lambda_svc._esms[uuid]), answer[0]
        )
    return answer


def _updated_by_api(original: Callable[..., Any], uuid: str, data: dict[str, Any]) -> Any:
    esm = lambda_svc._esms.get(uuid)
    if esm is not None and _is_stream(esm):
        _keep(esm, data)
    return original(uuid, data)


def _by_template(way: str, original: Callable[..., Any]) -> Callable[..., Any]:
    def provision(*arguments: Any) -> Any:
        properties = arguments[1] if way == "create" else arguments[2]
        if not _is_stream(properties):
            return original(*arguments)
        properties.setdefault("BatchSize", _DEFAULT_BATCH_SIZE)
        answer = original(*arguments)
        esm = lambda_svc._esms.get(answer[0])
        if esm is not None:
            esm["Enabled"] = _truth(esm.get("Enabled", True))
            esm["State"] = "Enabled" if esm["Enabled"] else "Disabled"
            _complete(esm, properties)
        return answer

    return provision


def _complete(esm: Esm, given: dict[str, Any]) -> None:
    _keep(esm, given)
    if esm.get("StartingPosition") == "LATEST" and _LATEST_OF not in esm:
        esm[_LATEST_OF] = _NOTHING if _is_empty(esm["EventSourceArn"]) else _SOMETHING
    for name, value in _DEFAULTS.items():
        esm.setdefault(name, value)


def _keep(esm: Esm, given: dict[str, Any]) -> None:
    for name in _DROPPED:
        if given.get(name) is not None:
            esm[name] = given[name]


def _settings(esm: Esm) -> dict[str, Any]:
    settings = {name: esm[name] for name in _SETTINGS if name in esm}
    if esm.get(_LATEST_OF) == _NOTHING:
        # The same, and nothing is missed that is put before the worker has begun.
        settings["StartingPosition"] = "TRIM_HORIZON"
    return settings


def _is_empty(arn: str) -> bool:
    """Whether a stream in the scope of this request has no records."""
    name = arn.split(":", 5)[5].split("/")[1]
    if arn.split(":")[2] == "dynamodb":
        return not dynamodb.stream_live_records(name)
    stream = kinesis._streams.get(name)
    return stream is None or not any(shard["records"] for shard in all_shards(stream).values())


def _role(account: str, region: str, esm: Esm) -> str:
    function = lambda_svc._functions.get_scoped(account, region, esm["FunctionName"]) or {}
    return str(function.get("config", {}).get("Role", ""))


def _qualifier(esm: Esm) -> str:
    """The alias or version that it invokes, or ``""``."""
    parts = str(esm.get("FunctionArn", "")).split(":")
    return parts[7] if len(parts) > 7 else ""


def _truth(value: Any) -> bool:
    return value.lower() != "false" if isinstance(value, str) else bool(value)

"""The two functions: one that alarms call, and one that looks after every stream on a schedule.

In Lambda: ``clew.scaling.managed.handlers.scale_up`` and ``...scale_down``. They read from the
environment ``CLEW_SCALING_TABLE`` and ``CLEW_SCALING_TOPIC``, the topic that alarms tell.
"""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any

import clew
from clew.scaling.managed.action import Cause, act
from clew.scaling.managed.alarm_event import AlarmEvent, read_alarm
from clew.scaling.managed.store import TABLE, Store
from clew.scaling.managed.tools import Tools, code_of
from clew.scaling.model import ScalingError

_log = clew.get_logger("clew.scaling")
#: The tag of an alarm that says which stream it is about, where nothing else does.
STREAM_TAG = "clew:stream"
_WALK_MARGIN_S = 30.0
#: Of a stream's name (CreateStream); the table would refuse a very long one.
_LONGEST_NAME = 128

Answer = dict[str, Any]


@clew.handler
def scale_up(event: Any, context: Any) -> Answer:
    """Answer an alarm: look at its stream, and give it more shards if it needs them.

    Takes alarms through SNS, EventBridge and directly; what is no alarm of a managed stream is
    left alone, and the answer says why.
    """
    tools = tools_of(context)
    if resumed := _resumed(event):
        return _resume(tools, resumed)
    alarm = read_alarm(event)
    if isinstance(alarm, str):
        return _ignored(alarm)
    if elsewhere := _elsewhere(tools, context, alarm):
        return _ignored(elsewhere)
    name = alarm.stream or _tagged(tools, alarm)
    if not name:
        return _ignored(
            f"The alarm {alarm.name} does not say which stream it is about: give it the tag"
            f" {STREAM_TAG}."
        )
    settings = tools.store.settings(name) if len(name) <= _LONGEST_NAME else None
    if settings is None:
        return _ignored(f"The alarm {alarm.name} is about the stream {name}, which is not managed.")
    return act(tools, settings, Cause(str(alarm), alarm)).to_json()


@clew.handler
def scale_down(event: Any, context: Any) -> Answer:
    """Look after every managed stream: fewer shards, minimums, missed alarms, unfinished plans.

    ``{"stream": "orders"}`` looks after that one only. A stream that fails does not keep the
    others waiting; the first failure is raised when all have been seen to.
    """
    tools = tools_of(context)
    if resumed := _resumed(event):
        return _resume(tools, resumed)
    asked = event if isinstance(event, dict) else {}
    only, after = asked.get("stream"), str(asked.get("after", ""))
    names = [str(only)] if only else [name for name in tools.store.managed() if name > after]
    answers: list[Answer] = []
    failed: list[str] = []
    for name in names:
        if tools.left_s() < _WALK_MARGIN_S and tools.function and answers:
            tools.lambda_.invoke(
                FunctionName=tools.function,
                InvocationType="Event",
                Payload=json.dumps({"after": answers[-1]["stream"]}),
            )
            break
        try:
            answers.append(_look_after(tools, name))
        except Exception as error:  # noqa: BLE001 - raised when all have been seen to
            _log.exception("a stream could not be looked after", extra={"stream": name})
            answers.append({"stream": name, "outcome": "failed", "why": str(error)})
            failed.append(f"{name}: {error}")
    if failed:
        raise ScalingError(
            f"{len(failed)} of {len(answers)} streams could not be looked after; {failed[0]}"
        )
    return {"streams": answers}


def tools_of(context: Any) -> Tools:
    """What an invocation works with: clients of this process, and its own time."""
    kinesis, cloudwatch, dynamodb, sns, lambda_ = _clients()
    left_ms = getattr(context, "get_remaining_time_in_millis", None)
    return Tools(
        kinesis=kinesis,
        cloudwatch=cloudwatch,
        store=Store(dynamodb, os.environ.get("CLEW_SCALING_TABLE") or TABLE),
        sns=sns,
        lambda_=lambda_,
        topic=os.environ.get("CLEW_SCALING_TOPIC", ""),
        request_id=str(getattr(context, "aws_request_id", "") or ""),
        function=os.environ.get("AWS_LAMBDA_FUNCTION_NAME", ""),
        left_s=(lambda: left_ms() / 1000) if callable(left_ms) else (lambda: 900.0),
    )


@cache
def _clients() -> tuple[Any, ...]:
    import boto3
    from botocore.config import Config

    # Kinesis and CloudWatch are asked again by `patiently`, which knows how much time is left.
    attempts = {"kinesis": 1, "cloudwatch": 1, "dynamodb": 5, "sns": 3, "lambda": 3}
    make: Any = boto3.session.Session().client
    return tuple(
        make(
            name,
            config=Config(
                connect_timeout=2,
                read_timeout=10,
                retries={"total_max_attempts": most, "mode": "standard"},
            ),
        )
        for name, most in attempts.items()
    )


def _look_after(tools: Tools, name: str) -> Answer:
    settings = tools.store.settings(name)
    if settings is None:
        return {"stream": name, "outcome": "nothing", "why": "It is not managed."}
    return act(tools, settings, Cause("the schedule", elsewhere=True)).to_json()


def _resumed(event: Any) -> dict[str, Any] | None:
    found = event.get("resume") if isinstance(event, dict) else None
    return found if isinstance(found, dict) else None


def _resume(tools: Tools, resumed: dict[str, Any]) -> Answer:
    name = str(resumed.get("stream", ""))
    settings = tools.store.settings(name)
    if settings is None:
        return _ignored(f"The stream {name} is not managed any more.")
    turn = int(resumed.get("turn", 0))
    cause = Cause("an invocation before", owner=str(resumed.get("owner", "")), turn=turn)
    return act(tools, settings, cause).to_json()


def _elsewhere(tools: Tools, context: Any, alarm: AlarmEvent) -> str:
    """That an alarm is of another region or account, whose streams may be called the same."""
    arn = str(getattr(context, "invoked_function_arn", "")).split(":")
    account = arn[4] if len(arn) > 6 else ""
    region = str(tools.kinesis.meta.region_name)
    if alarm.region not in {"", region}:
        return f"The alarm {alarm.name} is of {alarm.region}, and the streams here are of {region}."
    if account and alarm.account not in {"", account}:
        return (
            f"The alarm {alarm.name} is of the account {alarm.account}, and the streams here are of"
            f" {account}."
        )
    return ""


def _tagged(tools: Tools, alarm: AlarmEvent) -> str:
    """The stream that the tag of an alarm names; a composite alarm has no dimensions."""
    from botocore.exceptions import ClientError

    if not alarm.arn:
        return ""
    try:
        tags = tools.cloudwatch.list_tags_for_resource(ResourceARN=alarm.arn)["Tags"]
    except ClientError as error:
        _log.warning("an alarm's tags could not be read", extra={"code": code_of(error)})
        return ""
    return next((one["Value"] for one in tags if one["Key"] == STREAM_TAG), "")


def _ignored(why: str) -> Answer:
    _log.info("nothing to scale", extra={"why": why})
    return {"outcome": "ignored", "why": why}

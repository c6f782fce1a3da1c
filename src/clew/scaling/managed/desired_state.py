"""What there is in an account of streams, settings and the stack. Reads only."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from functools import cache, partial
from threading import Lock
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from clew.errors import ClewError
from clew.log.logger import get_logger
from clew.scaling.managed.config_words import meant
from clew.scaling.managed.desired import Account, Existing
from clew.scaling.managed.desired_template import OWN_TYPES
from clew.scaling.managed.settings import ManagedStream
from clew.scaling.managed.store import TABLE, Store
from clew.scaling.managed.tools import TimeUpError, Tools, patiently
from clew.scaling.model import ScalingError
from clew.scaling.words import duration
from clew.stories.visible import visible

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from clew.scaling.managed.desired_now import Now

_log = get_logger("clew.scaling")


class _Client:
    """A client that is made when it is first used: making one takes a while."""

    def __init__(self, session: Any, service: str) -> None:
        self._made = cache(partial(session.client, service))
        self._lock = Lock()

    def __getattr__(self, name: str) -> Any:
        with self._lock:
            client = self._made()
        return getattr(client, name)


def tools_of(session: Any, table: str = TABLE, topic: str = "") -> Tools:
    """The clients that looking at a stream takes."""
    made = {name: _Client(session, name) for name in _SERVICES}
    store = Store(made["dynamodb"], table)
    until = time.monotonic() + _PATIENCE_S
    return Tools(
        made["kinesis"],
        made["cloudwatch"],
        store,
        made["sns"],
        made["lambda"],
        topic,
        sleep=_Sleep(),
        left_s=lambda: until - time.monotonic(),
    )


class _Sleep:
    """Sleeps, and says once why nothing is to be seen."""

    def __init__(self) -> None:
        self._slept_s: float | None = 0.0

    def __call__(self, seconds: float) -> None:
        time.sleep(seconds)
        if self._slept_s is None:
            return
        self._slept_s += seconds
        if self._slept_s >= _UNEXPLAINED_S:
            self._slept_s = None
            _log.warning(
                "AWS is busy, or the stream is being changed: it is asked again, for"
                f" {duration(_PATIENCE_S)} at most"
            )


#: How long a service may say that it is busy, or a stream that it is being changed.
_PATIENCE_S = 180.0
#: How long nothing need be said of it.
_UNEXPLAINED_S = 2.0
_SERVICES = ("kinesis", "cloudwatch", "dynamodb", "sns", "lambda")
_DENIED = (
    "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError",
    "AccessDeniedFault",
)  # fmt: skip
#: An error does not say which service it is of; where several are asked, the call does.
_SERVICE_OF = {
    **dict.fromkeys(("DescribeAlarms", "GetMetricData", "PutMetricAlarm", "DeleteAlarms",
                     "SetAlarmState"), "cloudwatch"),
    **dict.fromkeys(("GetItem", "PutItem", "Query", "UpdateItem", "DeleteItem"), "dynamodb"),
}  # fmt: skip
#: The first creation of the stack failed: there is nothing in it but what is retained.
NEVER_CREATED = ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED")
_NO_STACK = ("REVIEW_IN_PROGRESS", "DELETE_COMPLETE", *NEVER_CREATED)


@contextmanager
def asking(service: str) -> Iterator[None]:
    """Says which permission is missing, where AWS only says that one is."""
    try:
        yield
    except ClientError as error:
        fault = error.response["Error"]
        if fault["Code"] in _DENIED:
            said = " ".join(str(fault.get("Message", "")).split()).rstrip(".")
            of = _SERVICE_OF.get(error.operation_name, service)
            raise ClewError(
                f"AWS does not allow {of}:{error.operation_name} here"
                f"{f' ({said})' if said else ''}; allow it, or use another --profile."
            ) from error
        raise
    except TimeUpError as error:
        raise ClewError(
            "AWS has been busy with the streams for three minutes; see clew streams status, and try"
            " again."
        ) from error


def list_streams(tools: Tools) -> list[str]:
    """The names of all streams."""
    found: list[str] = []
    asked: dict[str, Any] = {"Limit": 1000}
    with asking("kinesis"):
        while True:  # five calls a second
            page = patiently(tools, tools.kinesis.list_streams, **asked)
            found += page["StreamNames"]
            if not page["HasMoreStreams"]:
                return found
            asked["ExclusiveStartStreamName"] = found[-1]


def describe(tools: Tools, name: str) -> Existing | None:
    """One stream; None if there is none of that name."""
    kinesis = tools.kinesis
    try:
        with asking("kinesis"):  # 20 calls a second, for a whole account
            answer = patiently(tools, kinesis.describe_stream_summary, StreamName=name)
    except kinesis.exceptions.ResourceNotFoundException:
        return None
    found = answer["StreamDescriptionSummary"]
    mode = found.get("StreamModeDetails", {}).get("StreamMode", "PROVISIONED")
    return Existing(
        name,
        found["StreamARN"],
        found["StreamStatus"],
        "on-demand" if mode == "ON_DEMAND" else "provisioned",
        found["OpenShardCount"],
        found["RetentionPeriodHours"],
    )


def read_account(
    session: Any, stack_name: str, names: Collection[str], env: str, table: str
) -> Account:
    """Everything that a ``streams.yml`` is compared with; ``names`` are those it speaks of."""
    settings = read_settings(session, table)
    template = deployed_template(session, stack_name)
    created = Account(stack_name, template=template).created_here
    tools = tools_of(session, table)
    ours = {name for name, one in settings.items() if one.env == env}
    wanted = sorted({*names, *ours, *created})
    found = {name: describe(tools, name) for name in wanted}
    existing = {name: one for name, one in found.items() if one is not None}
    return Account(stack_name, existing, settings, template)


def read_settings(session: Any, table: str) -> dict[str, ManagedStream]:
    """The settings of all managed streams; none if the table is not there yet."""
    store = Store(session.client("dynamodb"), table)
    try:
        with asking("dynamodb"):
            return {one.name: one for one in store.all_settings()}
    except ScalingError as error:
        if isinstance(error.__cause__, ClientError):
            return {}
        raise


def deployed_template(session: Any, stack_name: str) -> dict[str, Any] | None:
    """What the stack was last deployed with; None if there is no such stack.

    Raises:
        ClewError: A stack of that name has what clew did not put there.
    """
    cloudformation = session.client("cloudformation")
    with asking("cloudformation"):
        status = stack_status(cloudformation, stack_name)
        if status is None or status in _NO_STACK:
            return None
        found = cloudformation.get_template(StackName=stack_name, TemplateStage="Original")
    body = found["TemplateBody"]
    try:
        template: dict[str, Any] = json.loads(body if isinstance(body, str) else json.dumps(body))
        strangers = [
            f"{name} ({one['Type']})"
            for name, one in template["Resources"].items()
            if one["Type"] not in OWN_TYPES
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        strangers = ["a template that is not clew's"]
    if strangers:
        raise ClewError(
            f"The stack {stack_name} has {strangers[0]}, which clew did not put there; give that"
            " stack another name, or name another environment."
        )
    return template


def stack_status(cloudformation: Any, stack_name: str) -> str | None:
    """Its status; None if there is none."""
    try:
        stacks = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise
    status: str = stacks[0]["StackStatus"]
    return status


def table_status(session: Any, table: str) -> str | None:
    """The status of a table; None if there is none."""
    dynamodb = session.client("dynamodb")
    try:
        with asking("dynamodb"):
            found: str = dynamodb.describe_table(TableName=table)["Table"]["TableStatus"]
    except dynamodb.exceptions.ResourceNotFoundException:
        return None
    return found


def find_topic(session: Any, functions: str) -> str:
    """The topic that alarms tell, of the functions' stack; empty if it is not there."""
    cloudformation = session.client("cloudformation")
    with asking("cloudformation"):
        if stack_status(cloudformation, functions) in (None, *_NO_STACK):
            return ""
        (stack,) = cloudformation.describe_stacks(StackName=functions)["Stacks"]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}
    return str(outputs.get("AlarmTopicArn", ""))


def find_topic_of(now: Now) -> str:
    """The topic that a stream's alarms tell already; empty if they tell none."""
    told = (action for one in now.alarms for action in one.get("AlarmActions", ()))
    return next(told, "")


def settings_or_any(session: Any, table: str, stream: str) -> ManagedStream:
    """The settings of a stream; if it is not managed, those that would leave it alone."""
    known = read_settings(session, table).get(stream)
    return known or ManagedStream(stream, 1, 10_000)


def managed_settings(session: Any, table: str, stream: str) -> ManagedStream:
    """The settings of a managed stream.

    Raises:
        ClewError: It is not managed.
    """
    known = read_settings(session, table)
    if stream not in known:
        raise ClewError(
            f"{visible(stream)} is not managed here (table {table}){meant(stream, known)}"
            " Streams are managed by clew streams apply."
        )
    return known[stream]

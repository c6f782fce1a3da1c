"""Deploys one template to the emulator, through a CloudFormation change set as on AWS."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from clew.localcloud.api_bodies import spell_out_any_methods, spell_out_http_api_routes
from clew.localcloud.artifacts import with_uploaded_code
from clew.localcloud.errors import LocalCloudError
from clew.localcloud.layers import foreign_layers
from clew.localcloud.loopback_urls import point_urls_at
from clew.localcloud.mistakes import mistakes
from clew.localcloud.references import unresolved_references
from clew.localcloud.session import OWN
from clew.localcloud.template import checked_parameters, read_template, to_cloudformation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from clew.localcloud.session import LoopbackSession
    from clew.localcloud.template import Template

DEPLOY_TIMEOUT_S = 120.0
_POLL_S = 0.05
_BUCKET = "clew-local-artifacts"
_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_NO_CHANGES = "didn't contain changes"
_UNSUPPORTED = re.compile(r"Unrecognized resource types: \[(?P<types>[^\]]*)\]")
# A failure that another one caused says nothing.
_CANCELLED = "cancelled"
# How the emulator quotes the answer of another part of itself.
_QUOTED = re.compile(r"b(?P<quote>['\"])(?P<json>\{.*\})(?P=quote)", re.DOTALL)
_NEVER_CREATED = {"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StackEvent:
    """One step of a deployment, as CloudFormation tells it."""

    logical_id: str
    resource_type: str
    status: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stack:
    """What was deployed."""

    name: str
    outputs: Mapping[str, str] = field(default_factory=dict)
    #: Logical id -> physical id, of every resource.
    resources: Mapping[str, str] = field(default_factory=dict)
    #: Logical id -> physical name, of the functions alone.
    functions: Mapping[str, str] = field(default_factory=dict)


def stack_name_for(path: Path) -> str:
    """The name of the folder that the template is in, as far as a stack may be called that."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", path.resolve().parent.name).strip("-")
    return name if name[:1].isalpha() else f"stack-{name}".rstrip("-")


def deploy(
    session: LoopbackSession,
    path: Path,
    *,
    stack_name: str | None = None,
    parameters: Mapping[str, str] | None = None,
    on_event: Callable[[StackEvent], None] | None = None,
    timeout_s: float = DEPLOY_TIMEOUT_S,
) -> Stack:
    """Create the stack, or update it if there is one of that name.

    Args:
        session: Where to.
        path: The template, SAM or plain CloudFormation, YAML or JSON.
        stack_name: The name of the template's folder if not given.
        parameters: Values of the template's parameters.
        on_event: Told of each step as it happens.
        timeout_s: How long the whole may take, in seconds.

    Raises:
        LocalCloudError: The template is no good, or a resource failed; the message begins with
            the file, and names the resource and the reason.
    """
    template = read_template(path)
    values = checked_parameters(template, parameters or {})
    body = _translated(session, template, values)
    name = stack_name or stack_name_for(path)
    changes = _ChangeSet(session.client("cloudformation"), template, name, on_event)
    changes.create(body, values, time.monotonic() + timeout_s)
    stack = describe_stack(session, name)
    if stack is None:
        raise LocalCloudError(f"{path}: the stack {name} was deleted while it was deployed.")
    return stack


def describe_stack(session: LoopbackSession, name: str) -> Stack | None:
    """A stack as it stands; None if somebody has deleted it."""
    cloudformation = session.client("cloudformation", config=OWN)
    try:
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return None
    outputs = {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
    summaries = [item for page in pages for item in page["StackResourceSummaries"]]
    resources = {item["LogicalResourceId"]: item["PhysicalResourceId"] for item in summaries}
    functions = {
        item["LogicalResourceId"]: item["PhysicalResourceId"]
        for item in summaries
        if item["ResourceType"] == "AWS::Lambda::Function"
    }
    return Stack(name, outputs, resources, functions)


def _translated(
    session: LoopbackSession, template: Template, values: Mapping[str, str]
) -> dict[str, Any]:
    s3 = session.client("s3")
    # Outside us-east-1 a second deployment is told that the bucket is there already.
    with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=_BUCKET, **_located(session.region_name))

    def upload(key: str, content: bytes) -> None:
        s3.put_object(Bucket=_BUCKET, Key=key, Body=content)

    body = with_uploaded_code(template, _BUCKET, upload)
    translated = to_cloudformation(template, body, values, region=session.region_name)
    if missing := unresolved_references(translated):
        where, name = missing[0]
        raise template.error(f"{where} refers to {name}, which is neither resource nor parameter.")
    for mistake in mistakes(translated):
        raise template.error(mistake)
    for sentence in foreign_layers(translated):
        _log.warning("%s: %s", template.path, sentence)
    local = point_urls_at(session.endpoint_url, translated)
    return spell_out_http_api_routes(spell_out_any_methods(local))


def _located(region: str) -> dict[str, Any]:
    """S3 wants to be told any region but us-east-1, which it wants not to be told."""
    if region == "us-east-1":
        return {}
    return {"CreateBucketConfiguration": {"LocationConstraint": region}}


class _ChangeSet:
    """One change set, from its creation to the end of its execution."""

    def __init__(
        self,
        cloudformation: Any,
        template: Template,
        stack_name: str,
        on_event: Callable[[StackEvent], None] | None,
    ) -> None:
        self._cloudformation = cloudformation
        self._template = template
        self._stack_name = stack_name
        self._on_event = on_event or (lambda _event: None)
        self._seen: set[str] = set()

    def create(self, body: dict[str, Any], values: Mapping[str, str], deadline: float) -> None:
        kind = self._kind(deadline)
        if kind == "UPDATE":
            self._seen = {event["EventId"] for event in self._events()}
        try:
            change_set = self._cloudformation.create_change_set(
                StackName=self._stack_name,
                ChangeSetName=f"clew-{uuid.uuid4().hex}",
                ChangeSetType=kind,
                TemplateBody=json.dumps(body),
                Parameters=[
                    {"ParameterKey": name, "ParameterValue": value}
                    for name, value in values.items()
                ],
                Capabilities=_CAPABILITIES,
            )["Id"]
        except ClientError as error:
            raise self._refused(error, body) from error
        except ResponseParserError as error:  # the emulator broke down over it
            raise self._template.error(
                f"CloudFormation does not accept it: {_one_sentence(str(error))}"
            ) from error
        if self._wait_created(change_set, deadline):
            self._cloudformation.execute_change_set(ChangeSetName=change_set)
            self._wait_executed(kind, deadline)

    def _kind(self, deadline: float) -> str:
        status = self._status()
        if status in _NEVER_CREATED:
            # CloudFormation refuses to update such a stack, and there is nothing in it to keep.
            self._cloudformation.delete_stack(StackName=self._stack_name)
            for _ in self._polls(deadline):
                status = self._status()
                if status in {None, "DELETE_COMPLETE"}:
                    break
        return "CREATE" if status in {None, "DELETE_COMPLETE", "REVIEW_IN_PROGRESS"} else "UPDATE"

    def _status(self) -> str | None:
        try:
            stacks = self._cloudformation.describe_stacks(StackName=self._stack_name)["Stacks"]
        except ClientError:
            return None  # there is no such stack
        status: str = stacks[0]["StackStatus"]
        return status

    def _wait_created(self, change_set: str, deadline: float) -> bool:
        """Whether there is something to execute."""
        for _ in self._polls(deadline):
            described = self._cloudformation.describe_change_set(ChangeSetName=change_set)
            reason = described.get("StatusReason", "")
            if described["Status"] == "CREATE_COMPLETE":
                return True
            if described["Status"] == "FAILED":
                if _NO_CHANGES in reason:
                    return False
                raise self._template.error(f"the change set failed: {_one_sentence(reason)}")
        raise self._too_late()

    def _wait_executed(self, kind: str, deadline: float) -> None:
        first_failure: StackEvent | None = None
        for _ in self._polls(deadline):
            status = self._cloudformation.describe_stacks(StackName=self._stack_name)["Stacks"][0]
            for event in self._new_events():
                self._on_event(event)
                failed = event.status.endswith("_FAILED") and _CANCELLED not in event.reason
                if failed and first_failure is None:
                    first_failure = event
            if status["StackStatus"] == f"{kind}_COMPLETE":
                return
            if not status["StackStatus"].endswith("_IN_PROGRESS"):
                raise self._failed(first_failure, status.get("StackStatusReason", ""))
        raise self._too_late()

    def _new_events(self) -> Iterator[StackEvent]:
        # Newest first, as on AWS.
        for event in reversed(self._events()):
            if event["EventId"] not in self._seen:
                self._seen.add(event["EventId"])
                yield StackEvent(
                    event["LogicalResourceId"],
                    event["ResourceType"],
                    event["ResourceStatus"],
                    event.get("ResourceStatusReason", ""),
                )

    def _events(self) -> list[dict[str, Any]]:
        pages = self._cloudformation.get_paginator("describe_stack_events")
        return [
            event
            for page in pages.paginate(StackName=self._stack_name)
            for event in page["StackEvents"]
        ]

    @staticmethod
    def _polls(deadline: float) -> Iterator[None]:
        while time.monotonic() < deadline:
            yield
            time.sleep(_POLL_S)

    def _too_late(self) -> LocalCloudError:
        return self._template.error(
            f"the stack {self._stack_name} was not finished in time; see its events, and the log."
        )

    def _failed(self, event: StackEvent | None, reason: str) -> LocalCloudError:
        if event is None or event.logical_id == self._stack_name:
            reason = event.reason if event else reason
            return self._template.error(f"the deployment failed: {_one_sentence(reason)}")
        return self._template.error(
            f"the resource {event.logical_id} ({event.resource_type}) failed: "
            f"{_one_sentence(event.reason)}"
        )

    def _refused(self, error: ClientError, body: Mapping[str, Any]) -> LocalCloudError:
        message = error.response["Error"]["Message"]
        if found := _UNSUPPORTED.search(message):
            types = {kind.strip() for kind in found["types"].split(",")}
            culprits = [
                f"{logical_id} ({resource['Type']})"
                for logical_id, resource in body["Resources"].items()
                if resource["Type"] in types
            ]
            return self._template.error(
                f"the local cloud has no such resource as {', '.join(culprits)}; give it a "
                "Condition that is false here, or deploy it on AWS only."
            )
        return self._template.error(f"CloudFormation does not accept it: {_one_sentence(message)}")


def _one_sentence(reason: str) -> str:
    if found := _QUOTED.search(reason):
        with contextlib.suppress(ValueError, AttributeError):
            answer = json.loads(found["json"])
            reason = answer.get("message") or answer.get("Message") or reason
    return f"{' '.join(reason.split()).rstrip('.') or 'no reason was given'}."

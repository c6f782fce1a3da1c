"""Makes what there is what a ``streams.yml`` says: change set, retentions, settings, in that order.

Nothing is called that changes anything before all has been checked; and each step can be taken
again, so that a run which was cut short is finished by the next one.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from clew.errors import ClewError
from clew.scaling.managed.desired import STREAM_TYPE
from clew.scaling.managed.desired_state import (
    NEVER_CREATED,
    asking,
    describe,
    stack_status,
    tools_of,
)
from clew.scaling.managed.desired_template import MAX_BODY, MAX_S3_BODY, body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from clew.scaling.managed.desired_prepare import Prepared
    from clew.scaling.managed.tools import Tools

_POLL_S = 0.5
_TIMEOUT_S = 1800.0
_SAME = ("didn't contain changes", "No updates are to be performed")
_CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Event:
    """One step of a stack, as CloudFormation tells it."""

    logical_id: str
    resource_type: str
    status: str
    reason: str = ""

    @property
    def failed(self) -> bool:
        """Whether it is a failure, and not one that another failure caused."""
        return self.status.endswith("_FAILED") and _CANCELLED not in self.reason.lower()


@dataclass(frozen=True, slots=True)
class StackChange:
    """One change of a change set."""

    action: str  # Add, Modify or Remove
    logical_id: str
    resource_type: str
    name: str  # what it is called outside of the stack
    replaces: bool = False


@dataclass(slots=True)
class ChangeSet:
    """A change set: :meth:`create` it, look at what it would do, :meth:`execute` it."""

    cloudformation: Any
    stack_name: str
    kind: str = ""
    id: str = ""
    changes: tuple[StackChange, ...] = ()
    _last_event: str = ""  # the latest that was told, or was there before

    def create(self, template: Mapping[str, Any], upload: Callable[[str], str] | None) -> bool:
        """Have it made; whether there is anything in it.

        ``upload`` puts a template that is too large for a request where CloudFormation can read
        it, and gives the URL.

        Raises:
            ClewError: CloudFormation does not take it, or it would touch a stream that there is.
        """
        with asking("cloudformation"):
            status = stack_status(self.cloudformation, self.stack_name)
            self._check_free(status)
            if status in NEVER_CREATED:
                self._clear()
                status = None
            new = status in {None, "DELETE_COMPLETE", "REVIEW_IN_PROGRESS"}
            self.kind = "CREATE" if new else "UPDATE"
            if status is not None:
                self._last_event = next((one["EventId"] for one in self._events()), "")
            self.id = self.cloudformation.create_change_set(
                StackName=self.stack_name,
                ChangeSetName=f"clew-{uuid.uuid4().hex}",
                ChangeSetType=self.kind,
                **_template_argument(body(template), upload),
            )["Id"]
            for _ in self._polls():
                described = self.cloudformation.describe_change_set(ChangeSetName=self.id)
                if described["Status"] == "CREATE_COMPLETE":
                    break
                if described["Status"] == "FAILED":
                    reason = described.get("StatusReason", "")
                    self.drop()
                    if any(said in reason for said in _SAME):
                        return False
                    raise ClewError(
                        f"CloudFormation does not take the change of {self.stack_name}: {reason}"
                    )
            self.changes = tuple(self._read_changes(template))
        self._check_streams()
        return bool(self.changes)

    def execute(self, on_event: Callable[[Event], None]) -> None:
        """Carry it out, telling of each step.

        Raises:
            ClewError: A step failed: the first that did, and why.
        """
        first: Event | None = None
        with asking("cloudformation"):
            self.cloudformation.execute_change_set(ChangeSetName=self.id)
            for _ in self._polls():
                status = stack_status(self.cloudformation, self.stack_name) or ""
                for event in self._new_events():
                    on_event(event)
                    if event.failed and first is None:
                        first = event
                if status == f"{self.kind}_COMPLETE":
                    return
                if status and not status.endswith("_IN_PROGRESS"):
                    break
        what = f"{first.logical_id} ({first.resource_type}): {first.reason}" if first else status
        raise ClewError(f"The stack {self.stack_name} {self._after(status)}. {what.rstrip('.')}.")

    def _after(self, status: str) -> str:
        if status.endswith("ROLLBACK_FAILED"):
            return "failed, and could not be rolled back either"
        if self.kind == "CREATE":
            return "was not created; a stream that it had made already stays, and is adopted next"
        return "failed, and is as it was before"

    def drop(self) -> None:
        """Let it go, and with it the empty stack that a first one makes."""
        try:
            self.cloudformation.delete_change_set(ChangeSetName=self.id)
            if stack_status(self.cloudformation, self.stack_name) == "REVIEW_IN_PROGRESS":
                self.cloudformation.delete_stack(StackName=self.stack_name)
        except ClientError:
            pass  # it is only clutter

    def _check_free(self, status: str | None) -> None:
        if (status or "").endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
            raise ClewError(
                f"The stack {self.stack_name} is being changed ({status}); wait until it is done."
            )

    def _clear(self) -> None:
        """Take a stack away that was never created; what it keeps is not touched by that."""
        self.cloudformation.delete_stack(StackName=self.stack_name)
        for _ in self._polls():
            if stack_status(self.cloudformation, self.stack_name) in (None, "DELETE_COMPLETE"):
                return

    def _check_streams(self) -> None:
        """No change set may change a stream that there is, whatever made it think so."""
        for change in self.changes:
            if change.resource_type == STREAM_TYPE and change.action not in ("Add", "Remove"):
                self.drop()
                raise ClewError(
                    f"The change set would {change.action.lower()} the stream {change.name}, which"
                    f" is never to happen; nothing was done. See what changed {self.stack_name}"
                    " besides clew."
                )

    def _read_changes(self, template: Mapping[str, Any]) -> Iterator[StackChange]:
        pages = self.cloudformation.get_paginator("describe_change_set")
        for page in pages.paginate(ChangeSetName=self.id):
            for one in page["Changes"]:
                change = one["ResourceChange"]
                resource = template["Resources"].get(change["LogicalResourceId"], {})
                properties = resource.get("Properties", {})
                yield StackChange(
                    change["Action"],
                    change["LogicalResourceId"],
                    change["ResourceType"],
                    change.get("PhysicalResourceId")
                    or properties.get("AlarmName")
                    or properties.get("Name")
                    or change["LogicalResourceId"],
                    change.get("Replacement") == "True",
                )

    def _new_events(self) -> Iterator[Event]:
        # Newest first, as they come; an old stack has thousands of them.
        new = list(takewhile(lambda one: one["EventId"] != self._last_event, self._events()))
        self._last_event = new[0]["EventId"] if new else self._last_event
        for event in reversed(new):
            yield Event(
                event["LogicalResourceId"],
                event["ResourceType"],
                event["ResourceStatus"],
                event.get("ResourceStatusReason", ""),
            )

    def _events(self) -> Iterator[dict[str, Any]]:
        pages = self.cloudformation.get_paginator("describe_stack_events")
        for page in pages.paginate(StackName=self.stack_name):
            yield from page["StackEvents"]

    def _polls(self) -> Iterator[None]:
        deadline = time.monotonic() + _TIMEOUT_S
        wait_s = 0.05
        while time.monotonic() < deadline:
            yield
            time.sleep(wait_s)
            wait_s = min(wait_s * 2, _POLL_S)
        raise ClewError(
            f"The stack {self.stack_name} is not done after half an hour; see its events, and apply"
            " again when it is."
        )


def set_retention(kinesis: Any, stream: str, now_h: float, wanted_h: float) -> None:
    """Keep a stream's records for longer or shorter."""
    longer = wanted_h > now_h
    call = "increase" if longer else "decrease"
    with asking("kinesis"):
        getattr(kinesis, f"{call}_stream_retention_period")(
            StreamName=stream, RetentionPeriodHours=int(wanted_h)
        )


def _template_argument(text: str, upload: Callable[[str], str] | None) -> dict[str, str]:
    size = len(text.encode())
    if size <= MAX_BODY:
        return {"TemplateBody": text}
    if size > MAX_S3_BODY:
        raise ClewError(
            f"The template is {size:,} bytes, and CloudFormation takes {MAX_S3_BODY:,}; put some of"
            " the streams into a file of their own."
        )
    if upload is None:
        raise ClewError(
            f"The template is {size:,} bytes, and in a request CloudFormation takes {MAX_BODY:,};"
            " name an S3 bucket of yours for it with --bucket."
        )
    return {"TemplateURL": upload(text)}


def carry_out(
    session: Any,
    found: Prepared,
    changes: ChangeSet | None,
    on_event: Callable[[Event], None] = lambda _event: None,
) -> None:
    """The change set, then retentions, then the settings, by which the functions go.

    Raises:
        ClewError: A step failed; what was done before it stays, and applying again goes on.
    """
    if changes is not None:
        changes.execute(on_event)
    tools = tools_of(session, found.table)
    for change in found.diff.changes:
        if change.retention is not None:
            _wait_active(tools, change.name)
            set_retention(tools.kinesis, change.name, *change.retention)
    store = tools.store
    settings = {one.name: one.settings for one in found.wanted}
    with asking("dynamodb"):
        for change in found.diff.changes:
            if change.kind == "forget":
                store.remove_settings(change.name)
            elif found.account.settings.get(change.name) != settings[change.name]:
                store.put_settings(settings[change.name])


def _wait_active(tools: Tools, stream: str) -> None:
    """Kinesis takes no other change of a stream while it is UPDATING."""
    deadline = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < deadline:
        found = describe(tools, stream)
        if found is None or found.status == "ACTIVE":
            return
        time.sleep(_POLL_S)
    raise ClewError(f"The stream {stream} has been changing for half an hour; apply again later.")

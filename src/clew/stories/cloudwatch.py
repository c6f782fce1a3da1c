"""Log lines from CloudWatch Logs, of AWS or of a local cloud."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from clew.stories.lines import RawLine
from clew.stories.source import unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

#: FilterLogEvents: "The maximum number of events to return. The default is 10,000 events."
_PAGE = 10_000

#: What Lambda calls the log group of a function, unless told otherwise.
_OF_LAMBDA = "/aws/lambda/"

#: What stands in a quoted term for itself alone, whoever reads the pattern.
_PLAIN = re.compile(r"[A-Za-z0-9_.:/=+@#, -]{1,256}", re.ASCII).fullmatch


def source_of(session: Any, prefix: str | None = None) -> CloudWatchSource:
    """The log lines of an AWS account, in the region of a boto3 session.

    Args:
        session: A boto3 session.
        prefix: What the names of the log groups to read begin with; of Lambda's own, if None.
    """
    region = session.region_name
    name = f"CloudWatch Logs in {region}" if region else "CloudWatch Logs"
    return CloudWatchSource(session.client("logs"), name, _OF_LAMBDA if prefix is None else prefix)


class CloudWatchSource:
    """Every log group whose name begins with ``prefix``.

    Args:
        logs: A boto3 client of CloudWatch Logs.
        where: What the log groups are of, for messages.
        prefix: ``/aws/lambda/`` where there are others that are too many to read.
    """

    def __init__(self, logs: Any, where: str = "CloudWatch Logs", prefix: str = "") -> None:
        self._logs = logs
        self._where = where
        self._prefix = prefix
        self._searched: int | None = None

    @property
    def hint(self) -> str:
        """What to try where nothing was found: "" if there were log groups to find it in."""
        if self._searched != 0 or not self._prefix:
            return ""
        return (
            f"no log group there has a name that begins with {self._prefix}; say how yours begin"
            " with --log-group"
        )

    @property
    def name(self) -> str:
        """How many log groups the last reading went through, and whose."""
        if self._searched is None:
            return self._where
        groups = "log group" if self._searched == 1 else "log groups"
        return f"{self._searched} {groups} of {self._where}"

    def lines(
        self, text: str | None, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[RawLine]:
        """The lines with ``text`` in them, as CloudWatch finds it, or all of them.

        A ``text`` that a filter pattern could take for more than text is not searched for: then
        all lines come.

        Raises:
            ClewError: CloudWatch Logs did not answer, or does not allow it.
        """
        request: dict[str, Any] = {"limit": _PAGE}
        if text is not None and _PLAIN(text):
            request["filterPattern"] = f'"{text}"'
        if since is not None:
            request["startTime"] = int(since.timestamp() * 1000)
        if until is not None:
            request["endTime"] = int(until.timestamp() * 1000)
        try:
            groups = self._groups()
            self._searched = len(groups)
            for group in groups:
                yield from self._lines_of(group, {**request, "logGroupName": group})
        except (BotoCoreError, ClientError) as error:
            raise unreadable(self._where, error) from error

    def _groups(self) -> list[str]:
        asked = {"logGroupNamePrefix": self._prefix} if self._prefix else {}
        pages = self._logs.get_paginator("describe_log_groups").paginate(**asked)
        return [group["logGroupName"] for page in pages for group in page["logGroups"]]

    def _lines_of(self, group: str, request: dict[str, Any]) -> Iterator[RawLine]:
        while True:
            try:
                page = self._logs.filter_log_events(**request)
            except self._logs.exceptions.ResourceNotFoundException:
                return  # deleted meanwhile
            events = page["events"]
            for event in events:
                yield RawLine(
                    event["timestamp"], group, event.get("logStreamName", ""), event["message"]
                )
            if "nextToken" in page:
                request["nextToken"] = page["nextToken"]
            elif len(events) < _PAGE:
                return
            else:
                # AWS gives a token with a full page; the emulator just stops there. Lines of the
                # last millisecond may come again, unless the whole page was of that one.
                last = events[-1]["timestamp"]
                request["startTime"] = last + (events[0]["timestamp"] == last)

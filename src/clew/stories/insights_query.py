"""One query of Logs Insights after the other, until all lines of a time are there."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from clew.errors import ClewError
from clew.stories.insights_plan import Job, Span, at_ms, query
from clew.stories.lines import RawLine

if TYPE_CHECKING:
    from clew.stories.insights_plan import Limits

_FIRST_POLL_S, _LAST_POLL_S = 0.1, 2.0
_ENDED = ("Complete", "Failed", "Cancelled", "Timeout", "Unknown")


class Stopped(Exception):  # noqa: N818 - no error: nobody waits for the answer any more
    """The question was given up."""


class Asking:
    """A question, asked of several log groups by several threads.

    Args:
        logs: A boto3 client of CloudWatch Logs.
        limits: What AWS allows.
        where: What the log groups are of, for messages.
        regex: What lines have to match; "" for all.
        stop: Set when nobody waits any more.
        newest: Whether the newest lines are enough, as many as one query returns.
    """

    def __init__(
        self,
        logs: Any,
        limits: Limits,
        where: str,
        regex: str,
        stop: threading.Event,
        *,
        newest: bool = False,
    ) -> None:
        self._logs = logs
        self._limits = limits
        self._where = where
        self._regex = regex
        self._stop = stop
        self._newest = newest
        self._lock = threading.Lock()
        self.bytes = 0
        self.notes: list[str] = []

    def answer(self, job: Job) -> tuple[list[RawLine], bool]:
        """The lines of a job, and whether these are all.

        Where there are more than a query returns, the next one goes on.
        """
        found: dict[str, RawLine] = {}
        names = [group.name for group in job.groups]
        span, after_ms = job.span, None
        while names:
            try:
                rows = self._one(names, span, after_ms)
            except self._logs.exceptions.ResourceNotFoundException:
                names = self._still_there(names)
                continue
            lines = [(row.get("@ptr") or str(row), _line(row)) for row in rows]
            new = sum(ptr not in found for ptr, _ in lines)
            found.update(lines)
            if len(rows) < self._limits.results:
                break
            if self._newest:
                return list(found.values()), False
            last_ms = max(line.at_ms for _, line in lines)
            if not new:
                # Finer than a millisecond no time can be given: some lines of this one stay out.
                with self._lock:
                    self.notes.append(
                        f"More than {self._limits.results:,} lines are of one millisecond; some of"
                        " them are left out."
                    )
                last_ms += 1
            after_ms = last_ms
            span = Span(max(span.start_s, last_ms // 1000), span.end_s)
            if span.start_s > span.end_s:
                break
        return list(found.values()), True

    def _still_there(self, names: list[str]) -> list[str]:
        """Without the log groups that were deleted since they were listed."""
        left = [name for name in names if self._exists(name)]
        with self._lock:
            gone = [name for name in names if name not in left]
            self.notes += [f"The log group {name} was deleted meanwhile." for name in gone]
        if len(left) == len(names):
            raise ClewError(
                f"{self._where} says that a log group is not there, and lists it; try again."
            )
        return left

    def _exists(self, name: str) -> bool:
        asked = self._logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
        return any(one["logGroupName"] == name for page in asked for one in page["logGroups"])

    def _one(self, names: list[str], span: Span, after_ms: int | None) -> list[dict[str, str]]:
        started = time.monotonic()
        number = self._start(names, span, after_ms, started)
        poll_s, told = _FIRST_POLL_S, 0.0
        ended = False
        try:
            while True:
                answer = self._logs.get_query_results(queryId=number)
                read = answer.get("statistics", {}).get("bytesScanned", 0.0)
                with self._lock:
                    self.bytes += int(read - told)
                told = read
                if answer["status"] in _ENDED:
                    ended = True
                    break
                if self._stop.wait(poll_s):
                    raise Stopped
                poll_s = min(poll_s * 1.5, _LAST_POLL_S)
                if time.monotonic() - started > self._limits.timeout_s:
                    raise self._timed_out(self._limits.timeout_s / 60, span)
        finally:
            if not ended:
                with contextlib.suppress(BotoCoreError, ClientError):
                    self._logs.stop_query(queryId=number)
        if answer["status"] == "Timeout":
            raise self._timed_out(60, span)  # StartQuery: "Queries time out after 60 minutes"
        if answer["status"] != "Complete":
            raise ClewError(
                f"{self._where} ended the query as {answer['status']}; try again, or make --since"
                " shorter."
            )
        return [{one["field"]: one.get("value", "") for one in row} for row in answer["results"]]

    def _start(self, names: list[str], span: Span, after_ms: int | None, started: float) -> str:
        wait_s = _FIRST_POLL_S
        while True:
            if self._stop.is_set():
                raise Stopped
            try:
                answer: dict[str, str] = self._logs.start_query(
                    logGroupNames=names,
                    startTime=span.start_s,
                    endTime=span.end_s,
                    queryString=query(
                        self._regex, self._limits.results, after_ms, newest=self._newest
                    ),
                    limit=self._limits.results,
                )
                return answer["queryId"]
            except self._logs.exceptions.LimitExceededException as error:
                # Others ask too; the account has so many queries at once.
                if time.monotonic() - started > self._limits.timeout_s:
                    raise ClewError(
                        f"{self._where} runs as many queries as it may, and has done so for"
                        f" {self._limits.timeout_s / 60:.0f} minutes; try again later."
                    ) from error
            self._stop.wait(wait_s)
            wait_s = min(wait_s * 2, _LAST_POLL_S)

    def _timed_out(self, minutes: float, span: Span) -> ClewError:
        hours = (span.end_s - span.start_s) / 3600
        return ClewError(
            f"A query of {self._where} over {hours:,.1f} hours did not end within"
            f" {minutes:,.0f} minutes; make --since shorter, or name fewer log groups with"
            " --log-group."
        )


def _line(row: dict[str, str]) -> RawLine:
    # On AWS, @log has the account's number before the name.
    account, colon, name = row.get("@log", "").partition(":")
    group = name if colon and account.isdigit() else row.get("@log", "")
    return RawLine(
        at_ms(row["@timestamp"]), group, row.get("@logStream", ""), row.get("@message", "")
    )

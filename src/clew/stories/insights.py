"""Log lines from CloudWatch Logs Insights: quick where there is much, billed by what it reads."""

from __future__ import annotations

import contextlib
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from clew.errors import ClewError
from clew.stories.insights_plan import (
    Covered,
    Group,
    Job,
    Limits,
    Plan,
    Span,
    pattern,
    plan,
    word_pattern,
)
from clew.stories.insights_query import Asking, Stopped
from clew.stories.source import unreadable
from clew.stories.store.errors import StoreBusyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from clew.stories.insights_cache import Cache
    from clew.stories.lines import RawLine


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a question is."""

    queries: int
    done: int
    bytes: int  # read so far
    lines: int


class InsightsSource:
    """Every log group whose name begins with ``prefix``, through Logs Insights.

    Args:
        logs: A boto3 client of CloudWatch Logs.
        where: What the log groups are of, for messages.
        prefix: What the names of the log groups begin with.
        agree: Told what a question is expected to read, before it does; whether to go on.
        progress: Told how far it is. From one thread at a time.
        cache: The folder of the answers; None to keep none.
        limits: What AWS allows.
    """

    finds_beginnings = True

    def __init__(
        self,
        logs: Any,
        where: str,
        prefix: str = "",
        *,
        agree: Callable[[Plan], bool] = lambda _plan: True,
        progress: Callable[[Progress], object] = lambda _progress: None,
        cache: Path | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._logs = logs
        self._where = where
        self._prefix = prefix
        self._agree = agree
        self._progress = progress
        self._folder = cache
        self._limits = limits or Limits()
        self._searched: int | None = None
        #: Read so far, by all questions; what is billed.
        self.bytes_read = 0
        #: Questions that were asked, and those that needed no asking.
        self.asked = self.known = 0
        #: What a person should know of the answers.
        self.notes: list[str] = []

    @property
    def name(self) -> str:
        """How many log groups the last reading went through, and whose."""
        if self._searched is None:
            return f"Logs Insights of {self._where}"
        groups = "log group" if self._searched == 1 else "log groups"
        return f"{self._searched} {groups} of {self._where} (Logs Insights)"

    @property
    def hint(self) -> str:
        """What to try where nothing was found."""
        if self._searched == 0 and self._prefix:
            return (
                f"no log group there has a name that begins with {self._prefix}; say how yours"
                " begin with --log-group"
            )
        return "look further back with --since; lines come some seconds late"

    def lines(
        self, text: str | None, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[RawLine]:
        """The lines with ``text`` in them; the beginning of an id is found as well.

        Raises:
            ClewError: AWS did not answer, does not allow it, or nobody agreed to what it costs.
        """
        yield from self._read(pattern([] if text is None else [text], any_case=False), since, until)

    def any_of(
        self, texts: Sequence[str], since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[RawLine]:
        """The lines with any of the texts in them, in whatever letter case, by one question."""
        yield from self._read(pattern(texts, any_case=True), since, until)

    def newest(
        self, word: str, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[RawLine]:
        """The newest lines with a word in them (``*`` at its end: that begin so), in any case.

        So many as one query returns, of each 50 log groups.
        """
        yield from self._read(word_pattern(word), since, until, newest=True)

    def _read(
        self,
        regex: str,
        since: datetime | None,
        until: datetime | None,
        *,
        newest: bool = False,
    ) -> Iterator[RawLine]:
        now_s = int(time.time())
        try:
            groups = self._groups()
        except (BotoCoreError, ClientError) as error:
            raise unreadable(self._where, error) from error
        self._searched = len(groups)
        if not groups:
            return
        first_s = min(group.created_ms for group in groups) // 1000
        start = first_s if since is None else int(since.timestamp())
        end = now_s if until is None else min(int(until.timestamp()), now_s)
        span = Span(start, max(end, start))
        with contextlib.ExitStack() as stack:
            cache = self._cache(groups[0].arn)
            if cache is not None:
                stack.enter_context(cache)
            known = {group.arn: cache.known(group.arn, regex) for group in groups} if cache else {}
            planned = plan(groups, span, now_s, known, self._limits)
            found: list[RawLine] = []
            if planned.jobs:
                found = self._asked(planned, regex, cache, now_s, newest=newest)
            else:
                self.known += 1
            if cache is not None:
                names = [group.name for group in groups]
                found = list(dict.fromkeys((*found, *cache.lines(names, regex, span))))
        yield from found

    def _cache(self, arn: str) -> Cache | None:
        if self._folder is None:
            return None
        from clew.stories.insights_cache import Cache

        try:
            return Cache.of(self._folder, arn)
        except StoreBusyError:
            self.notes.append("Another clew uses the cache of answers, so this one is not kept.")
            return None

    def _groups(self) -> list[Group]:
        asked = {"logGroupNamePrefix": self._prefix} if self._prefix else {}
        pages = self._logs.get_paginator("describe_log_groups").paginate(**asked)
        return [
            Group(
                one["logGroupName"],
                one.get("arn", one["logGroupName"]),
                one.get("creationTime", 0),
                one.get("storedBytes", 0),
                one.get("retentionInDays"),
                one.get("logGroupClass", "STANDARD"),
            )
            for page in pages
            for one in page["logGroups"]
            if one.get("logGroupClass") != "DELIVERY"  # which cannot be queried
        ]

    def _asked(
        self, planned: Plan, regex: str, cache: Cache | None, asked_s: int, *, newest: bool
    ) -> list[RawLine]:
        if not self._agree(planned):
            raise ClewError(
                "Nothing was asked of Logs Insights; make --since shorter or name fewer log"
                " groups with --log-group, or say --yes."
            )
        lines: list[RawLine] = []
        stop = threading.Event()
        self.asked += 1
        asking = Asking(self._logs, self._limits, self._where, regex, stop, newest=newest)
        done = 0
        pool = ThreadPoolExecutor(self._limits.at_once, "clew-insights")
        try:
            running = {pool.submit(asking.answer, job): job for job in planned.jobs}
            while running:
                ended, _ = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
                for one in ended:
                    job = running.pop(one)
                    answer, complete = one.result()
                    lines += answer
                    done += 1
                    if cache is not None and complete:
                        self._keep(cache, job, regex, answer, asked_s)
                self._progress(Progress(len(planned.jobs), done, asking.bytes, len(lines)))
        except (BotoCoreError, ClientError) as error:
            raise unreadable(self._where, error) from error
        except Stopped:
            raise ClewError(f"{self._where} was not asked to the end.") from None
        finally:
            # Whatever ended it, no query goes on that nobody waits for.
            stop.set()
            pool.shutdown(cancel_futures=True)
            self.bytes_read += asking.bytes
            self.notes += asking.notes
        return lines

    def _keep(
        self, cache: Cache, job: Job, regex: str, answer: list[RawLine], asked_s: int
    ) -> None:
        arns = [group.arn for group in job.groups]
        cache.add(answer, arns, regex, Covered(job.span, asked_s))

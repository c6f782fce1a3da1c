"""Looks at log groups and subscribes them. A thin shell around `clew.shipping.subscriptions`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import shuffle
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from clew.shipping.errors import ShippingError
from clew.shipping.lines import OF_LAMBDA
from clew.shipping.subscriptions import Decision, Filter, Group, Wanted, back_from, decide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: A sweep stops with so much time left; the next one goes on.
_LEAST_S = 2.0


class Logs:
    """Log groups, through a boto3 client of CloudWatch Logs."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def groups(self, prefix: str = "") -> Iterator[Group]:
        """The groups whose names begin with ``prefix``, without their filters."""
        asked = {"logGroupNamePrefix": prefix} if prefix else {}
        for page in self._client.get_paginator("describe_log_groups").paginate(**asked):
            for one in page["logGroups"]:
                yield Group(
                    one["logGroupName"],
                    (),
                    one.get("retentionInDays"),
                    int(one.get("storedBytes", 0)),
                    one.get("logGroupClass", "STANDARD"),
                )

    def group(self, name: str) -> Group | None:
        """One group, without its filters."""
        return next((one for one in self.groups(name) if one.name == name), None)

    def filters(self, group: str) -> tuple[Filter, ...]:
        """The subscription filters of a group; none if it is gone."""
        try:
            found = self._client.describe_subscription_filters(logGroupName=group)
        except self._client.exceptions.ResourceNotFoundException:
            return ()
        return tuple(
            Filter(one["filterName"], one["destinationArn"], one.get("filterPattern", ""))
            for one in found["subscriptionFilters"]
        )

    def subscribe(self, group: str, wanted: Wanted) -> None:
        """Set clew's filter."""
        self._client.put_subscription_filter(
            logGroupName=group,
            filterName=wanted.filter_name,
            filterPattern=wanted.pattern,
            destinationArn=wanted.function,
        )

    def unsubscribe(self, group: str, filter_name: str) -> None:
        """Take a filter away."""
        self._client.delete_subscription_filter(logGroupName=group, filterName=filter_name)

    def retain(self, group: str, days: int) -> None:
        """Set how long lines are kept."""
        self._client.put_retention_policy(logGroupName=group, retentionInDays=days)


@dataclass(slots=True)
class Covered:
    """What came of a look at log groups."""

    decisions: list[Decision] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    #: Whether there was no time for all.
    cut: bool = False

    @property
    def counts(self) -> dict[str, Any]:
        """How many groups there are of each kind."""
        found: dict[str, Any] = {"groups": len(self.decisions), "failed": len(self.failed)}
        for one in self.decisions:
            found[one.action] = found.get(one.action, 0) + 1
        found["retentionSet"] = sum(one.retention_days is not None for one in self.decisions)
        if self.cut:
            found["cut"] = True
        return found

    def told(self) -> list[dict[str, Any]]:
        """What a reader of the log wants to know: what was changed, and what was refused."""
        return [
            {
                "logGroup": one.group.name,
                "action": one.action,
                "why": one.why,
                "retentionDays": one.retention_days,
            }
            for one in self.decisions
            if one.changes or one.action == "refuse"
        ]


def look(
    logs: Logs, wanted: Wanted, only: str | None = None, *, in_any_order: bool = False
) -> Iterator[Decision]:
    """What is to be done with each group, or with ``only`` one. Changes nothing."""
    own = (f"{OF_LAMBDA}{wanted.function_name}", *wanted.own_groups)
    known_own = {one for group in own for one in back_from(logs.filters(group))}
    wanted = replace(wanted, back_from=tuple(known_own - {wanted.function_name}))
    found = list(logs.groups()) if only is None else [logs.group(only)]
    if in_any_order:
        shuffle(found)
    for group in found:
        if group is None:
            continue
        known = Group(
            group.name,
            logs.filters(group.name) if wanted.matches(group.name) else (),
            group.retention_days,
            group.stored_bytes,
            group.log_class,
        )
        yield decide(known, wanted)


def cover(
    logs: Logs,
    wanted: Wanted,
    *,
    only: str | None = None,
    left_s: Callable[[], float] = lambda: float("inf"),
    in_any_order: bool = False,
) -> Covered:
    """Subscribe the groups that are meant and are not, and set retentions where there is none.

    A group that fails does not keep the others waiting. Filters of others are never touched.

    Args:
        logs: The log groups.
        wanted: Which ones, and how.
        only: This one alone.
        left_s: How many seconds are left.
        in_any_order: So that, of more groups than there is time for, others come first next time.

    Raises:
        ShippingError: The groups cannot be listed.
    """
    done = Covered()
    try:
        for decision in look(logs, wanted, only, in_any_order=in_any_order):
            done.decisions.append(decision)
            _apply(logs, wanted, decision, done.failed)
            if left_s() < _LEAST_S:
                done.cut = True
                break
    except (BotoCoreError, ClientError) as error:
        raise ShippingError(f"The log groups cannot be read: {error}") from error
    return done


def _apply(logs: Logs, wanted: Wanted, decision: Decision, failed: list[str]) -> None:
    name = decision.group.name
    try:
        if decision.action in ("subscribe", "update"):
            logs.subscribe(name, wanted)
        if decision.retention_days is not None:
            logs.retain(name, decision.retention_days)
    except (BotoCoreError, ClientError) as error:
        failed.append(f"{name}: {error}")

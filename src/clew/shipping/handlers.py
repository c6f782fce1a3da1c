"""The two functions: one that ships, and one that subscribes log groups to it.

In Lambda: ``clew.shipping.handlers.ship`` and ``clew.shipping.handlers.subscribe``. What they read
from the environment is in docs/reference/shipping.md.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

# What is shipped leaves as it came: no context goes into it, and no id of ours along with it.
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:  # and not where somebody merely imports this
    os.environ.setdefault("CLEW_FORWARD", "off")

import clew
from clew.handlers.run import prepare, run
from clew.shipping.errors import ShippingError
from clew.shipping.function import Package, Shipped, answer, own_groups_of, packages_of
from clew.shipping.function import ship as ship_packages

if TYPE_CHECKING:
    from clew.shipping.settings import Settings
    from clew.shipping.sinks import Sink
    from clew.streams.policy import DeadLetter

_log = clew.get_logger("clew.shipping")
prepare()


def ship(event: Any, context: Any) -> Any:
    """Ship the log lines in an event of a subscription, or of Kinesis or Firehose behind one.

    The invocation is in stories like any other, by itself: the ids in the lines that it ships are
    those of other requests, and it takes part in none of them.
    """
    kind, packages = packages_of(event)
    # Of the event the log gets this much, if shipping fails: what is in the lines stays there.
    told = {"ships": kind, "batches": len(packages), "characters": _size(packages)}
    return run(told, context, lambda _delivery: _ship(kind, packages, context))


def _ship(kind: str, packages: list[Package], context: Any) -> Any:
    from clew.streams.deadline import Deadline, remaining_s

    settings, sink, policy = _tools()
    deadline = Deadline(remaining_s(context), _letter_s(policy))
    own = own_groups_of(os.environ)
    done = ship_packages(packages, sink, own_groups=own, policy=policy, left_s=deadline.left_s)
    if done.own_filters:
        _leave_own(done)
    if done.failed:
        _log.error("logs were not shipped", extra={**done.facts(), "why": done.why})
    elif done.dead_letters:
        _log.warning("logs were refused", extra={**done.facts(), "to": settings.address.shown})
    return answer(kind, packages, done)


@cache
def _tools() -> tuple[Settings, Sink, DeadLetter | None]:
    """The sink of this process; what cannot be used fails each invocation, not the first only."""
    from clew.shipping.settings import read_settings, secret_of
    from clew.shipping.sinks import open_sink
    from clew.streams.policy import DeadLetter, dead_letter

    def fetch(arn: str) -> str:
        from clew.shipping.sinks.aws import client

        return secret_of(client("secretsmanager", ""), arn)

    settings = read_settings(os.environ, fetch)
    policy = dead_letter(settings.dead_letter) if settings.dead_letter else None
    assert policy is None or isinstance(policy, DeadLetter)  # noqa: S101
    return settings, open_sink(settings.address), policy


def _letter_s(policy: DeadLetter | None) -> float:
    from clew.streams.outbox import slowest_s

    return slowest_s(policy) if policy is not None else 0.0


def _size(packages: list[Package]) -> int:
    return sum(len(one.data) for one in packages)


def _leave_own(done: Shipped) -> None:
    """Take away the filters that deliver this function's own log to itself.

    Each invocation writes lines, whatever it does with those that came, and they would bring the
    next one: no lines of it are shipped, but that does not end it.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    from clew.shipping.sinks.aws import client

    logs = client("logs", "")
    for group, name in sorted(done.own_filters):
        told = {"logGroup": group, "filter": name}
        try:
            logs.delete_subscription_filter(logGroupName=group, filterName=name)
        except (BotoCoreError, ClientError) as error:
            _log.error(
                "this function's own log is subscribed to it, which goes round for ever",
                extra={**told, "why": f"the filter could not be deleted: {error}"},
            )
        else:
            _log.error("a filter that shipped this function's own log was deleted", extra=told)


@clew.handler
def subscribe(event: Any, context: Any) -> dict[str, Any]:
    """Subscribe log groups: the new one that an event tells of, or else all there are."""
    from clew.shipping.subscribing import Logs, cover
    from clew.shipping.subscriptions import created_group, read_wanted
    from clew.streams.deadline import Deadline, remaining_s

    wanted = read_wanted(os.environ)
    only = created_group(event)
    if only == "":
        return {"outcome": "ignored", "why": "The event tells of no log group that was made."}
    deadline = Deadline(remaining_s(context))
    done = cover(Logs(_logs()), wanted, only=only, left_s=deadline.left_s, in_any_order=True)
    for one in done.told():
        _log.info("log group", extra=one)
    _log.info("log groups were looked at", extra=done.counts)
    if done.failed:
        raise ShippingError(
            f"{len(done.failed)} log groups could not be subscribed; {done.failed[0]}"
        )
    return done.counts


@cache
def _logs() -> Any:
    import boto3
    from botocore.config import Config

    make: Any = boto3.session.Session().client
    # DescribeSubscriptionFilters takes 5 calls a second, and a sweep makes one for each group.
    config = Config(retries={"total_max_attempts": 10, "mode": "adaptive"})
    return make("logs", config=config)

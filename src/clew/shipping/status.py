"""Which log groups are shipped, and what they cost. A thin shell, and what it tells is pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from clew.shipping.errors import ShippingError
from clew.shipping.lines import OF_LAMBDA
from clew.shipping.prices import READ_ON, SOURCE, Prices
from clew.shipping.subscribing import Logs, look
from clew.shipping.subscriptions import Decision, Wanted, is_same

if TYPE_CHECKING:
    from collections.abc import Iterable


def function_of(lambda_: Any, name: str) -> tuple[str, tuple[str, ...]]:
    """The ARN of the shipping function, without its version, and its own log group.

    Raises:
        ShippingError: There is none of that name.
    """
    try:
        found = lambda_.get_function_configuration(FunctionName=name)
    except lambda_.exceptions.ResourceNotFoundException:
        raise ShippingError(
            f"There is no function {name} here; deploy what `clew logs template` writes, or name"
            " another with --function."
        ) from None
    except (BotoCoreError, ClientError) as error:
        raise ShippingError(f"The function {name} cannot be looked at: {error}") from error
    arn = ":".join(found["FunctionArn"].split(":")[:7])
    own = found.get("LoggingConfig", {}).get("LogGroup")
    return arn, (own,) if own else ()


def decisions(logs: Any, wanted: Wanted) -> list[Decision]:
    """Every group that the patterns mean, and what would be done with it.

    Raises:
        ShippingError: CloudWatch Logs does not answer.
    """
    try:
        return [one for one in look(Logs(logs), wanted) if wanted.matches(one.group.name)]
    except (BotoCoreError, ClientError) as error:
        raise ShippingError(f"The log groups cannot be read: {error}") from error


def facts(decision: Decision, wanted: Wanted, prices: Prices) -> dict[str, Any]:
    """A group as JSON tells it."""
    group = decision.group
    ours = [one for one in group.filters if is_same(one.destination, wanted.function)]
    return {
        "group": group.name,
        "covered": bool(ours),
        "filters": [
            {
                "name": one.name,
                "destination": one.destination,
                "pattern": one.pattern,
                "ours": one in ours,
            }
            for one in group.filters
        ],
        "action": decision.action,
        "why": decision.why,
        "retentionDays": group.retention_days,
        "storedBytes": group.stored_bytes,
        "keepingPerMonth": round(prices.keeping(group.stored_bytes), 6),
    }


def price_facts(prices: Prices) -> dict[str, Any]:
    """What the prices are, whence and from when."""
    return {
        "ingestedPerGB": prices.ingested,
        "storedPerGBMonth": prices.stored_month,
        "currency": "USD",
        "source": SOURCE,
        "readOn": READ_ON.isoformat(),
    }


def unsubscribe(logs: Any, wanted: Wanted, chosen: Iterable[Decision]) -> list[str]:
    """Take the filters that lead to the shipping function from these groups; why some failed."""
    failed = []
    for decision in chosen:
        for one in ours_of(decision, wanted):
            try:
                Logs(logs).unsubscribe(decision.group.name, one)
            except (BotoCoreError, ClientError) as error:
                failed.append(f"{decision.group.name}: {error}")
    return failed


def ours_of(decision: Decision, wanted: Wanted) -> list[str]:
    """The names of a group's filters that lead to the shipping function."""
    found = decision.group.filters
    return [one.name for one in found if is_same(one.destination, wanted.function)]


def meant(wanted: Wanted, patterns: tuple[str, ...]) -> Wanted:
    """With a person's patterns, if there are any: a name alone is that of a function's log."""
    if not patterns:
        return wanted
    whole = [one if one.startswith("/") else f"{OF_LAMBDA}{one}" for one in patterns]
    return replace(wanted, include=(*dict.fromkeys((*patterns, *whole)),))

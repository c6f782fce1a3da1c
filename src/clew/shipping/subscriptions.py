"""Which log groups are subscribed to the shipping function, and what is to be done. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from clew.shipping.errors import ShippingError
from clew.shipping.lines import OF_LAMBDA

if TYPE_CHECKING:
    from collections.abc import Mapping

#: CloudWatch Logs quotas: "Subscription filters: 2 per log group".
MAX_FILTERS = 2
#: The name of clew's own filter, unless told otherwise.
FILTER_NAME = "clew"
#: What PutRetentionPolicy takes.
RETENTIONS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
)  # fmt: skip

FUNCTION, INCLUDE, EXCLUDE = "CLEW_SHIP_FUNCTION", "CLEW_SHIP_INCLUDE", "CLEW_SHIP_EXCLUDE"
RETENTION, PATTERN, NAME = "CLEW_SHIP_RETENTION", "CLEW_SHIP_PATTERN", "CLEW_SHIP_FILTER"


@dataclass(frozen=True, slots=True)
class Filter:
    """A subscription filter."""

    name: str
    destination: str  # an ARN
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A log group as it is."""

    name: str
    filters: tuple[Filter, ...] = ()
    retention_days: int | None = None  # None: for ever
    stored_bytes: int = 0
    log_class: str = "STANDARD"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be subscribed, and how."""

    #: The ARN of the shipping function.
    function: str
    include: tuple[str, ...] = (f"{OF_LAMBDA}*",)
    exclude: tuple[str, ...] = ()
    #: Days, for groups that keep lines for ever; None leaves them so.
    retention_days: int | None = None
    #: Of CloudWatch's; "" is every line.
    pattern: str = ""
    filter_name: str = FILTER_NAME
    #: Log groups of the shipping function besides the one that Lambda gives it.
    own_groups: tuple[str, ...] = ()
    #: Functions that the shipping function's own log is shipped to, by another such function say.
    back_from: tuple[str, ...] = ()

    @property
    def function_name(self) -> str:
        """Its name alone."""
        return self.function.rpartition(":function:")[2].partition(":")[0]

    def is_own(self, group: str) -> bool:
        """Whether it is a log group of the shipping function, which would go round for ever."""
        return group == f"{OF_LAMBDA}{self.function_name}" or group in self.own_groups

    def matches(self, group: str) -> bool:
        """Whether the patterns mean it."""
        return any(fnmatchcase(group, one) for one in self.include) and not any(
            fnmatchcase(group, one) for one in self.exclude
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done with a group."""

    group: Group
    #: ``subscribe``, ``update`` (the pattern), ``covered``, ``leave`` (not meant), ``refuse``.
    action: str
    why: str = ""
    #: The days to set, if any.
    retention_days: int | None = None

    @property
    def changes(self) -> bool:
        """Whether there is something to do."""
        return self.action in ("subscribe", "update") or self.retention_days is not None


def decide(group: Group, wanted: Wanted) -> Decision:
    """What is to be done with a group, so that it is subscribed if it should be."""
    round_ = _round(group.name, wanted)
    if not wanted.matches(group.name):
        # Said also where no pattern means it: somebody may have subscribed it by hand.
        return Decision(group, "refuse" if round_ else "leave", round_ or "no pattern means it")
    retention = wanted.retention_days if group.retention_days is None else None
    action, why = ("refuse", round_) if round_ else _subscription(group, wanted)
    return Decision(group, action, why, retention)


def _round(name: str, wanted: Wanted) -> str:
    """Why shipping a group would bring invocations without end; "" where it does not."""
    if wanted.is_own(name):
        return "it is the shipping function's own log, which would go round for ever"
    function = name.removeprefix(OF_LAMBDA)
    if function in wanted.back_from:
        return f"{function} is told of the shipping function's log, which would go to and fro"
    return ""


def back_from(own_filters: tuple[Filter, ...]) -> tuple[str, ...]:
    """The functions that the filters of the shipping function's own log lead to."""
    parts = [one.destination.split(":") for one in own_filters]
    return tuple(one[6] for one in parts if len(one) >= 7 and one[2] == "lambda")


def _subscription(group: Group, wanted: Wanted) -> tuple[str, str]:
    ours = [one for one in group.filters if is_same(one.destination, wanted.function)]
    named = next((one for one in group.filters if one.name == wanted.filter_name), None)
    if named is not None and named in ours and named.pattern != wanted.pattern:
        return "update", "its pattern is another one"
    if ours:
        return "covered", f"by the filter {ours[0].name}"
    if named is not None:
        return "refuse", f"a filter {named.name} leads elsewhere, and is not ours to change"
    if group.log_class != "STANDARD":
        return "refuse", f"its class {group.log_class} has no subscriptions"
    if len(group.filters) >= MAX_FILTERS:
        names = ", ".join(one.name for one in group.filters)
        return "refuse", f"it has {MAX_FILTERS} filters already ({names}), as many as there may be"
    return "subscribe", ""


def is_same(destination: str, function: str) -> bool:
    """Whether a filter's destination is this function, whichever version of it."""
    if destination == function:
        return True
    one, other = destination.split(":"), function.split(":")
    return len(one) >= 7 and one[2] == "lambda" and one[:7] == other[:7]


def created_group(event: Any) -> str | None:
    """The group that an event of CloudTrail's says was made; "" if it tells of another call.

    None if it is no event of CloudTrail's at all: a schedule, or a person.
    """
    if not isinstance(event, dict) or event.get("detail-type") != "AWS API Call via CloudTrail":
        return None
    detail = event.get("detail")
    detail = detail if isinstance(detail, dict) else {}
    asked = detail.get("requestParameters")
    name = asked.get("logGroupName") if isinstance(asked, dict) else None
    made = detail.get("eventName") == "CreateLogGroup" and not detail.get("errorCode")
    return name if made and isinstance(name, str) else ""


def read_wanted(environment: Mapping[str, str]) -> Wanted:
    """What is wanted, from the environment of the function that subscribes.

    Raises:
        ShippingError: It does not say enough.
    """
    function = environment.get(FUNCTION, "").strip()
    if ":function:" not in function:
        raise ShippingError(f"{FUNCTION} has to be the ARN of the shipping function.")
    return Wanted(
        function,
        patterns(environment.get(INCLUDE, "")) or (f"{OF_LAMBDA}*",),
        patterns(environment.get(EXCLUDE, "")),
        retention_of(environment.get(RETENTION, "")),
        environment.get(PATTERN, "").strip(),
        environment.get(NAME, "").strip() or FILTER_NAME,
    )


def patterns(written: str) -> tuple[str, ...]:
    """Patterns that are separated by commas."""
    return tuple(one.strip() for one in written.split(",") if one.strip())


def retention_of(written: str) -> int | None:
    """A number of days that CloudWatch Logs takes; None for "" and 0.

    Raises:
        ShippingError: It is another one.
    """
    text = written.strip()
    if text in ("", "0"):
        return None
    if not (text.isascii() and text.isdecimal()) or int(text) not in RETENTIONS:
        days = ", ".join(map(str, RETENTIONS))
        raise ShippingError(f"A retention has to be one of {days} days, not {text[:20]!r}.")
    return int(text)

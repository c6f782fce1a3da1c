"""One action at a time on each stream: a lock with an expiry, a fencing number and a cool-down.

All of it is one item, changed by conditional writes only. Whoever takes it gets a number higher
than anybody before; a holder whose number is not the item's any more has lost it, and stops.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clew.scaling.managed.store import lock_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.scaling.managed.store import Store

#: How long a lock stands without being renewed, and how far two clocks may be apart.
LEASE_S, GRACE_S = 90.0, 30.0
#: How many alarms are remembered, so that none is answered twice.
_REMEMBERED = 40


@dataclass(frozen=True, slots=True)
class Held:
    """The lock in hand, and what its item knew."""

    stream: str
    owner: str
    fence: int
    last_up_s: float
    last_down_s: float
    cool_until_s: float


@dataclass(frozen=True, slots=True)
class Busy:
    """Why it was not to be had: ``"held"``, ``"cooling"`` or ``"repeated"``."""

    reason: str
    until_s: float = 0.0


class LostError(Exception):
    """The lock is another's now: whatever was to be done next is not to be done."""


class Lock:
    """The locks of all streams. ``clock`` gives seconds since the epoch."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], float],
        *,
        lease_s: float = LEASE_S,
        grace_s: float = GRACE_S,
    ) -> None:
        self._store, self._clock = store, clock
        self._lease_s, self._grace_s = lease_s, grace_s

    def take(
        self, stream: str, owner: str, *, ended: str = "", event: str = "", cooled: bool = True
    ) -> Held | Busy:
        """Take it if it is free, or its holder has let it expire, or was this owner.

        ``owner`` is the id of the invocation: Lambda tries one that died again under the same id.
        ``ended`` is an owner that is known to be dead: the first to come takes it over.
        ``event`` names an alarm that is answered once only; ``cooled`` says that the last action
        has to be some time ago.
        """
        now = self._clock()
        free = "(attribute_not_exists(#owner) OR #until < :gone OR #owner IN (:owner, :ended))"
        values = {
            ":owner": {"S": owner},
            ":ended": {"S": ended or owner},
            ":until": _number(now + self._lease_s),
            ":gone": _number(now - self._grace_s),
            ":one": {"N": "1"},
        }
        if cooled:
            free += " AND (attribute_not_exists(cool_until) OR cool_until <= :now)"
            values[":now"] = _number(now)
        if event:
            free += " AND NOT contains(events, :event)"
            values[":event"] = {"S": event}
        change = "SET #owner = :owner, #until = :until ADD fence :one"
        try:
            item = self._write(stream, change, free, values)
        except self._store.refused as error:
            return self._why(stream, error, event, now)
        times = (_seconds(item, name) for name in ("last_up", "last_down", "cool_until"))
        return Held(stream, owner, int(item["fence"]["N"]), *times)

    def renew(self, held: Held) -> None:
        """Hold on to it. To be called before whatever changes the stream.

        Raises:
            LostError: It is another's.
        """
        values = {**_of(held), ":until": _number(self._clock() + self._lease_s)}
        try:
            self._write(held.stream, "SET #until = :until", _MINE, values)
        except self._store.refused as error:
            raise LostError(held.stream) from error

    def free(
        self,
        held: Held,
        *,
        event: str = "",
        cool_s: float = 0.0,
        went_up: bool = False,
        went_down: bool = False,
    ) -> None:
        """Let it go, with what is to be remembered. Nothing happens if it was lost."""
        now = self._clock()
        changes = []
        values: dict[str, Any] = _of(held)
        if cool_s:
            changes.append("cool_until = :cool")
            values[":cool"] = _number(now + cool_s)
        for name, happened in (("last_up", went_up), ("last_down", went_down)):
            if happened:
                changes.append(f"{name} = :now")
                values[":now"] = _number(now)
        if event:
            changes.append("events = :events")
            values[":events"] = {"L": [{"S": each} for each in self._remembered(held, event)]}
        said = f"SET {', '.join(changes)} " if changes else ""
        with suppress(self._store.refused):  # it expired, and another one took it
            self._write(held.stream, f"{said}REMOVE #owner, #until", _MINE, values)

    def _remembered(self, held: Held, event: str) -> list[str]:
        known = _events(self._item(held.stream))
        return [*(one for one in known if one != event), event][-_REMEMBERED:]

    def _item(self, stream: str) -> dict[str, Any]:
        answer = self._store.call("get_item", Key=lock_key(stream), ConsistentRead=True)
        found: dict[str, Any] = answer.get("Item", {})
        return found

    def _write(
        self, stream: str, change: str, condition: str, values: dict[str, Any]
    ) -> dict[str, Any]:
        answer = self._store.call(
            "update_item",
            Key=lock_key(stream),
            UpdateExpression=change,
            ConditionExpression=condition,
            ExpressionAttributeNames={"#owner": "owner", "#until": "until"},
            ExpressionAttributeValues=values,
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        found: dict[str, Any] = answer["Attributes"]
        return found

    def _why(self, stream: str, error: Any, event: str, now: float) -> Busy:
        """What stood in the way, in the order in which it is worth knowing."""
        item = error.response.get("Item") or self._item(stream)
        if event and event in _events(item):
            return Busy("repeated")
        until = _seconds(item, "until")
        if "owner" in item and until >= now - self._grace_s:
            return Busy("held", until)
        return Busy("cooling", _seconds(item, "cool_until"))


_MINE = "#owner = :owner AND fence = :fence"


def _of(held: Held) -> dict[str, Any]:
    return {":owner": {"S": held.owner}, ":fence": {"N": str(held.fence)}}


def _events(item: dict[str, Any]) -> list[str]:
    return [each["S"] for each in item.get("events", {"L": []})["L"]]


def _number(seconds: float) -> dict[str, str]:
    return {"N": f"{seconds:.3f}"}


def _seconds(item: dict[str, Any], name: str) -> float:
    """A time in an item; long ago where there is none."""
    return float(item[name]["N"]) if name in item else float("-inf")

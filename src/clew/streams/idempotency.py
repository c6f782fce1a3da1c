"""Drop repeats: a table that knows which records are done, and which are in hand right now.

DynamoDB, with conditional writes: the table has the partition key ``id`` (text), and its time to
live is the attribute ``expires``.
"""

from __future__ import annotations

import time

from clew.errors import ClewError
from clew.log.internal import warn, warn_once
from clew.streams.clients import client
from clew.streams.duration import seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from clew.capture import Record
    from clew.streams.batch import Batch
    from clew.streams.duration import Duration

_RUNNING = "running"
#: What is free for anybody: nothing, what is too old, and what a crashed invocation left over.
_FREE = "attribute_not_exists(id) OR #expires < :now OR (#state = :running AND #until < :now_ms)"
#: A record that was put again is wanted again, whatever gave up on it before.
_GIVEN_UP = " OR #state IN (:skipped, :dead)"
_NAMES = {"#expires": "expires", "#state": "state", "#until": "until"}


class Idempotency:
    """Where a handler keeps what it has done; a frozen value. See `idempotency`."""

    __slots__ = ("key", "lease_s", "name", "region", "table", "ttl_s")

    table: str
    region: str
    name: str
    ttl_s: float
    lease_s: float
    key: Callable[[Any], str] | None

    def __init__(
        self,
        table: str,
        *,
        region: str,
        name: str,
        ttl_s: float,
        lease_s: float,
        key: Callable[[Any], str] | None,
    ) -> None:
        for slot, value in zip(
            self.__slots__, (key, lease_s, name, region, table, ttl_s), strict=True
        ):
            object.__setattr__(self, slot, value)

    def __setattr__(self, name: str, value: object) -> None:
        message = "it cannot be changed; make another one"
        raise AttributeError(message)

    def __repr__(self) -> str:
        return f"idempotency({self.table!r})"

    def key_of(self, record: Record) -> str:
        """What names a record in the table, "" for none. Raises what the user's ``key`` raises.

        A record that ``key`` has no name for has its place: under one name for all of those, the
        first would be run, and the others taken for its repeats.
        """
        given: object = self.key(record) if self.key is not None else None
        if given is not None and given != "":
            from clew.streams.identity import as_key

            record.idempotency_key = as_key(str(given))
        return record.idempotency_key

    def claim(self, batch: Batch, record: Record, key: str) -> float | None:
        """Take a record in hand.

        None where it is to be run; 0 where it is done; else for how many seconds more another
        invocation has it. Raises what the table's service raises.
        """
        if not key:
            warn_once("idempotency", "a record without a place of its own may be run twice")
            return None
        at = time.time()
        condition = _FREE + (_GIVEN_UP if _is_put_again(batch, record) else "")
        values: dict[str, Any] = {
            ":now": {"N": str(int(at))},
            ":now_ms": {"N": str(int(at * 1000))},
            ":running": {"S": _RUNNING},
        }
        if _is_put_again(batch, record):
            values |= {":skipped": {"S": "skipped"}, ":dead": {"S": "dead-lettered"}}
        table = client("dynamodb", self.region)
        try:
            table.put_item(
                TableName=self.table,
                Item={
                    "id": {"S": self._id(batch, record)},
                    "state": {"S": _RUNNING},
                    "owner": {"S": _owner(batch)},
                    "until": {"N": str(int((at + self.lease_s) * 1000))},
                    "expires": {"N": str(int(at + self.lease_s + self.ttl_s))},
                },
                ConditionExpression=condition,
                ExpressionAttributeNames=_NAMES,
                ExpressionAttributeValues=values,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except table.exceptions.ConditionalCheckFailedException as error:
            known = error.response.get("Item") or self._read(batch, record)
            return _held_s(known, at)
        return None

    def renew(self, batch: Batch, record: Record) -> None:
        """Keep a record in hand for another attempt. Never raises an `Exception`."""
        until = str(int((time.time() + self.lease_s) * 1000))
        try:
            self._update(batch, record, "SET #until = :until", {":until": {"N": until}})
        except Exception:  # noqa: BLE001  (the lease it has may do)
            warn_once("renew", "the lease of a record could not be renewed", table=self.table)

    def finish(self, batch: Batch, record: Record, outcome: str) -> None:
        """Note what became of a record that was claimed; of one that is returned, free it.

        Raises what the table's service raises.
        """
        if not record.idempotency_key:
            return
        if outcome in ("done", "skipped", "dead-lettered"):
            expires = str(int(time.time() + self.ttl_s))
            lost = not self._update(
                batch,
                record,
                "SET #state = :state, #expires = :expires REMOVE #until",
                {":state": {"S": outcome}, ":expires": {"N": expires}},
            )
            if lost:
                warn(
                    "a record took longer than its lease, and may have been done twice",
                    table=self.table,
                    lease_s=self.lease_s,
                    **record.position,
                )
            return
        found = client("dynamodb", self.region)
        try:
            found.delete_item(
                TableName=self.table,
                Key={"id": {"S": self._id(batch, record)}},
                ConditionExpression="#owner = :owner AND #state = :running",
                ExpressionAttributeNames={"#owner": "owner", "#state": "state"},
                ExpressionAttributeValues={
                    ":owner": {"S": _owner(batch)},
                    ":running": {"S": _RUNNING},
                },
            )
        except found.exceptions.ConditionalCheckFailedException:
            return  # another invocation has it by now

    def _update(
        self, batch: Batch, record: Record, expression: str, values: dict[str, Any]
    ) -> bool:
        """Change the record's item; False where another invocation has it by now."""
        found = client("dynamodb", self.region)
        names = {name: own for name, own in _NAMES.items() if name in expression}
        try:
            found.update_item(
                TableName=self.table,
                Key={"id": {"S": self._id(batch, record)}},
                UpdateExpression=expression,
                ConditionExpression="#owner = :owner",
                ExpressionAttributeNames={**names, "#owner": "owner"},
                ExpressionAttributeValues={**values, ":owner": {"S": _owner(batch)}},
            )
        except found.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _read(self, batch: Batch, record: Record) -> dict[str, Any]:
        item: dict[str, Any] = (
            client("dynamodb", self.region)
            .get_item(
                TableName=self.table,
                Key={"id": {"S": self._id(batch, record)}},
                ConsistentRead=True,
            )
            .get("Item", {})
        )
        return item

    def _id(self, batch: Batch, record: Record) -> str:
        """Two functions on one stream may have one table: each has done what it has done."""
        envelope = batch.envelope_of(record)
        function = self.name or (envelope.function if envelope else batch.invocation.function)
        return f"{function}#{record.idempotency_key}"


def idempotency(
    table: str,
    *,
    ttl: Duration = "1d",
    lease: Duration = "1m",
    name: str = "",
    key: Callable[[Any], str] | None = None,
) -> Idempotency:
    """Run each record once, however often it is delivered: a handler's ``idempotency``.

    Args:
        table: The name or ARN of a DynamoDB table (docs/reference/stream-policies.md has it as a
            template). The function needs GetItem, PutItem, UpdateItem and DeleteItem.
        ttl: How long it is remembered. Longer than a record may come again: the source's own
            retention, or as long as dead letters are kept.
        lease: How long an attempt may take. What a crashed invocation had in hand is run again
            after that.
        name: Handlers of one name share what they have done; the function's own name, if not
            given (a retry handler takes that of the function it stands in for).
        key: What names a record, where it is not its place in its source: the id of the order in
            it, say. Where it gives None or "", the record's place counts.

    Two writes for each record. Where the table cannot be asked, records are returned, not run.
    Raises `ClewError` for what is no table or length of time.
    """
    given: object = table
    if not isinstance(given, str) or not given:
        message = f"idempotency needs the name or ARN of a DynamoDB table, not {table!r}."
        raise ClewError(message)
    own_key: object = key
    if own_key is not None and not callable(own_key):
        message = f"key of idempotency has to be a function of a record, not {key!r}."
        raise ClewError(message)
    parts = table.split(":")
    region = parts[3] if table.startswith("arn:") and len(parts) > 3 else ""
    ttl_s, lease_s = seconds(ttl, "ttl of idempotency"), seconds(lease, "lease of idempotency")
    return Idempotency(table, region=region, name=name, ttl_s=ttl_s, lease_s=lease_s, key=key)


def _owner(batch: Batch) -> str:
    """This very invocation: a request id comes again when Lambda repeats an invocation."""
    return f"{batch.invocation.request_id}#{id(batch.invocation)}#{batch.invocation.started_at}"


def _is_put_again(batch: Batch, record: Record) -> bool:
    """Whether a record comes out of a dead letter."""
    if batch.envelope_of(record) is not None:
        return True
    from clew.streams.identity import came_with_key

    return came_with_key(record)


def _held_s(item: dict[str, Any], at: float) -> float:
    """For how long the owner of an item has it; 0 where it is done."""
    if not item or item.get("state", {}).get("S") != _RUNNING:
        return 0.0 if item else 0.001
    return max(int(item.get("until", {}).get("N", "0")) / 1000 - at, 0.001)

"""The table that the scaling functions share: settings, locks, plans under way, and the audit.

One DynamoDB table, partition key ``of`` and sort key ``what``, both text; its time to live is the
attribute ``expires``. The settings of all streams stand side by side below ``#settings``, so that
they are read without the rest; a stream's other items stand below its name.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from clew.scaling.managed.settings import ManagedStream
from clew.scaling.model import ScalingError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Its name, where nothing else is said. The command line and the functions agree on it.
TABLE = "clew-scaling"
#: How long an audit record is kept.
AUDIT_DAYS = 90

_SETTINGS = "#settings"  # no stream has such a name
_AUDIT = "audit#"
_DAY_S = 86_400


class Store:
    """One table, through a client of DynamoDB. Raises what the client raises.

    Raises:
        ScalingError: The table is not there, or what stands in it makes no sense.
    """

    def __init__(self, dynamodb: Any, table: str = TABLE) -> None:
        self._dynamodb = dynamodb
        self.table = table

    @property
    def refused(self) -> type[Exception]:
        """What a write raises whose condition does not hold."""
        found: type[Exception] = self._dynamodb.exceptions.ConditionalCheckFailedException
        return found

    def put_settings(self, stream: ManagedStream) -> None:
        """Manage a stream from now on, with these settings."""
        item = {**_key(_SETTINGS, stream.name), "json": {"S": stream.to_json()}}
        self.call("put_item", Item=item)

    def settings(self, stream: str) -> ManagedStream | None:
        """The settings of a stream; None if it is not managed."""
        found = self._json(_SETTINGS, stream)
        return None if found is None else ManagedStream.from_json(found)

    def all_settings(self) -> Iterator[ManagedStream]:
        """Those of every managed stream, by name, page by page."""
        for item in self._query(_SETTINGS):
            yield ManagedStream.from_json(item["json"]["S"])

    def managed(self) -> Iterator[str]:
        """The names of the managed streams, whether their settings can be read or not."""
        for item in self._query(_SETTINGS):
            yield item["what"]["S"]

    def remove_settings(self, stream: str) -> None:
        """Manage a stream no more. Its audit stays until it expires."""
        self.call("delete_item", Key=_key(_SETTINGS, stream))

    def put_audit(self, stream: str, record: dict[str, Any]) -> None:
        """Add a record; its ``at_s`` and ``id`` are its place, and a second one there is the same.

        It is kept for `AUDIT_DAYS`.
        """
        at_ms = int(record["at_s"] * 1000)
        item = {
            **_key(stream, f"{_AUDIT}{at_ms:015d}#{record['id']}"),
            "json": {"S": json.dumps(record, sort_keys=True)},
            "expires": {"N": str(int(record["at_s"]) + AUDIT_DAYS * _DAY_S)},
        }
        self.call("put_item", Item=item)

    def audit(self, stream: str, *, since_s: float = 0, limit: int = 50) -> list[dict[str, Any]]:
        """The last records of a stream, the latest first."""
        found: list[dict[str, Any]] = []
        start = f"{_AUDIT}{int(since_s * 1000):015d}"
        for item in self._query(stream, start, latest_first=True):
            found.append(json.loads(item["json"]["S"]))
            if len(found) >= limit:
                break
        return found

    def put_plan(self, stream: str, plan: dict[str, Any]) -> None:
        """Note the plan that a stream is on its way by, in the place of any other."""
        item = {"id": {"S": plan["id"]}, "json": {"S": json.dumps(plan)}}
        self.call("put_item", Item={**_key(stream, "plan"), **item})

    def plan(self, stream: str) -> dict[str, Any] | None:
        """The plan that a stream is on its way by, if it is on any."""
        found = self._json(stream, "plan")
        return None if found is None else json.loads(found)

    def forget_plan(self, stream: str, plan_id: str) -> None:
        """It is done, or given up; another one stays."""
        with suppress(self.refused):
            self.call(
                "delete_item",
                Key=_key(stream, "plan"),
                ConditionExpression="id = :id",
                ExpressionAttributeValues={":id": {"S": plan_id}},
            )

    def note_update_call(self, stream: str, at_s: float) -> None:
        """Count a call of UpdateShardCount."""
        item = _key(stream, f"call#{int(at_s * 1000):015d}#{uuid4().hex[:8]}")
        self.call("put_item", Item={**item, "expires": {"N": str(int(at_s) + 2 * _DAY_S)}})

    def update_calls(self, stream: str, at_s: float) -> int:
        """How many calls of UpdateShardCount the last 24 hours have seen."""
        start = f"call#{int((at_s - _DAY_S) * 1000):015d}"
        return sum(1 for _ in self._query(stream, start))

    def call(self, operation: str, **arguments: Any) -> Any:
        """One call of the client, on this table.

        Raises:
            ScalingError: The table is not there.
        """
        try:
            return getattr(self._dynamodb, operation)(TableName=self.table, **arguments)
        except self._dynamodb.exceptions.ResourceNotFoundException as error:
            raise ScalingError(
                f"There is no table {self.table} here; deploy the scaling functions, or name the"
                " table that they have."
            ) from error

    def _json(self, of: str, what: str) -> str | None:
        found = self.call("get_item", Key=_key(of, what), ConsistentRead=True).get("Item")
        return None if found is None else str(found["json"]["S"])

    def _query(
        self, of: str, start: str = "", *, latest_first: bool = False
    ) -> Iterator[dict[str, Any]]:
        """The items of one partition, page by page; of one kind, from ``start`` on, if given."""
        asked: dict[str, Any] = {
            "KeyConditionExpression": "#of = :of",
            "ExpressionAttributeNames": {"#of": "of"},
            "ExpressionAttributeValues": {":of": {"S": of}},
            "ScanIndexForward": not latest_first,
            "ConsistentRead": True,
        }
        if start:
            asked["KeyConditionExpression"] += " AND #what BETWEEN :start AND :end"
            asked["ExpressionAttributeNames"]["#what"] = "what"
            # "$" comes right after "#", which ends the kind of an item.
            end = start.partition("#")[0] + "$"
            asked["ExpressionAttributeValues"] |= {":start": {"S": start}, ":end": {"S": end}}
        while True:
            page = self.call("query", **asked)
            for item in page["Items"]:
                if "expires" not in item or int(item["expires"]["N"]) > time.time():
                    yield item
            if "LastEvaluatedKey" not in page:
                return
            asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _key(of: str, what: str) -> dict[str, Any]:
    return {"of": {"S": of}, "what": {"S": what}}


def lock_key(stream: str) -> dict[str, Any]:
    """Where the lock of a stream stands."""
    return _key(stream, "lock")


def describe_table(name: str = TABLE) -> dict[str, Any]:
    """What CreateTable takes to make one, where no template does."""
    return {
        "TableName": name,
        "KeySchema": [
            {"AttributeName": "of", "KeyType": "HASH"},
            {"AttributeName": "what", "KeyType": "RANGE"},
        ],
        "AttributeDefinitions": [
            {"AttributeName": "of", "AttributeType": "S"},
            {"AttributeName": "what", "AttributeType": "S"},
        ],
        "BillingMode": "PAY_PER_REQUEST",
    }

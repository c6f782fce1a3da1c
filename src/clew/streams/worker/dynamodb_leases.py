"""Leases in a DynamoDB table, for workers on several hosts."""

from __future__ import annotations

import json
import zlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from clew.streams.worker.errors import LeaseLostError, LeaseStoreError, WorkerError
from clew.streams.worker.leases import Lease, Start

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import boto3

_CONFIG = Config(
    retries={"total_max_attempts": 3, "mode": "standard"}, connect_timeout=5, read_timeout=10
)
_MAPPING = "mapping"
_LEASE = "lease#"
_WORKER = "worker#"
_FAILED = "ConditionalCheckFailedException"
_HELD = "#owner = :owner AND #token = :token"
# An item is 400 KB at most: "Quotas in Amazon DynamoDB".
_MOST_BYTES = 390_000
_COMPRESS_FROM = 4_000


class DynamoDBLeases:
    """A lease store in a table, which is made if it is not there.

    Its keys are ``mapping`` and ``row``, both strings; several mappings and streams may share a
    table. Needed are DescribeTable, CreateTable (once), Query, GetItem, PutItem, UpdateItem and
    DeleteItem.
    """

    def __init__(self, session: boto3.Session, table: str) -> None:
        self._table = table
        self._mapping = ""
        self._client: Any = session.client("dynamodb", config=_CONFIG)

    def open(self, mapping: str, identity: str) -> None:
        """Begin with a mapping, or go on with it."""
        self._mapping = mapping
        try:
            self._make_table()
        except (ClientError, BotoCoreError) as error:
            raise WorkerError(f"The lease table {self._table} cannot be used: {error}.") from error
        self._put({"row": {"S": _MAPPING}, "identity": {"S": identity}}, if_new=True)
        with self._asking():
            kept = self._client.get_item(
                TableName=self._table, Key=self._key(_MAPPING), ConsistentRead=True
            )["Item"]["identity"]["S"]
        if kept != identity:
            raise WorkerError(
                f"The leases of {mapping} in the table {self._table} are of another stream "
                f"({kept}, not {identity}); use another mapping name or another table."
            )

    def leases(self) -> list[Lease]:
        """Every lease, in the order of shard ids."""
        return [_lease(item) for item in self._rows(_LEASE)]

    def add(self, leases: Iterable[Lease], *, first: bool = False) -> None:
        """Add those whose shard is not known yet; with ``first``, only if there is none at all."""
        if first and not self._update(
            _MAPPING, "SET begun = :yes", "attribute_not_exists(begun)", {":yes": {"BOOL": True}}
        ):
            return
        for lease in leases:
            self._put(_item(lease), if_new=True)

    def take(self, lease: Lease, owner: str) -> Lease | None:
        """Hold a lease, if its token and beat still are those of ``lease``."""
        found = self._update(
            _LEASE + lease.shard_id,
            "SET #owner = :owner, wanted_by = :nobody ADD #token :one, beat :one",
            "#token = :token AND beat = :beat AND finished = :no",
            {
                ":owner": {"S": owner},
                ":nobody": {"S": ""},
                ":one": {"N": "1"},
                ":token": {"N": str(lease.token)},
                ":beat": {"N": str(lease.beat)},
                ":no": {"BOOL": False},
            },
        )
        if found is None:
            # An answer that got lost was asked for again, and refused because of the first.
            current = self._lease(lease.shard_id)
            mine = current is not None and (current.owner, current.token) == (
                owner,
                lease.token + 1,
            )
            return current if mine else None
        return _lease(found)

    def renew(self, lease: Lease) -> Lease:
        """Show that its owner lives."""
        found = self._held(lease, "ADD beat :one", {":one": {"N": "1"}})
        if found is None:
            raise _lost(lease)
        return _lease(found)

    def ask(self, lease: Lease, worker: str) -> bool:
        """Ask the owner to hand it over."""
        found = self._held(
            lease,
            "SET wanted_by = :worker",
            {":worker": {"S": worker}, ":nobody": {"S": ""}},
            "wanted_by = :nobody",
        )
        return found is not None

    def checkpoint(self, lease: Lease, checkpoint: str, *, finished: bool = False) -> None:
        """Say how far it is."""
        values = {":text": _packed(checkpoint), ":finished": {"BOOL": finished}}
        change = "SET checkpoint = :text, finished = :finished"
        if self._held(lease, change, values) is None:
            raise _lost(lease)

    def release(self, lease: Lease) -> None:
        """Hold it no more."""
        self._held(lease, "SET #owner = :nobody", {":nobody": {"S": ""}})

    def remake(self, lease: Lease, fresh: Lease) -> bool:
        """Put ``fresh`` in the place of a lease."""
        item = _item(fresh) | {"token": {"N": str(lease.token + 1)}}
        return self._put(
            item,
            condition="#token = :token AND begins = :begins",
            values={":token": {"N": str(lease.token)}, ":begins": {"S": lease.begins}},
        )

    def remove(self, lease: Lease) -> None:
        """Forget a lease that is finished."""
        with suppress(_RefusedError), self._asking():
            self._client.delete_item(
                TableName=self._table,
                Key=self._key(_LEASE + lease.shard_id),
                ConditionExpression="finished = :yes",
                ExpressionAttributeValues={":yes": {"BOOL": True}},
            )

    def beat(self, worker: str) -> None:
        """Show that a worker lives."""
        self._update(_WORKER + worker, "ADD beat :one", None, {":one": {"N": "1"}})

    def workers(self) -> Sequence[tuple[str, int]]:
        """Every worker and the count of its beats."""
        return [
            (item["row"]["S"].removeprefix(_WORKER), int(item["beat"]["N"]))
            for item in self._rows(_WORKER)
        ]

    def leave(self, worker: str) -> None:
        """Say that a worker is gone."""
        with self._asking():
            self._client.delete_item(TableName=self._table, Key=self._key(_WORKER + worker))

    def close(self) -> None:
        """End the use of the store."""
        self._client.close()

    def _make_table(self) -> None:
        try:
            self._client.describe_table(TableName=self._table)
        except self._client.exceptions.ResourceNotFoundException:
            names = ("mapping", "row")
            with suppress(self._client.exceptions.ResourceInUseException):  # made by another one
                self._client.create_table(
                    TableName=self._table,
                    BillingMode="PAY_PER_REQUEST",
                    AttributeDefinitions=[
                        {"AttributeName": name, "AttributeType": "S"} for name in names
                    ],
                    KeySchema=[
                        {"AttributeName": name, "KeyType": kind}
                        for name, kind in zip(names, ("HASH", "RANGE"), strict=True)
                    ],
                )
        self._client.get_waiter("table_exists").wait(
            TableName=self._table, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )

    def _key(self, row: str) -> dict[str, Any]:
        return {"mapping": {"S": self._mapping}, "row": {"S": row}}

    def _rows(self, prefix: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        request: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            "KeyConditionExpression": "mapping = :mapping AND begins_with(#row, :prefix)",
            "ExpressionAttributeNames": {"#row": "row"},
            "ExpressionAttributeValues": {
                ":mapping": {"S": self._mapping},
                ":prefix": {"S": prefix},
            },
        }
        while True:
            with self._asking():
                answer = self._client.query(**request)
            rows += answer["Items"]
            if not (last := answer.get("LastEvaluatedKey")):
                return rows
            request["ExclusiveStartKey"] = last

    def _lease(self, shard_id: str) -> Lease | None:
        with self._asking():
            answer = self._client.get_item(
                TableName=self._table, Key=self._key(_LEASE + shard_id), ConsistentRead=True
            )
        return _lease(answer["Item"]) if "Item" in answer else None

    def _held(
        self, lease: Lease, change: str, values: dict[str, Any], condition: str = ""
    ) -> dict[str, Any] | None:
        """Change a lease, if it still is held as ``lease`` says."""
        values = values | {":owner": {"S": lease.owner}, ":token": {"N": str(lease.token)}}
        held = f"{_HELD} AND {condition}" if condition else _HELD
        return self._update(_LEASE + lease.shard_id, change, held, values)

    def _update(
        self, row: str, change: str, condition: str | None, values: dict[str, Any]
    ) -> dict[str, Any] | None:
        request: dict[str, Any] = {
            "TableName": self._table,
            "Key": self._key(row),
            "UpdateExpression": change,
            "ExpressionAttributeValues": values,
            "ReturnValues": "ALL_NEW",
        }
        if condition:
            request["ConditionExpression"] = condition
        # Reserved words may stand in an expression by another name alone, and only if they do.
        names = {name: name[1:] for name in ("#owner", "#token") if name in f"{change} {condition}"}
        if names:
            request["ExpressionAttributeNames"] = names
        try:
            with self._asking():
                attributes: dict[str, Any] = self._client.update_item(**request)["Attributes"]
        except _RefusedError:
            return None
        return attributes

    def _put(
        self,
        item: dict[str, Any],
        *,
        if_new: bool = False,
        condition: str = "",
        values: dict[str, Any] | None = None,
    ) -> bool:
        request: dict[str, Any] = {
            "TableName": self._table,
            "Item": item | {"mapping": {"S": self._mapping}},
            "ConditionExpression": "attribute_not_exists(mapping)" if if_new else condition,
        }
        if values:
            request["ExpressionAttributeValues"] = values
            request["ExpressionAttributeNames"] = {"#token": "token"}
        try:
            with self._asking():
                self._client.put_item(**request)
        except _RefusedError:
            return False
        return True

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            if error.response["Error"]["Code"] == _FAILED:
                raise _RefusedError from error
            raise LeaseStoreError(f"The lease table {self._table} failed: {error}.") from error
        except BotoCoreError as error:
            raise LeaseStoreError(f"The lease table {self._table} failed: {error}.") from error


class _RefusedError(Exception):
    """A condition did not hold."""


def _packed(checkpoint: str) -> dict[str, Any]:
    """A checkpoint as an attribute; the state of a tumbling window can make it large."""
    if len(checkpoint) < _COMPRESS_FROM:
        return {"S": checkpoint}
    packed = zlib.compress(checkpoint.encode())
    if len(packed) > _MOST_BYTES:
        raise WorkerError(
            "The state of a tumbling window is too large for a lease in DynamoDB "
            f"({len(packed):,} bytes compressed, {_MOST_BYTES:,} fit); keep the leases in SQLite."
        )
    return {"B": packed}


def _item(lease: Lease) -> dict[str, Any]:
    return {
        "row": {"S": _LEASE + lease.shard_id},
        "start": {"S": json.dumps([lease.start.position, lease.start.at])},
        "parents": {"S": json.dumps(lease.parents)},
        "begins": {"S": lease.begins},
        "owner": {"S": lease.owner},
        "token": {"N": str(lease.token)},
        "beat": {"N": str(lease.beat)},
        "wanted_by": {"S": lease.wanted_by},
        "checkpoint": _packed(lease.checkpoint),
        "finished": {"BOOL": lease.finished},
    }


def _lease(item: dict[str, Any]) -> Lease:
    checkpoint = item["checkpoint"]
    position, at = json.loads(item["start"]["S"])
    return Lease(
        shard_id=item["row"]["S"].removeprefix(_LEASE),
        start=Start(position, at),
        parents=tuple(json.loads(item["parents"]["S"])),
        begins=item["begins"]["S"],
        owner=item["owner"]["S"],
        token=int(item["token"]["N"]),
        beat=int(item["beat"]["N"]),
        wanted_by=item["wanted_by"]["S"],
        checkpoint=checkpoint["S"]
        if "S" in checkpoint
        else zlib.decompress(checkpoint["B"]).decode(),
        finished=item["finished"]["BOOL"],
    )


def _lost(lease: Lease) -> LeaseLostError:
    return LeaseLostError(f"{lease.shard_id} is held by somebody else now (token {lease.token}).")

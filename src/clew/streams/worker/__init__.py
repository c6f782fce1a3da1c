"""The event source mapping of a stream, as one engine: the contract of Lambda's, outside Lambda.

A `Worker` reads a Kinesis or DynamoDB stream and gives its records to a target, a function in
this process or a Lambda function, with the retries, splits, windows, filters and checkpoints that
`MappingSettings` asks for. Several workers share the shards of one mapping through a lease store.

>>> from clew.streams.worker import LambdaTarget, MappingSettings, SqliteLeases, Worker
>>> settings = MappingSettings.from_properties(
...     {
...         "EventSourceArn": "arn:aws:kinesis:us-east-1:000000000000:stream/orders",
...         "StartingPosition": "TRIM_HORIZON",
...         "BisectBatchOnFunctionError": True,
...         "MaximumRetryAttempts": 2,
...     }
... )
>>> worker = Worker(  # doctest: +SKIP
...     settings,
...     target=LambdaTarget(session, "orders-function"),
...     leases=SqliteLeases("leases.db"),
...     session=session,
... )
>>> worker.start()  # doctest: +SKIP
>>> worker.stop(grace_s=10)  # doctest: +SKIP

Nothing of this is imported inside a function: a handler and its policy never need it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clew.streams.worker.errors import LeaseLostError, SettingsError, WorkerError

if TYPE_CHECKING:
    from clew.streams.worker.dynamodb_leases import DynamoDBLeases
    from clew.streams.worker.events import WorkerEvent
    from clew.streams.worker.leases import LeaseStore
    from clew.streams.worker.options import WorkerOptions
    from clew.streams.worker.settings import MappingSettings
    from clew.streams.worker.sqlite_leases import SqliteLeases
    from clew.streams.worker.status import ShardStatus, WorkerStatus
    from clew.streams.worker.targets import FunctionTarget, LambdaTarget, Target
    from clew.streams.worker.worker import Worker

__all__ = [
    "DynamoDBLeases",
    "FunctionTarget",
    "LambdaTarget",
    "LeaseLostError",
    "LeaseStore",
    "MappingSettings",
    "SettingsError",
    "ShardStatus",
    "SqliteLeases",
    "Target",
    "Worker",
    "WorkerError",
    "WorkerEvent",
    "WorkerOptions",
    "WorkerStatus",
]

_WHERE = {
    "DynamoDBLeases": "dynamodb_leases",
    "FunctionTarget": "targets",
    "LambdaTarget": "targets",
    "LeaseStore": "leases",
    "MappingSettings": "settings",
    "ShardStatus": "status",
    "SqliteLeases": "sqlite_leases",
    "Target": "targets",
    "Worker": "worker",
    "WorkerEvent": "events",
    "WorkerOptions": "options",
    "WorkerStatus": "status",
}


def __getattr__(name: str) -> Any:
    # Some of these need boto3 or sqlite3; `clew worker --help` does not.
    if name in _WHERE:
        from importlib import import_module

        return getattr(import_module(f"clew.streams.worker.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""One worker: it holds leases on shards, and runs a consumer for each that it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clew.streams.worker.events import ignore
from clew.streams.worker.options import WorkerOptions

if TYPE_CHECKING:
    import boto3

    from clew.streams.worker.events import Observe
    from clew.streams.worker.leases import LeaseStore
    from clew.streams.worker.settings import MappingSettings
    from clew.streams.worker.status import WorkerStatus
    from clew.streams.worker.targets import Target


class Worker:
    """Runs one mapping, alone or beside other workers of the same mapping.

    Args:
        settings: What the mapping asks for.
        target: What the batches are given to.
        leases: Where positions are kept and shards shared out. A store serves one worker.
        session: Its clients read the stream and write to the on-failure destination.
        mapping: The mapping's name. Workers of one name share the work; the default is made of
            the stream and the function. It stands in the names of S3 objects as Lambda's UUID.
        worker_id: This worker's name among them; a random one if not given.
        options: Paces and patience.
        observe: Told of everything that happens, from several threads, one at a time.
        role_arn: The function's role, which stands in Kinesis events.
    """

    def __init__(
        self,
        settings: MappingSettings,
        *,
        target: Target,
        leases: LeaseStore,
        session: boto3.Session,
        mapping: str = "",
        worker_id: str = "",
        options: WorkerOptions = WorkerOptions(),
        observe: Observe = ignore,
        role_arn: str = "",
    ) -> None:
        raise NotImplementedError

    def start(self) -> None:
        """Check the stream and the target, and begin in threads of its own.

        Raises `WorkerError` if there is no such stream or target, or the leases are of another
        stream. Nothing runs then.
        """

    def stop(self, grace_s: float = 10.0) -> None:
        """End: finish the batches that are under way within ``grace_s``, and release the leases.

        A batch that is not finished by then comes again to whoever takes the shard. May be
        called again, and of a worker that failed.
        """

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; whether it came. Raises `WorkerError` if the worker failed."""

    def status(self) -> WorkerStatus:
        """How far it is."""

"""Failures on purpose: calls of AWS services that fail, wait or time out."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from clew.localcloud.control import ask

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATH = "/_clew/faults"


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule, as it stood when it was asked for."""

    #: What :meth:`Faults.clear` takes.
    id: str
    service: str
    #: Empty means every operation.
    operations: tuple[str, ...]
    #: The error's code, or "" for none.
    error: str
    latency_s: float
    timeout: bool
    #: The share of the calls that it strikes, from 0 to 1.
    rate: float
    seed: int
    #: When it ends by itself, in UTC; None if it does not.
    until: datetime | None
    #: Calls that it was for, and how many of them it struck.
    calls: int
    struck: int

    def facts(self) -> dict[str, Any]:
        """It as JSON values."""
        until = None if self.until is None else self.until.isoformat()
        return {**asdict(self), "until": until}


class Faults:
    """The faults of one local cloud: ``cloud.faults``."""

    def __init__(self, port: int) -> None:
        self._port = port

    def __iter__(self) -> Iterator[Fault]:
        """The faults in force, in the order in which they were added."""
        return map(_fault, ask(self._port, "GET", _PATH))

    def add(
        self,
        service: str,
        *operations: str,
        error: str = "",
        latency_s: float = 0.0,
        timeout: bool = False,
        rate: float = 1.0,
        for_s: float | None = None,
        seed: int | None = None,
    ) -> Fault:
        """Let calls of a service fail, from now on.

        It strikes whoever calls over HTTP, as functions and clients do. Where several faults
        strike one call, their latencies add up and the first error counts. PutRecords of Kinesis
        takes an error as it does on AWS: for each of its records, while the call succeeds.

        Args:
            service: As boto3 calls it: ``"kinesis"``, ``"dynamodb"``, ``"sqs"``, ...
            operations: As the API calls them, ``"PutRecord"`` say; none means all.
            error: The code of an error of that service, which is sent with its own status.
            latency_s: Seconds to wait before the call goes on (or fails).
            timeout: Never answer; the call does not reach the service either.
            rate: The share of the calls to strike, from 0 to 1.
            for_s: Seconds until it ends by itself.
            seed: Which calls it strikes. The same seed strikes the same ones again.

        Raises:
            LocalCloudError: There is no such service, operation or error, or a number is no good.
        """
        asked = {
            "service": service,
            "operations": operations,
            "error": error,
            "latency_s": latency_s,
            "timeout": timeout,
            "rate": rate,
            "for_s": for_s,
            "seed": seed,
        }
        return _fault(ask(self._port, "POST", _PATH, asked))

    @contextmanager
    def during(self, service: str, *operations: str, **how: Any) -> Iterator[Fault]:
        """As :meth:`add`, until the end of a ``with`` block."""
        fault = self.add(service, *operations, **how)
        try:
            yield fault
        finally:
            self.clear(fault.id)

    def clear(self, fault_id: str | None = None) -> int:
        """Remove one fault, or all; how many there were to remove."""
        cleared: int = ask(self._port, "DELETE", _PATH, {"id": fault_id})["cleared"]
        return cleared


def _fault(facts: dict[str, Any]) -> Fault:
    until = facts["until"]
    given = {
        **facts,
        "operations": tuple(facts["operations"]),
        "until": None if until is None else datetime.fromtimestamp(until, UTC),
    }
    return Fault(**{field.name: given[field.name] for field in fields(Fault)})

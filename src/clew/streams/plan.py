"""How a handler runs its records: settled when it is decorated, and never changed."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from clew.streams.idempotency import Idempotency
    from clew.streams.policy import Policy
    from clew.streams.sources import Source


class Plan:
    """What a handler was told when it was decorated. Never changed after that."""

    __slots__ = (
        "decode",
        "function",
        "idempotency",
        "is_async",
        "lanes",
        "policy",
        "report",
        "source",
        "whole",
    )

    def __init__(
        self,
        function: Callable[[Any], Any],
        source: Source,
        policy: Policy,
        *,
        whole: bool = False,
        lanes: int | None = None,
        report: bool = True,
        decode: Callable[[bytes], Any] | None = None,
        idempotency: Idempotency | None = None,
        is_async: bool = False,
    ) -> None:
        self.function = function
        self.source = source
        self.policy = policy
        #: Whether the function takes all records of a batch at once.
        self.whole = whole
        self.lanes = lanes
        #: Whether what is left over is returned in ``batchItemFailures``; else it is raised.
        self.report = report
        self.decode = decode
        self.idempotency = idempotency
        self.is_async = is_async

    @property
    def is_plain(self) -> bool:
        """Whether it is given one record at a time, as it came."""
        return not (
            self.whole
            or self.lanes
            or self.is_async
            or self.decode is not None
            or self.idempotency is not None
        )

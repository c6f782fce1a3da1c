"""One cell of the matrix: a carrier, and the way that it takes to a function."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clew.correlation import Correlation
from clew.invocation import Invocation

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.localcloud import LocalCloud, Stack

TEMPLATE = Path(__file__).with_name("template.yaml")

#: What the sender has in force, beside the id that names the cell.
USER_AGENT = "matrix/1.0"
ADDED = {"x-correlation-user-id": "42", "x-correlation-order-id": "7"}
CHAIN = 3


class World:
    """The deployed template, as the senders use it."""

    def __init__(self, cloud: LocalCloud, stack: Stack) -> None:
        self.cloud = cloud
        self.stack = stack
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """A boto3 client, the same one each time."""
        if service not in self._clients:
            self._clients[service] = self.cloud.client(service)
        return self._clients[service]

    def __getitem__(self, logical_id: str) -> str:
        """The physical id of a resource."""
        return self.stack.resources[logical_id]

    def url(self, name: str) -> str:
        """Where an HTTP client finds the function."""
        return {
            "REST API": self.stack.outputs["RestUrl"],
            "HTTP API": self.stack.outputs["HttpUrl"],
            "function URL": self._function_url(),
            "load balancer": f"{self.cloud.endpoint_url}/_alb/{self.stack.name}-balancer/matrix",
        }[name]

    def _function_url(self) -> str:
        return f"{self.stack.outputs['FunctionUrl'].rstrip('/')}/matrix"


@dataclass(frozen=True, slots=True)
class Cell:
    """``send`` sends under the correlation in force; ``path`` is how it gets to the function.

    ``source`` is what clew calls that; ``hops`` how many functions it passes on its way (the
    last one included); ``note`` a remark for the table.
    """

    carrier: str
    path: str
    source: str
    send: Callable[[World], None]
    hops: int = 1
    note: str = ""
    emulated: bool = True
    id: str = field(default_factory=lambda: f"matrix-{uuid.uuid4().hex[:12]}")

    @property
    def name(self) -> str:
        """Carrier and path in one."""
        return f"{self.carrier} | {self.path}"

    def correlation(self) -> Correlation:
        """What is in force while it is sent, in an invocation that notes what is."""
        fields = {
            "x-correlation-id": self.id,
            **ADDED,
            "debug-log-enabled": "true",
            "user-agent": USER_AGENT,
            "call-chain-length": str(CHAIN),
        }
        return Correlation(
            fields,
            trace_id=uuid.uuid4().hex,
            span_id=uuid.uuid4().hex[:16],
            invocation=Invocation("matrix", {}, None),
        )

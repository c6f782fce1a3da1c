"""Where lines go: one module for each kind of sink, and the registry that finds it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from clew.shipping.errors import ShippingError

if TYPE_CHECKING:
    from collections.abc import Callable

    from clew.shipping.answers import Outcome
    from clew.shipping.batches import Parcel
    from clew.shipping.lines import Line
    from clew.shipping.settings import Address


class Sink(Protocol):
    """A place that takes log lines."""

    @property
    def name(self) -> str:
        """What to call it in a message: without a secret."""

    @property
    def max_lines(self) -> int:
        """How many lines a request may have."""

    @property
    def max_bytes(self) -> int:
        """How many bytes the packed lines of a request may have, before they are compressed."""

    def pack(self, line: Line) -> bytes:
        """A line as it goes into a request."""

    def send(self, parcels: list[Parcel], timeout_s: float) -> Outcome:
        """Send one request, and read the answer.

        Raises:
            BusyError: It took nothing, or did not answer.
            TooLargeError: It takes less at once.
            RefusedError: It refuses something in it, and does not say what.
            UnusableError: It cannot be used as it is configured.
        """

    def close(self) -> None:
        """Let go of connections."""


#: The beginning of an address -> the module that knows it.
SCHEMES = {
    "store": "clew.shipping.sinks.store",
    "tcp": "clew.shipping.sinks.tcp",
    "tls": "clew.shipping.sinks.tcp",
    "opensearch": "clew.shipping.sinks.opensearch",
    "loki": "clew.shipping.sinks.loki",
    "otlp": "clew.shipping.sinks.otlp",
    "firehose": "clew.shipping.sinks.firehose",
    "s3": "clew.shipping.sinks.s3",
}


#: Those that are services of AWS.
_OF_AWS = ("firehose", "s3")


def open_sink(address: Address, client: Callable[[str, str], Any] | None = None) -> Sink:
    """The sink at an address.

    Args:
        address: Where it is.
        client: Makes the boto3 client of a service in a region ("" for the session's own), for
            sinks that are services of AWS.

    Raises:
        ShippingError: There is no such kind, or the address does not say enough.
    """
    module = SCHEMES.get(address.kind)
    if module is None:
        kinds = ", ".join(SCHEMES)
        raise ShippingError(
            f"{address.shown} names no sink; an address begins with one of {kinds}:"
            " loki+https://logs.example.com, say."
        )
    given = (client,) if client is not None and address.kind in _OF_AWS else ()
    sink: Sink = import_module(module).open_sink(address, *given)
    return sink

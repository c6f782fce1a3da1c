"""Records in, outcomes out: what a partial failure does is chosen in the code.

``clew.streams.put`` sends records; the handlers (``clew.kinesis_handler`` and the others) take
them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clew.streams.envelope import Envelope as Envelope
    from clew.streams.failure import NotAnEnvelope as NotAnEnvelope
    from clew.streams.failure import RecordFailed as RecordFailed
    from clew.streams.failure import Unfinished as Unfinished
    from clew.streams.producer import Progress as Progress
    from clew.streams.producer import PutFailed as PutFailed
    from clew.streams.producer import put as put

_HOMES = {
    "Envelope": "clew.streams.envelope",
    "NotAnEnvelope": "clew.streams.failure",
    "Progress": "clew.streams.producer",
    "PutFailed": "clew.streams.producer",
    "RecordFailed": "clew.streams.failure",
    "Unfinished": "clew.streams.failure",
    "put": "clew.streams.producer",
}

__all__ = [*_HOMES]  # noqa: PLE0604  (the table is the list)


def __getattr__(name: str) -> object:
    """Load a public name on its first use (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        message = f"module 'clew.streams' has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    found: object = getattr(import_module(home), name)
    globals()[name] = found
    return found

"""clew: follow one request through every AWS Lambda function it touched.

Every public name is loaded when it is first used, so that importing clew costs a cold start
next to nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from clew.capture import Delivery as Delivery
    from clew.capture import Record as Record
    from clew.capture import capture as capture
    from clew.capture.kinesis import KinesisRecord as KinesisRecord
    from clew.capture.sns import SnsRecord as SnsRecord
    from clew.correlation import Correlation as Correlation
    from clew.correlation import bind as bind
    from clew.correlation import current as current
    from clew.correlation import use as use
    from clew.errors import ClewError as ClewError
    from clew.forward import instrument as instrument
    from clew.forward import uninstrument as uninstrument
    from clew.handlers import api_handler as api_handler
    from clew.handlers import handler as handler
    from clew.handlers import kinesis_handler as kinesis_handler
    from clew.handlers import sns_handler as sns_handler
    from clew.log.logger import get_logger as get_logger
    from clew.streams.policy import Policy as Policy
    from clew.streams.policy import halt as halt
    from clew.streams.policy import skip as skip

__version__ = "0.1.0"

_HOMES = {
    "ClewError": "clew.errors",
    "Correlation": "clew.correlation",
    "Delivery": "clew.capture",
    "KinesisRecord": "clew.capture.kinesis",
    "Policy": "clew.streams.policy",
    "Record": "clew.capture",
    "SnsRecord": "clew.capture.sns",
    "api_handler": "clew.handlers",
    "bind": "clew.correlation",
    "capture": "clew.capture",
    "current": "clew.correlation",
    "get_logger": "clew.log.logger",
    "halt": "clew.streams.policy",
    "handler": "clew.handlers",
    "instrument": "clew.forward",
    "kinesis_handler": "clew.handlers",
    "skip": "clew.streams.policy",
    "sns_handler": "clew.handlers",
    "uninstrument": "clew.forward",
    "use": "clew.correlation",
}

__all__ = ["__version__", *_HOMES]  # noqa: PLE0604  (the table is the list)


def __getattr__(name: str) -> object:
    """Load a public name on its first use (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        message = f"module 'clew' has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    found: object = getattr(import_module(home), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)

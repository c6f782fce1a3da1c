"""How a function says which records failed."""

from __future__ import annotations

from clew.errors import ClewError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from clew.capture import Record


class RecordFailed(ClewError):  # noqa: N818  (what a reader of the log looks for)
    """A record failed for a reason that the function gave, without an exception of its own."""


class Unfinished(ClewError):  # noqa: N818
    """Records are left over, and their source is told so by this error."""


class PartialFailure(ClewError):  # noqa: N818
    """Raised by a function that takes whole batches: these records failed, the others are done.

    ``failures`` are the records, or a mapping from each to its reason (a text or an exception);
    ``reason`` is that of all for which none is given.

    >>> import clew
    >>> @clew.kinesis_handler(batch=True, on_failure=clew.skip())
    ... def many(records):
    ...     late = [record for record in records if record.partition_key == "late"]
    ...     if late:
    ...         raise clew.PartialFailure(late, "too late")
    """

    def __init__(
        self, failures: Iterable[Record] | Mapping[Record, object], reason: object = ""
    ) -> None:
        given: Any = failures
        found: dict[Record, object] = (
            dict(given) if hasattr(given, "items") else dict.fromkeys(given, reason)
        )
        self.failures = {record: why or reason for record, why in found.items()}
        from clew.log.encode import as_text

        super().__init__(f"{len(self.failures)} records failed: {as_text(reason) or 'see each'}")


class NotAnEnvelope(ClewError):  # noqa: N818
    """What was read is no dead letter of clew's, or one of a version that is not known."""


def as_error(reason: Any) -> Exception:
    """A reason as an exception: itself if it is one."""
    if isinstance(reason, Exception):
        return reason
    from clew.log.encode import as_text

    if isinstance(reason, BaseException):
        return RecordFailed(f"{type(reason).__name__}: {as_text(reason)}")
    return RecordFailed(as_text(reason) or "the function said so")


def failure_of(record: Record) -> Exception:
    """Why ``record`` failed, as it was told by `Record.fail`."""
    return as_error(getattr(record, "reason", "") or record.error)
